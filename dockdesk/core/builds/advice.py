"""What mends the failures that builds commonly have, told from what the builder and the failing step said.

The table below is tried from the top; the first that fits is the advice. Each entry is a pattern in the messages of
BuildKit, of the classic builder, or of the program that a RUN started, and says what to do in the user's words.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dockdesk.core.records import dataclass

Excluded = Callable[[str], str]
"""Path in the context → the words that say which ignore rule leaves it out, or "" where none does."""


@dataclass(frozen=True, slots=True)
class Advice:
    """``code`` names the kind of failure; ``title`` says what it is and ``text`` what to do.

    ``path`` is the file of the context that it is about, "" where it is about none.
    """

    code: str
    title: str
    text: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    code: str
    pattern: re.Pattern[str]
    title: str
    text: str


def _known(code: str, pattern: str, title: str, text: str) -> _Known:
    return _Known(code, re.compile(pattern, re.IGNORECASE), title, text)


_BUT_LF = r"[^\n]{0,200}"

_EXITED = re.compile(r"(?:exit code:|non-zero code:) (\d{1,3})\b")

# Groups named “what” stand in the title.
_TABLE = (
    _known(
        "disk",
        r"no space left on device|disk quota exceeded|ENOSPC",
        "The disk is full",
        "Free space on the engine's disk: Disk shows what can go, the build cache first of all.",
    ),
    _known(
        "memory",
        r"exit code: 137|returned a non-zero code: 137|cannot allocate memory|"
        r"JavaScript heap out of memory|signal: killed",
        "The step ran out of memory",
        "Give the engine more memory, or build with less at once, such as fewer parallel jobs.",
    ),
    _known(
        "login",
        r"pull access denied|insufficient_scope|authentication required|unauthorized|"
        r"no basic auth credentials|denied: requested access|403 Forbidden(?= while)|access forbidden",
        "The base image can't be fetched without a login",
        "Mend the image's name, or log in to its registry: it gives the same answer for missing and for private ones.",
    ),
    _known(
        "rate",
        r"toomanyrequests|pull rate limit|429 Too Many Requests",
        "The registry has had too many requests",
        "Log in to it, which raises the limit, or try again later.",
    ),
    _known(
        "base",
        r"manifest unknown|failed to resolve source metadata|manifest for \S{1,300} not found|"
        r"\S{1,300}: not found: manifest|repository does not exist|invalid reference format",
        "There is no such base image",
        "Check the name and the tag after FROM, and that it exists for this platform.",
    ),
    _known(
        "platform",
        r"no match for platform in manifest|does not match the (?:specified|detected) platform|exec format error",
        "The image is for another platform",
        "Choose a platform that the base image has. To run another one's programs, the engine needs QEMU (binfmt).",
    ),
    _known(
        "instruction",
        r"unknown instruction: (?P<what>[^\s,]{1,60})",
        "“{what}” is no instruction",
        "Mend its spelling. A long command goes on only after a \\ at the end of the line.",
    ),
    _known(
        "stage",
        r"target stage \"?(?P<what>[^\"\s]{1,80})\"? could not be found|"
        r"failed to reach build target (?P<what2>\S{1,80}) in Dockerfile",
        "There is no stage “{what}”",
        "Choose one of the stages that the file has, as named after AS.",
    ),
    _known(
        "package",
        r"Unable to locate package (?P<what>[^\s]{1,80})|"
        r"E: Package '(?P<what2>[^']{1,80})' has no installation candidate",
        "apt knows no package “{what}”",
        "Run apt-get update in the same RUN, before the install; else mend the name, or the release has none.",
    ),
    _known(
        "package",
        r"(?P<what>[\w.+-]{1,80}) \(no such package\)",
        "apk knows no package “{what}”",
        "Use apk add --no-cache, which reads the newest list; else mend the name, or look in another repository.",
    ),
    _known(
        "package",
        r"No match for argument: (?P<what>[^\s]{1,80})|Unable to find a match: (?P<what2>[^\s]{1,80})",
        "The package “{what}” is not known",
        "Mend its name, or enable the repository that has it.",
    ),
    _known(
        "package",
        r"No matching distribution found for (?P<what>[^\s]{1,80})",
        "pip finds no “{what}”",
        "Mend its name or version; there may be none for this Python or platform.",
    ),
    _known(
        "package",
        r"npm (?:ERR!|error) (?:code )?E?404" + _BUT_LF + r"|notarget No matching version found for (?P<what>\S{1,80})",
        "npm finds a package no more",
        "Mend its name or version in package.json, or log in to the registry that has it.",
    ),
    _known(
        "lock",
        r"npm ci`? can only install|package-lock\.json" + _BUT_LF + r"(?:not in sync|in sync)|"
        r"Your lockfile needs to be updated|ERR_PNPM_OUTDATED_LOCKFILE|"
        r"poetry\.lock" + _BUT_LF + r"changed significantly",
        "The lock file does not fit the list of packages",
        "Bring it up to date outside of the build, and keep both together.",
    ),
    _known(
        "network",
        r"Temporary failure (?:in name resolution|resolving)|Could not resolve (?:host|'[^']{1,80}')|"
        r"getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|no such host|bad address '|i/o timeout|"
        r"TLS handshake timeout|Connection (?:timed out|refused)|network is unreachable|"
        r"temporary error \(try again later\)",
        "The network did not answer",
        "Check the connection, DNS, and a proxy (HTTP_PROXY as a build argument). "
        "The network “host” avoids the engine's own.",
    ),
    _known(
        "certificate",
        r"certificate signed by unknown authority|unable to get local issuer certificate|"
        r"certificate verify failed|SELF_SIGNED_CERT",
        "A certificate is not trusted",
        "Add the authority's certificate before the step that needs it, such as with ca-certificates.",
    ),
    _known(
        "secret",
        r"secret (?P<what>[\w./-]{1,80}): not found|"
        r"secret (?:with id )?\"?(?P<what2>[\w./-]{1,80})\"? (?:is required|not found)",
        "The build has no secret “{what}”",
        "Give it one under this id: Build…, Secrets.",
    ),
    _known(
        "ssh",
        r"unset ssh forward key|no SSH key|could not read Username for|Permission denied \(publickey",
        "The build has no ssh agent",
        "Pass one on: Build…, Secrets, ssh “default”. An agent with the key must run here.",
    ),
    _known(
        "permission",
        r"permission denied|EACCES|Operation not permitted|are you root\?",
        "A program was not allowed to do it",
        "Make a script executable (COPY --chmod=755), run the step before USER, or give files away (COPY --chown).",
    ),
    _known(
        "command",
        r"(?:^|[\s:])(?P<what>[\w./-]{1,80}): (?:command )?not found|"
        r"exec: \"(?P<what2>[^\"]{1,80})\": executable file not found",
        "The base image has no “{what}”",
        "Install it in an earlier step, or choose a base image that has it.",
    ),
    _known(
        "command",
        r"(?:exit code:|non-zero code:) 127\b",
        "A program of the step is not there",
        "Install it in an earlier step, or choose a base image that has it.",
    ),
)  # fmt: skip

_MISSING = (
    re.compile(
        r"failed to (?:compute cache key|calculate checksum)[^\n]{0,300}?"
        r"\"(?P<path>[^\"\n]{1,500})\"[^\n]{0,20}not found"
    ),
    re.compile(r"failed to walk [^\n]{0,300}?: (?:lstat|stat) (?P<path>[^\n:]{1,500}): no such file"),
    re.compile(r"(?:COPY|ADD) failed: file not found in build context[^\n]{0,100}: stat (?P<path>[^\n:]{1,500}):"),
    re.compile(
        r"(?:COPY|ADD) failed: (?:stat|lstat) (?:\S{0,200}?/docker-builder\d{1,20}/)?"
        r"(?P<path>[^\n:]{1,500}): no such file"
    ),
    re.compile(r"(?:COPY|ADD) failed: no source files were specified"),
    re.compile(r"copier: stat: \"(?P<path>[^\"\n]{1,500})\": no such file"),
)  # fmt: skip


def advise(
    message: str, log: str = "", text: str = "", excluded: Excluded = lambda _path: ""
) -> Advice | None:
    """What to do about a failure, where that is known.

    ``message`` is the builder's, ``log`` the end of the failing step's, ``text`` the failing instruction. ``excluded``
    tells which ignore rule leaves a file out.
    """
    if (missing := _missing_file(message, text, excluded)) is not None:
        return missing
    # Of a program that failed, the builder knows the exit code alone; 137 says more than what it wrote.
    exited = _EXITED.search(message)
    by_program = exited is not None and exited[1] != "137"
    for said in (log, message) if by_program else (message, log):
        # What was said last explains the end best.
        tail = said[-16_384:]
        for known in _TABLE:
            found = list(known.pattern.finditer(tail))
            if found:
                return _filled(known, found[-1])
    return None


def _filled(known: _Known, match: re.Match[str]) -> Advice:
    groups = match.groupdict()
    what = groups.get("what") or groups.get("what2") or ""
    title = known.title.format(what=what) if what else known.title.replace("“{what}”", "such thing")
    return Advice(known.code, title, known.text)


def _missing_file(message: str, text: str, excluded: Excluded) -> Advice | None:
    match = next((found for each in _MISSING if (found := each.search(message))), None)
    if match is None:
        return None
    path = (match.groupdict().get("path") or "").strip().lstrip("/")
    if "--from" in text:
        return Advice(
            "stage-file",
            f"“{path}” is not in the stage that it is copied from",
            "Check where the earlier stage puts it: relative paths begin at / in COPY --from.",
        )
    rule = excluded(path) if path else ""
    if rule:
        return Advice(
            "ignored",
            f"“{path}” is left out of the build context",
            f"{rule} excludes it. Take the line out, or add an exception below it: !{path}",
            path,
        )
    return Advice(
        "missing",
        f"“{path}” is not in the build context"
        if path
        else "The files are not in the build context",
        "Check its spelling, upper and lower case too. It is relative to the context folder, and can't lead out of it.",
        path,
    )
