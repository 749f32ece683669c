"""What each instruction, flag, mount and directive does, in short, and what it means for cache and size.

Own words; every entry names the section of the Dockerfile reference it sums up.
"""

from __future__ import annotations

from typing import NamedTuple

URL = "https://docs.docker.com/reference/dockerfile/"


class Entry(NamedTuple):
    """``anchor`` is the section's place in the reference, ``section`` its heading."""

    syntax: str
    text: str
    cache: str
    size: str
    section: str
    anchor: str


_NO_LAYER = "Metadata alone: it adds no layer and no bytes."
_NO_RUN = "BuildKit runs nothing again for it; the classic builder and Podman run what stands below it again."

INSTRUCTIONS: dict[str, Entry] = {
    "FROM": Entry(
        "FROM [--platform=<platform>] <image>[:<tag>|@<digest>] [AS <name>]",
        "Begins a stage on an image, an earlier stage or scratch (nothing). The last stage is what is built, unless "
        "another target is asked for. Variables come from the ARGs above the first FROM.",
        "The base is found by its digest: when the tag moves, everything in this stage runs again. A digest pins it.",
        "The base's layers are all kept. Only the last stage's count, so compilers belong into an earlier one.",
        "FROM",
        "from",
    ),
    "RUN": Entry(
        'RUN [OPTIONS] <command>  or  RUN [OPTIONS] ["<executable>", "<argument>"]',
        "Runs a command in the image so far and keeps what it changes as a layer. The shell form goes through "
        "/bin/sh -c (see SHELL); a heredoc takes several lines.",
        "Kept as long as its text, the ARGs and ENVs it sees and everything above are the same; that a remote package "
        "changed is not noticed. Files of mounts count by content, cache mounts not at all.",
        "What is written stays in the layer, even when a later RUN deletes it: clean up in the same RUN, or use a "
        "cache mount.",
        "RUN",
        "run",
    ),
    "COPY": Entry(
        'COPY [OPTIONS] <source>… <destination>  or  COPY [OPTIONS] ["<source>", "<destination>"]',
        "Copies files and folders of the build context, or of another stage or image with --from. A folder's contents "
        "are copied, not the folder itself. Relative destinations begin at WORKDIR; one ending in / is a folder.",
        "Kept while the files' contents, modes and owners are the same; times do not count. Copy what changes rarely "
        "(lists of dependencies) before what changes often.",
        "A layer as large as the files. Changing owner or mode in a later RUN doubles it: use --chown and --chmod.",
        "COPY",
        "copy",
    ),
    "ADD": Entry(
        'ADD [OPTIONS] <source>… <destination>  or  ADD [OPTIONS] ["<source>", "<destination>"]',
        "As COPY, and more: sources may be URLs or Git repositories, and local tar archives are unpacked. For plain "
        "files COPY says better what is meant.",
        "Local files count by content. A URL is asked whether it changed (or is pinned by --checksum), a Git source by "
        "its commit.",
        "A layer as large as what is added. An archive downloaded by ADD stays in the image even if a RUN unpacks and "
        "deletes it.",
        "ADD",
        "add",
    ),
    "ENV": Entry(
        "ENV <name>=<value> …",
        "Sets environment variables for the instructions below and for the containers later. A value sees the names "
        "as they were before this instruction.",
        "Changing a value runs again every RUN below it and what else uses it.",
        _NO_LAYER + " The values can be read from the image: no place for secrets.",
        "ENV",
        "env",
    ),
    "ARG": Entry(
        "ARG <name>[=<default>] …",
        "Declares a value the build may be given with --build-arg; RUN sees it as an environment variable, containers "
        "do not. It counts from its line to the end of the stage (and in stages built on it). Before the first FROM it "
        "is global: for FROM lines, and for stages that repeat it as ARG <name>.",
        "Another value runs again from the first RUN below it on, used there or not: declare it late.",
        _NO_LAYER + " The value shows in the image's history: no place for secrets.",
        "ARG",
        "arg",
    ),
    "LABEL": Entry(
        "LABEL <key>=<value> …",
        "Adds metadata such as org.opencontainers.image.source. Labels of the base are kept, the same key is replaced.",
        _NO_RUN + " Labels that change at each build (a date, a commit) belong to the end.",
        _NO_LAYER,
        "LABEL",
        "label",
    ),
    "EXPOSE": Entry(
        "EXPOSE <port>[/<tcp|udp|sctp>] …",
        "Says which ports the program listens on. It publishes nothing: that is run -p, or -P for all of these.",
        _NO_RUN,
        _NO_LAYER,
        "EXPOSE",
        "expose",
    ),
    "CMD": Entry(
        'CMD ["<executable>", "<argument>"]  or  CMD <command>',
        "What a container runs unless told otherwise; after an ENTRYPOINT in exec form its default arguments. Only the "
        "last one counts. In shell form a shell is process 1, and signals to stop do not reach the program.",
        _NO_RUN,
        _NO_LAYER,
        "CMD",
        "cmd",
    ),
    "ENTRYPOINT": Entry(
        'ENTRYPOINT ["<executable>", "<argument>"]  or  ENTRYPOINT <command>',
        "What a container always runs; CMD or run's arguments are added to the exec form. The shell form takes no "
        "arguments and gets no signals: begin it with exec. It resets the base's CMD.",
        _NO_RUN,
        _NO_LAYER,
        "ENTRYPOINT",
        "entrypoint",
    ),
    "WORKDIR": Entry(
        "WORKDIR <path>",
        "The folder for RUN, CMD, ENTRYPOINT, COPY and ADD below; made if it is missing. A relative path goes on from "
        "the last one.",
        "Changing it runs every instruction below again.",
        "An empty folder at most.",
        "WORKDIR",
        "workdir",
    ),
    "USER": Entry(
        "USER <user>[:<group>]  or  USER <uid>[:<gid>]",
        "Who runs the RUNs below and the container. COPY does not heed it: use --chown. Numbers work without an entry "
        "in /etc/passwd.",
        "Changing it runs every RUN below again.",
        _NO_LAYER,
        "USER",
        "user",
    ),
    "VOLUME": Entry(
        'VOLUME <path> …  or  VOLUME ["<path>"]',
        "Marks folders whose contents live outside of the container: each container gets an anonymous volume there "
        "unless one is mounted. It cannot be taken back in an image built on this one.",
        _NO_RUN,
        _NO_LAYER + " Each container's data takes space of its own.",
        "VOLUME",
        "volume",
    ),
    "HEALTHCHECK": Entry(
        "HEALTHCHECK [OPTIONS] CMD <command>  or  HEALTHCHECK NONE",
        "A command run in the container at intervals: exit status 0 is healthy, 1 is not. NONE turns off the base's. "
        "Only the last one counts. Podman wants images in Docker's format for it.",
        _NO_RUN,
        _NO_LAYER + " The program it runs must be in the image.",
        "HEALTHCHECK",
        "healthcheck",
    ),
    "SHELL": Entry(
        'SHELL ["<executable>", "<argument>"]',
        "The shell for the shell forms below; on Linux /bin/sh -c by default. With bash, -o pipefail makes a RUN fail "
        "when any part of a pipe does.",
        "Changing it runs every shell-form RUN below again.",
        _NO_LAYER,
        "SHELL",
        "shell",
    ),
    "STOPSIGNAL": Entry(
        "STOPSIGNAL <signal>",
        "The signal that asks the container to end: a name (SIGQUIT) or a number. The default is SIGTERM.",
        _NO_RUN,
        _NO_LAYER,
        "STOPSIGNAL",
        "stopsignal",
    ),
    "ONBUILD": Entry(
        "ONBUILD <instruction>",
        "Keeps an instruction for images built on this one: it runs right after their FROM, once, and not for theirs.",
        "Costs nothing here; in the image built on this one it counts as if written there.",
        _NO_LAYER,
        "ONBUILD",
        "onbuild",
    ),
    "MAINTAINER": Entry(
        "MAINTAINER <name>",
        'Deprecated. Use LABEL org.opencontainers.image.authors="…", which tools can read.',
        _NO_RUN,
        _NO_LAYER,
        "MAINTAINER (deprecated)",
        "maintainer-deprecated",
    ),
}

