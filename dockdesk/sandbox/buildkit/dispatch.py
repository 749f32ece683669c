"""From instructions to the graph: each instruction changes a stage's state, and some add a step.

Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go; Dockerfile reference.
"""

from __future__ import annotations

import contextlib
import json
import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dockdesk.sandbox.buildkit.bench import StepError
from dockdesk.sandbox.buildkit.copying import Copy
from dockdesk.sandbox.buildkit.dockerfile import (
    DockerfileError,
    Instruction,
    heredoc_names,
    parse,
    without_heredocs,
)
from dockdesk.sandbox.buildkit.expand import Expander
from dockdesk.sandbox.buildkit.ops import CopyOp, FolderOp, Op
from dockdesk.sandbox.buildkit.running import Command, MountSpec, RunOp, mount_of
from dockdesk.sandbox.buildkit.stages import Stage, lines_of
from dockdesk.sandbox.buildkit.states import History, Options, State, nanoseconds
from dockdesk.sandbox.engine.filesystem import clean

_PROXIES = {
    name
    for word in ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")
    for name in (word, word.upper())
}


class Dispatch:
    """Works the instructions of one stage off. ``source`` gives the graph's node for a stage, an image or the context."""

    def __init__(
        self,
        stage: Stage,
        state: State,
        options: Options,
        source: Callable[[str, Sequence[str], Instruction], Op | None],
    ) -> None:
        self.stage = stage
        self.state = state
        self._options = options
        self._source = source

    def run(self) -> State:
        """Do all of it. Raises StepError."""
        for instruction in self.instructions():
            self.do(instruction)
        return self.state

    def instructions(self) -> list[Instruction]:
        """Those of the stage, after what its base has for whoever builds on it."""
        triggers = self.state.config.pop("OnBuild", None) or ()
        found = [one for text in triggers for one in parse(str(text)).instructions]
        return [*found, *self.stage.steps]

    def do(self, instruction: Instruction) -> None:
        """Raises StepError."""
        handler = getattr(self, f"_{instruction.keyword.lower()}")
        try:
            handler(instruction)
        except DockerfileError as error:
            text = f"failed to process {json.dumps(instruction.rest)}: {error.message}"
            raise StepError(text, lines_of(instruction)) from None
        except StepError as error:
            error.lines = error.lines or lines_of(instruction)
            raise

    @property
    def _nocache(self) -> bool:
        asked = self._options.nocache
        return asked is not None and (
            "" in asked or self.stage.name in asked or str(self.stage.index) in asked
        )

    def _expander(self, **options: bool) -> Expander:
        return Expander(self.state.variables, self._options.escape, **options)

    def _word(self, text: str) -> str:
        return self._expander().word(text)

    def _words(self, instruction: Instruction) -> list[str]:
        given = instruction.words
        return (
            [self._word(word) for word in given]
            if given is not None
            else self._expander().words(instruction.rest)
        )

    def _shown(self, instruction: Instruction) -> str:
        """An instruction as it is told of, what is known filled in."""
        text = instruction.text
        with contextlib.suppress(DockerfileError):  # then it is told as it is written
            text = self._expander(raw=True, keep=True).word(text)
        word = instruction.word
        return instruction.keyword + text[len(word) :]

    def _note(self, text: str, op: Op | None = None) -> None:
        self.state.history.append(History(text, op))

    # --- what makes layers ---

    def _run(self, instruction: Instruction) -> None:
        state, mounts, inputs = self.state, list[MountSpec](), [self.state.op]
        for name, value in instruction.flags:
            if name == "mount":
                spec, source = mount_of(self._word(value), state.folder)
                if spec.kind == "bind":
                    node = self._source(source, [spec.source], instruction)
                    inputs.append(node)
                    spec = _with_input(spec, len(inputs) - 1)
                mounts.append(spec)
            elif name not in {"network", "security"}:
                raise StepError(
                    f"dockerfile parse error on line {instruction.first}: unknown flag: --{name}"
                )
        words, script = self._command(instruction)
        declared = [
            f"{key}={value}" for key, value in state.arguments.items() if key not in state.env
        ]
        env = (
            *(item for item in declared if item.partition("=")[0] not in _PROXIES),
            *(state.config.get("Env") or ()),
        )
        shown = " ".join(words) if not script else f"{words[0]} {words[1]} {script.strip()}"
        command = Command(
            tuple(words), script, shown, env, state.folder, str(state.config.get("User") or ""), tuple(mounts),
            self._options.hosts, self._options.shm,
        )  # fmt: skip
        told = self._shown(instruction)
        if instruction.heredocs:
            told = f"{told} ({_summary(instruction.heredocs[0].content)})"
        prefix = f"|{len(declared)} {' '.join(declared)} " if declared else ""
        text = f"RUN {prefix}{shown} # buildkit"
        state.op = RunOp(
            self.stage.prefix(told),
            inputs,
            command,
            text,
            state.image,
            lines_of(instruction),
            self._nocache,
        )
        self._note(text, state.op)

    def _command(self, instruction: Instruction) -> tuple[list[str], str]:
        """The words to start, and the script of a bare here-document."""
        given = instruction.words
        if given is not None and not instruction.heredocs:
            return given, ""
        shell = list(self.state.config.get("Shell") or ("/bin/sh", "-c"))
        if not instruction.heredocs:
            return [*shell, instruction.rest], ""
        rest = without_heredocs(instruction.rest)
        if not rest and len(instruction.heredocs) == 1:
            return [*shell, ""], instruction.heredocs[0].content
        lines = [instruction.rest]
        lines += [heredoc.content + heredoc.name for heredoc in instruction.heredocs]
        return [*shell, "\n".join(lines)], ""

    def _copy(self, instruction: Instruction) -> None:
        self._copied(instruction, instruction.flag("from"), False)

    def _add(self, instruction: Instruction) -> None:
        self._copied(instruction, "", True)

    def _copied(self, instruction: Instruction, source: str, unpack: bool) -> None:
        state = self.state
        words = self._words(instruction)
        if len(words) < 2:
            what = (
                f"{instruction.keyword} requires at least two arguments, but only one was provided"
            )
            raise StepError(
                f"dockerfile parse error on line {instruction.first}: {what}. Destination could not be determined"
            )
        *sources, target = words
        names = heredoc_names(instruction.rest)
        inline = []
        for heredoc in instruction.heredocs:
            content = (
                self._word_of_document(heredoc.content) if heredoc.expands else heredoc.content
            )
            inline.append((heredoc.name, content))
        plain = [
            one
            for one in sources
            if not (one.startswith("<<") and one.lstrip("<-").strip("\"'") in names)
        ]
        if any(one.startswith(("http://", "https://", "git@", "git://")) for one in plain):
            raise StepError(f"failed to load cache key: the sandbox reaches no network: {plain[0]}")
        place = posixpath.join(state.folder, target)
        if target in {".", "./"} or target.endswith(("/", "/.")):
            place = clean(place).rstrip("/") + "/"
        else:
            place = clean(place)
        mode = self._word(instruction.flag("chmod"))
        if mode and set(mode) - set("01234567"):
            raise StepError(
                f"invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777"
            )
        copy = Copy(
            tuple(clean(one) for one in plain),
            place,
            self._word(instruction.flag("chown")),
            int(mode, 8) if mode else -1,
            unpack,
            instruction.has("parents"),
            tuple(self._word(value) for name, value in instruction.flags if name == "exclude"),
            tuple(inline),
        )
        node = self._source(self._word(source), copy.sources, instruction) if plain else None
        text = (
            f"{instruction.keyword} {instruction.text[len(instruction.word) :].strip()} # buildkit"
        )
        told = self._shown(instruction)
        state.op = CopyOp(
            self.stage.prefix(told),
            state.op,
            node,
            copy,
            text,
            lines_of(instruction),
            self._nocache,
        )
        self._note(text, state.op)

    def _word_of_document(self, text: str) -> str:
        return self._expander(raw=True).word(text)

    def _workdir(self, instruction: Instruction) -> None:
        folder = clean(posixpath.join(self.state.folder, self._word(instruction.rest)))
        self.state.config["WorkingDir"] = folder
        text = f"WORKDIR {folder}"
        self.state.op = FolderOp(
            self.stage.prefix(self._shown(instruction)), self.state.op, folder, text, lines_of(instruction), self._nocache
        )  # fmt: skip
        self._note(text, self.state.op)

    # --- what changes the configuration alone ---

    def _arg(self, instruction: Instruction) -> None:
        for word in self._expander().words(instruction.rest):
            name, equals, value = word.partition("=")
            if name in self._options.arguments:
                self.state.arguments[name] = self._options.arguments[name]
            elif equals:
                self.state.arguments[name] = value
            elif name in self._options.globals:
                self.state.arguments[name] = self._options.globals[name]
            self._note(f"ARG {word}")

    def _pairs(self, instruction: Instruction) -> dict[str, str]:
        rest = instruction.rest
        first = re.split(r"\s", rest, maxsplit=1)
        if "=" not in first[0]:
            if len(first) < 2:
                what = f"{instruction.keyword} must have two arguments"
                raise StepError(f"dockerfile parse error on line {instruction.first}: {what}")
            return {self._word(first[0]): self._word(first[1].strip())}
        pairs: dict[str, str] = {}
        for word in self._expander().words(rest):
            name, equals, value = word.partition("=")
            if not equals:
                text = f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value'
                raise StepError(f"dockerfile parse error on line {instruction.first}: {text}")
            pairs[name] = value
        return pairs

    def _env(self, instruction: Instruction) -> None:
        pairs = self._pairs(instruction)
        env = {**self.state.env, **pairs}
        self.state.config["Env"] = [f"{name}={value}" for name, value in env.items()]
        self._note("ENV " + " ".join(f"{name}={value}" for name, value in pairs.items()))

    def _label(self, instruction: Instruction) -> None:
        pairs = self._pairs(instruction)
        self.state.config["Labels"] = {**(self.state.config.get("Labels") or {}), **pairs}
        self._note("LABEL " + " ".join(f"{name}={value}" for name, value in pairs.items()))

    def _maintainer(self, instruction: Instruction) -> None:
        self._note(f"MAINTAINER {instruction.rest}")

    def _user(self, instruction: Instruction) -> None:
        self.state.config["User"] = self._word(instruction.rest)
        self._note(f"USER {self.state.config['User']}")

    def _expose(self, instruction: Instruction) -> None:
        ports: dict[str, Any] = {}
        for word in self._expander().words(instruction.rest):
            number, _, protocol = word.partition("/")
            first, _, last = number.partition("-")
            if not first.isdigit() or (last and not last.isdigit()) or int(first) > 65535:
                raise StepError(f"invalid containerPort: {number}")
            end = min(int(last or first), int(first) + 1000)
            ports |= {
                f"{port}/{protocol.lower() or 'tcp'}": {} for port in range(int(first), end + 1)
            }
        self.state.config["ExposedPorts"] = {
            **(self.state.config.get("ExposedPorts") or {}),
            **ports,
        }
        self._note("EXPOSE map[" + " ".join(f"{port}:{{}}" for port in sorted(ports)) + "]")

    def _volume(self, instruction: Instruction) -> None:
        paths = self._words(instruction)
        self.state.config["Volumes"] = {
            **(self.state.config.get("Volumes") or {}),
            **{path: {} for path in paths},
        }
        self._note(f"VOLUME [{' '.join(paths)}]")

    def _form(self, instruction: Instruction, rest: str = "") -> list[str]:
        words = instruction.words
        if words is not None and not rest:
            return words
        return [*(self.state.config.get("Shell") or ("/bin/sh", "-c")), rest or instruction.rest]

    def _cmd(self, instruction: Instruction) -> None:
        self.state.config["Cmd"] = self._form(instruction)
        self._note(f"CMD {json.dumps(self.state.config['Cmd'])}")

    def _entrypoint(self, instruction: Instruction) -> None:
        self.state.config["Entrypoint"] = self._form(instruction)
        # A base's CMD is meant for the base's entrypoint.
        if not any(
            line.text.startswith("CMD ")
            and line.layer is None
            and line.op is None
            and not line.created
            for line in self.state.history
        ):
            self.state.config["Cmd"] = None
        self._note(f"ENTRYPOINT {json.dumps(self.state.config['Entrypoint'])}")

    def _shell(self, instruction: Instruction) -> None:
        if instruction.words is None:
            raise StepError(
                f"dockerfile parse error on line {instruction.first}: SHELL requires the arguments to be in JSON form"
            )
        self.state.config["Shell"] = instruction.words
        self._note(f"SHELL [{' '.join(instruction.words)}]")

    def _stopsignal(self, instruction: Instruction) -> None:
        self.state.config["StopSignal"] = self._word(instruction.rest)
        self._note(f"STOPSIGNAL {self.state.config['StopSignal']}")

    def _onbuild(self, instruction: Instruction) -> None:
        self.state.config.setdefault("OnBuild", []).append(instruction.rest)
        self._note(f"ONBUILD {instruction.rest}")

    def _healthcheck(self, instruction: Instruction) -> None:
        word, _, rest = instruction.rest.partition(" ")
        check: dict[str, Any] = {}
        if word.upper() == "NONE":
            check["Test"] = ["NONE"]
        elif word.upper() == "CMD" and rest.strip():
            inner = Instruction("CMD", "CMD", rest, rest.strip())
            check["Test"] = (
                ["CMD", *inner.words] if inner.words is not None else ["CMD-SHELL", rest.strip()]
            )
        else:
            raise StepError(
                f'dockerfile parse error on line {instruction.first}: unknown type "{word.upper()}" in HEALTHCHECK (try CMD)'
            )
        names = {
            "interval": "Interval",
            "timeout": "Timeout",
            "start-period": "StartPeriod",
            "start-interval": "StartInterval",
        }
        for name, value in instruction.flags:
            if name == "retries":
                check["Retries"] = int(value) if value.isdigit() else 3
            elif name in names:
                check[names[name]] = nanoseconds(value)
        self.state.config["Healthcheck"] = check
        self._note(f"HEALTHCHECK {json.dumps(check)}")


def _with_input(spec: MountSpec, number: int) -> MountSpec:
    return replace(spec, input=number)


def _summary(text: str) -> str:
    lines = text.strip().splitlines()
    return (lines[0] if lines else "") + ("..." if len(lines) > 1 else "")
