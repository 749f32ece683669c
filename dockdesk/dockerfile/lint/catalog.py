"""The rules: why each matters, where that is written, and who else calls the same thing by another name.

A rule that BuildKit knows has BuildKit's id, so that `# check=skip=…` means it too; the others are DD… Sources:
https://docs.docker.com/reference/build-checks/, https://github.com/hadolint/hadolint/wiki.
"""

from __future__ import annotations

import re

from dockdesk.core.records import dataclass
from dockdesk.dockerfile.problems import ProblemTone

_REFERENCE = "https://docs.docker.com/reference/dockerfile/"
_BEST = "https://docs.docker.com/build/building/best-practices/"


@dataclass(frozen=True, slots=True)
class Rule:
    """``same`` are the codes under which hadolint, BuildKit or the parser report this too."""

    code: str
    tone: ProblemTone
    why: str
    url: str = ""
    same: tuple[str, ...] = ()


def _check_url(code: str) -> str:
    dashed = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", code).lower()
    return f"https://docs.docker.com/reference/build-checks/{dashed}/"


_RULES = [
    Rule("StageNameCasing", "info", "Names of stages count without case; one way of writing avoids doubt."),
    Rule("FromAsCasing", "info", "One way of writing keywords reads more easily."),
    Rule("NoEmptyContinuation", "warn", "A blank line within an instruction will be an error in a later version."),
    Rule("ConsistentInstructionCasing", "info", "One way of writing keywords reads more easily."),
    Rule(
        "DuplicateStageName", "warn", "What names the stage from here on means the later one.",
        same=("DL3024", "duplicate-stage"),
    ),
    Rule("ReservedStageName", "warn", "The name has a meaning of its own for FROM and COPY --from."),
    Rule(
        "JSONArgsRecommended", "warn",
        "The shell form runs a shell as process 1, which does not pass signals on: the container is killed when "
        "it is stopped, after a delay.", same=("DL3025",),
    ),
    Rule("MaintainerDeprecated", "info", "A label says the same and can be read by tools.", same=("DL4000",)),
    Rule("UndefinedArgInFrom", "warn", "Without an ARG above the first FROM the name stands for nothing."),
    Rule(
        "WorkdirRelativePath", "warn", "Where it lies depends on the base image, which may change.", same=("DL3000",)
    ),
    Rule("UndefinedVar", "warn", "It stands for nothing here."),
    Rule(
        "MultipleInstructionsDisallowed", "warn", "Only the last one in a stage counts.",
        same=("DL4003", "DL4004", "DL3012"),
    ),
    Rule("LegacyKeyValueFormat", "info", "It takes one name a line, and is kept for old files alone."),
    Rule("RedundantTargetPlatform", "info", "It is the default."),
    Rule(
        "SecretsUsedInArgOrEnv", "warn",
        "Its value can be read from the image by whoever has it. RUN --mount=type=secret leaves no trace.",
    ),
    Rule("InvalidDefaultArgInFrom", "warn", "Without a build argument the build has no base image."),
    Rule(
        "FromPlatformFlagConstDisallowed", "warn",
        "The image can be built for one platform alone. The build's --platform decides otherwise.",
        same=("DL3029",),
    ),
    Rule("CopyIgnoredFile", "warn", "It is not sent to the builder, so that it can't be copied."),
    Rule("ExposeProtoCasing", "info", "The protocol is written in lower case."),
    Rule("ExposeInvalidFormat", "warn", "Which port of the host is used, is said when a container is run."),
    Rule(
        "DD001", "warn", "Without a tag it is latest: another image each time, and a build that breaks one day.",
        f"{_BEST}#pin-base-image-versions", ("DL3006",),
    ),
    Rule(
        "DD002", "warn", "latest is another image each time: the build breaks one day, and can't be repeated.",
        f"{_BEST}#pin-base-image-versions", ("DL3007",),
    ),
    Rule(
        "DD003", "info", "Who breaks out of a process that runs as root is root. Most programs need no such rights.",
        f"{_BEST}#user",
    ),
    Rule(
        "DD004", "info", "COPY does one thing. ADD also unpacks archives and fetches addresses.",
        f"{_BEST}#add-or-copy", ("DL3020",),
    ),
    Rule("DD005", "info", "The lists stay in the layer, tens of megabytes that nobody reads.", f"{_BEST}#apt-get",
         ("DL3009",)),
    Rule("DD006", "info", "Packages that are only recommended are installed as well.", f"{_BEST}#apt-get",
         ("DL3015",)),
    Rule("DD007", "warn", "It asks whether to go on; nobody answers, and the build stops.", f"{_BEST}#apt-get",
         ("DL3014",)),
    Rule("DD008", "warn", "The lists are cached with this step: later installs ask for versions that are gone.",
         f"{_BEST}#apt-get"),
    Rule("DD009", "info", "apt is meant for people: its output and options may change.", f"{_BEST}#apt-get",
         ("DL3027",)),
    Rule("DD010", "warn", "A RUN is root already, unless USER says otherwise; sudo hides signals and needs a terminal.",
         f"{_BEST}#user", ("DL3004",)),
    Rule("DD011", "info", "The index of packages stays in the layer.", f"{_BEST}#run", ("DL3019",)),
    Rule("DD012", "info", "pip keeps what it downloaded, in the layer, where nobody uses it.", f"{_BEST}#run",
         ("DL3042",)),
    Rule("DD013", "info", "The folder is forgotten after this RUN; WORKDIR holds for all that follow.",
         f"{_BEST}#workdir", ("DL3003",)),
    Rule("DD014", "warn", "Whatever the server sends that day is run unseen. Fetch, check, then run.",
         f"{_BEST}#run"),
    Rule("DD015", "warn", "Only the last command of a pipe counts: where an earlier one fails, the build goes on.",
         f"{_BEST}#using-pipes", ("DL4006",)),
    Rule("DD016", "warn", "Any change of any file makes all packages install again. Copy what lists them first.",
         "https://docs.docker.com/build/cache/optimize/#order-your-layers"),
    Rule("DD017", "warn", "Ports run from 1 to 65535; 0 has no use here.", f"{_REFERENCE}#expose", ("DL3011",)),
    Rule("DD018", "bad", "The build stops here.", f"{_REFERENCE}#copy"),
    Rule("DD019", "bad", "With several sources the destination must be a folder; the build stops here.",
         f"{_REFERENCE}#copy", ("DL3021",)),
    Rule("DD020", "info", "It is never built, unless it is asked for as a target.",
         "https://docs.docker.com/build/building/multi-stage/"),
    Rule("DD021", "info", "What was downloaded stays in the layer.", f"{_BEST}#run", ("DL3032", "DL3040")),
    Rule("DD022", "warn", "Root is whoever breaks out of the process too. Most programs need no such rights.",
         f"{_BEST}#user", ("DL3002",)),
]  # fmt: skip

RULES: dict[str, Rule] = {rule.code: rule for rule in _RULES}
_CANONICAL = {code: rule.code for rule in _RULES for code in (rule.code, *rule.same)}


def canonical(code: str) -> str:
    """The one code under which a finding counts, whoever made it."""
    return _CANONICAL.get(code, code)


def codes(code: str) -> frozenset[str]:
    """All names of the finding; an ignore by any of them silences it."""
    rule = RULES.get(canonical(code))
    return frozenset((code, rule.code, *rule.same)) if rule else frozenset((code,))


def url_of(code: str) -> str:
    """Where to read about it; empty where nobody wrote of it."""
    if code.startswith("DL"):
        return f"https://github.com/hadolint/hadolint/wiki/{code}"
    if code.startswith("SC"):
        return f"https://www.shellcheck.net/wiki/{code}"
    rule = RULES.get(code)
    if rule is None:
        return ""
    return rule.url or _check_url(code)