_CHMOD = (
    "--chmod=<octal|symbolic>",
    "Sets the files' mode while copying: 0755, or symbolic as u=rwX,go=rX (Dockerfile 1.14).",
    "Changing it copies again.",
    "Spares a RUN chmod, which would keep every file twice.",
)
_CHOWN = (
    "--chown=<user>[:<group>]",
    "Sets the files' owner while copying; without it they are root's. Names are looked up in the image's "
    "/etc/passwd, numbers need none.",
    "Changing it copies again.",
    "Spares a RUN chown, which would keep every file twice.",
)
_LINK = (
    "--link[=<true|false>]",
    "Puts the files into a layer of their own that does not depend on what is below. Links at the destination are "
    "not followed.",
    "Stays cached even when the layers below change: a new base needs no new copy.",
    "The same bytes; the layer is shared between images on different bases.",
)
_EXCLUDE = (
    "--exclude=<pattern>",
    "Leaves out what the pattern matches; may be given several times.",
    "Files left out no longer count.",
    "Smaller by what is left out.",
)


def _flag(parts: tuple[str, str, str, str], keyword: str, name: str) -> Entry:
    section = f"{keyword} --{name}"
    return Entry(*parts, section, section.lower().replace(" ", "-"))


def _plain(syntax: str, text: str) -> Entry:
    return Entry(syntax, text, _NO_RUN, _NO_LAYER, "HEALTHCHECK", "healthcheck")


FLAGS: dict[tuple[str, str], Entry] = {
    ("FROM", "platform"): Entry(
        "--platform=<os>/<arch>[/<variant>]",
        "The platform of the base, where it is built for several: linux/amd64, or $BUILDPLATFORM to compile natively "
        "for $TARGETPLATFORM. The default is the target's.",
        "Each platform has its own cache.",
        "That platform's image alone.",
        "FROM",
        "from",
    ),
    ("COPY", "from"): _flag(
        (
            "--from=<stage|number|image|context>",
            "Copies from another stage (above this one), an image or a named context instead of the build context. "
            "Paths begin at its root. Variables are not expanded here.",
            "Copies again only when the files taken differ, however the stage was rebuilt.",
            "Only what is copied counts; the stage itself is left behind.",
        ),
        "COPY",
        "from",
    ),
    ("COPY", "parents"): _flag(
        (
            "--parents[=<true|false>]",
            "Keeps the sources' folders below the destination; a /./ in a source says from where on. ** matches "
            "folders of any depth.",
            "As for COPY.",
            "As for COPY, in one layer instead of several.",
        ),
        "COPY",
        "parents",
    ),
    ("ADD", "checksum"): _flag(
        (
            "--checksum=sha256:<hash>  or  --checksum=<commit>",
            "Refuses a download whose content differs from the hash, or a Git source at another commit.",
            "Pins the content: nothing is fetched while it is in the cache.",
            "No difference.",
        ),
        "ADD",
        "checksum",
    ),
    ("ADD", "keep-git-dir"): _flag(
        (
            "--keep-git-dir[=<true|false>]",
            "Keeps the .git folder of a Git source.",
            "The folder's content counts too.",
            "Larger by the repository's history.",
        ),
        "ADD",
        "keep-git-dir",
    ),
    ("ADD", "unpack"): _flag(
        (
            "--unpack[=<true|false>]",
            "Whether tar archives are unpacked: local ones are by default, downloaded ones are not.",
            "As for ADD.",
            "The unpacked files instead of the archive.",
        ),
        "ADD",
        "unpack",
    ),
    ("RUN", "mount"): _flag(
        (
            "--mount=type=<bind|cache|tmpfs|secret|ssh>,<option>=<value>,…",
            "Gives this one command files that do not go into the image: the context, another stage, a cache that "
            "lasts, a secret, the SSH agent.",
            "Bound files count by content; caches, secrets and sockets do not.",
            "Nothing below a mount is kept in the layer.",
        ),
        "RUN",
        "mount",
    ),
    ("RUN", "network"): _flag(
        (
            "--network=<default|none|host>",
            "The network the command sees. none makes sure that it uses only what is there; host must be allowed for "
            "the build.",
            "Changing it runs the command again.",
            "No difference.",
        ),
        "RUN",
        "network",
    ),
    ("RUN", "security"): _flag(
        (
            "--security=<sandbox|insecure>",
            "insecure runs the command without sandbox, as run --privileged does; the build must be allowed to.",
            "Changing it runs the command again.",
            "No difference.",
        ),
        "RUN",
        "security",
    ),
    ("RUN", "device"): _flag(
        (
            "--device=<name>[,required]",
            "Gives the command a CDI device, such as a GPU (labs syntax, BuildKit 0.20); the build must be allowed to.",
            "Changing it runs the command again.",
            "No difference.",
        ),
        "RUN",
        "device",
    ),
    ("HEALTHCHECK", "interval"): _plain(
        "--interval=<duration>", "The time between two checks. Default 30s."
    ),
    ("HEALTHCHECK", "timeout"): _plain(
        "--timeout=<duration>",
        "A check that takes longer is ended and counts as failed. Default 30s.",
    ),
    ("HEALTHCHECK", "start-period"): _plain(
        "--start-period=<duration>",
        "Failures within this time after the start do not count. Default 0s.",
    ),
    ("HEALTHCHECK", "start-interval"): _plain(
        "--start-interval=<duration>",
        "The time between checks while starting. Default 5s; Engine 25 and later.",
    ),
    ("HEALTHCHECK", "retries"): _plain(
        "--retries=<number>", "So many failures in a row make the container unhealthy. Default 3."
    ),
    **{
        (keyword, name): _flag(parts, keyword, name)
        for keyword in ("COPY", "ADD")
        for name, parts in (
            ("chmod", _CHMOD),
            ("chown", _CHOWN),
            ("link", _LINK),
            ("exclude", _EXCLUDE),
        )
    },
}


def _mount(kind: str, syntax: str, text: str, cache: str, size: str) -> Entry:
    return Entry(
        f"--mount=type={kind},{syntax}",
        text,
        cache,
        size,
        f"RUN --mount=type={kind}",
        f"run---mounttype{kind}",
    )


MOUNTS: dict[str, Entry] = {
    "bind": _mount(
        "bind",
        "target=<path>[,source=<path>][,from=<stage|image>][,rw]",
        "Shows files of the context, a stage or an image at a path, read-only unless rw; what is written there is "
        "thrown away. The default type.",
        "The files seen count by content.",
        "Nothing is copied into the layer: cheaper than COPY for what only this command needs.",
    ),
    "cache": _mount(
        "cache",
        "target=<path>[,id=<name>][,sharing=<shared|private|locked>][,uid=…,gid=…,mode=…]",
        "A folder that outlives the build, for package managers and compilers. It may be empty or changed by other "
        "builds at any time. sharing=locked lets one build at a time in, as apt needs.",
        "Its contents never make the command run again; the id (the target by default) says which builds share it.",
        "Stays out of the image: no cleaning up in the same RUN is needed.",
    ),
    "tmpfs": _mount(
        "tmpfs",
        "target=<path>[,size=<bytes>]",
        "An empty folder in memory, gone after the command.",
        "Does not count.",
        "Nothing of it is kept.",
    ),
    "secret": _mount(
        "secret",
        "id=<name>[,target=<path>][,env=<variable>][,required=true]",
        "A secret the build is given: a file below /run/secrets, or an environment variable with env. Without "
        "required=true a missing one is silently left out.",
        "Its value does not count: a new secret alone runs nothing again.",
        "Never in a layer nor in the history.",
    ),
    "ssh": _mount(
        "ssh",
        "[id=<name>][,required=true]",
        "The caller's SSH agent, for git clone and the like; the build must be given --ssh.",
        "Does not count.",
        "Keys never enter the image.",
    ),
}

OPTIONS: dict[str, str] = {
    "type": "What kind of mount: bind (the default), cache, tmpfs, secret or ssh.",
    "target": "The path in the container; a relative one begins at WORKDIR.",
    "source": "The path within what is mounted; its root by default.",
    "from": "The stage, image or named context that is mounted; the build context by default. No variables.",
    "id": "The name builds share a cache by, or that of the secret or agent.",
    "sharing": "Several builds at once: shared (all write), private (each its own) or locked (one waits).",
    "readonly": "Nothing can be written.",
    "readwrite": "Can be written; for bind mounts it is thrown away afterwards.",
    "required": "The build fails where the secret or agent is not given.",
    "env": "The environment variable that holds the secret.",
    "size": "The most a tmpfs may hold: 64m, 1g.",
    "mode": "The mode in octal of a new cache folder (0755), secret (0400) or socket (0600).",
    "uid": "The owner's number; 0 by default.",
    "gid": "The group's number; 0 by default.",
}
OPTION_ALIASES = {
    "dst": "target",
    "destination": "target",
    "src": "source",
    "ro": "readonly",
    "rw": "readwrite",
}

DIRECTIVES: dict[str, Entry] = {
    "syntax": Entry(
        "# syntax=<image>",
        "The frontend that reads this file: docker/dockerfile:1 is the newest stable one, fetched before the build, so "
        "that new features work with an older engine.",
        "A new frontend may read the same file differently; a full version pins it.",
        "No difference.",
        "syntax",
        "syntax",
    ),
    "escape": Entry(
        "# escape=\\  or  # escape=`",
        "The character that continues lines and escapes others. ` lets Windows paths keep their backslashes.",
        "No difference.",
        "No difference.",
        "escape",
        "escape",
    ),
    "check": Entry(
        "# check=skip=<checks|all>[;error=<true|false>]",
        "Which of BuildKit's checks are left out, and whether one that fails ends the build.",
        "No difference.",
        "No difference.",
        "check",
        "check",
    ),
}

# Names that BuildKit sets, and what they hold.
AUTOMATIC: dict[str, str] = {
    "TARGETPLATFORM": "the platform built for, as linux/arm64/v8",
    "TARGETOS": "its operating system, as linux",
    "TARGETARCH": "its architecture, as amd64 or arm64",
    "TARGETVARIANT": "its variant, as v7; empty for most",
    "TARGETOSVERSION": "its version, for Windows",
    "TARGETSTAGE": "the stage that is built",
    "BUILDPLATFORM": "the platform the build runs on",
    "BUILDOS": "its operating system",
    "BUILDARCH": "its architecture",
    "BUILDVARIANT": "its variant",
    "BUILDOSVERSION": "its version, for Windows",
}
