"""The fields of the run form in sections: everything people use of `docker run`, with checks at the field."""

from __future__ import annotations

from dockdesk.core.forms import Choice, Field, FieldKind
from dockdesk.core.records import dataclass
from dockdesk.runspec import checks
from dockdesk.runspec.checks import each_line, optional

_TEXT, _LINES, _CHECK = FieldKind.TEXT, FieldKind.MULTILINE, FieldKind.CHECK
_DURATION = optional(checks.duration_problem)
_SIZE = optional(checks.size_problem)


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the run form."""

    id: str
    title: str
    fields: tuple[Field, ...]


def _lines(id: str, title: str, example: str, check: checks.Check, help: str = "") -> Field:
    return Field(id, title, _LINES, placeholder=example, check=check, help=help or "One a line.")


SECTIONS: tuple[Section, ...] = (
    Section(
        "general",
        "General",
        (
            Field(
                "image",
                "Image",
                FieldKind.EDITABLE_CHOICE,
                required=True,
                placeholder="nginx:1.27",
                check=optional(checks.image_problem),
            ),
            Field(
                "name",
                "Name",
                _TEXT,
                placeholder="chosen by the engine",
                check=optional(checks.name_problem),
            ),
            Field(
                "command",
                "Command",
                _TEXT,
                placeholder="the image's own",
                help="Words as in a shell.",
                check=optional(checks.words_problem),
            ),
            Field(
                "entrypoint",
                "Entrypoint",
                _TEXT,
                placeholder="the image's own",
                help='Write "" for none.',
                check=optional(checks.words_problem),
            ),
            Field(
                "pull",
                "Pull the image",
                FieldKind.CHOICE,
                default="missing",
                choices=(
                    Choice("missing", "When it is missing"),
                    Choice("always", "Always"),
                    Choice("never", "Never"),
                ),
            ),
            Field(
                "platform",
                "Platform",
                FieldKind.EDITABLE_CHOICE,
                placeholder="the engine's own",
                choices=(
                    Choice("linux/amd64", "linux/amd64"),
                    Choice("linux/arm64", "linux/arm64"),
                ),
                check=optional(checks.platform_problem),
            ),
            Field("auto_remove", "Remove it when it ends", _CHECK, default=False),
            Field("tty", "Terminal (TTY)", _CHECK, default=False),
            Field("interactive", "Keep standard input open", _CHECK, default=False),
            Field(
                "init",
                "Run an init process",
                _CHECK,
                default=False,
                help="It reaps zombies and passes signals on.",
            ),
        ),
    ),
    Section(
        "network",
        "Ports and network",
        (
            _lines(
                "ports",
                "Published ports",
                "8080:80",
                each_line(checks.port_problem),
                "host:container a line.",
            ),
            Field("publish_all", "Publish all exposed ports", _CHECK, default=False),
            _lines("expose", "Exposed ports", "9000/tcp", each_line(checks.expose_problem)),
            Field("network", "Network", FieldKind.EDITABLE_CHOICE, placeholder="bridge"),
            _lines("network_aliases", "Names on the network", "db", each_line(lambda _: None)),
            Field("ip", "IP address", _TEXT, check=optional(checks.address_problem)),
            Field("hostname", "Host name", _TEXT),
            _lines("dns", "DNS servers", "1.1.1.1", each_line(checks.address_problem)),
            _lines("add_hosts", "Extra hosts", "db:10.0.0.5", each_line(checks.host_problem)),
        ),
    ),
    Section(
        "storage",
        "Files",
        (
            _lines(
                "volumes",
                "Volumes and binds",
                "data:/var/lib/data\n./site:/srv:ro",
                each_line(checks.volume_problem),
                "source:/target[:ro], one a line.",
            ),
            _lines(
                "tmpfs", "Temporary file systems", "/run:size=64m", each_line(checks.tmpfs_problem)
            ),
            Field("read_only", "Read-only root file system", _CHECK, default=False),
            Field("workdir", "Working folder", _TEXT, placeholder="the image's own"),
            Field(
                "shm_size",
                "Shared memory (/dev/shm)",
                _TEXT,
                placeholder="64m",
                check=_SIZE,
            ),
        ),
    ),
    Section(
        "environment",
        "Environment",
        (
            _lines("env", "Variables", "NAME=value", each_line(checks.env_problem)),
            Field(
                "env_file", "Variables from a file", FieldKind.OPEN_FILE, help="Read when you run."
            ),
            _lines("labels", "Labels", "com.example.team=web", each_line(checks.pair_problem)),
        ),
    ),
    Section(
        "limits",
        "Limits and restart",
        (
            Field(
                "memory",
                "Memory",
                _TEXT,
                placeholder="no limit, or 512m",
                check=optional(checks.memory_problem),
            ),
            Field(
                "memory_swap",
                "Memory and swap",
                _TEXT,
                placeholder="twice the memory; -1: no limit",
                check=optional(checks.swap_problem),
            ),
            Field(
                "cpus",
                "CPUs",
                FieldKind.DECIMAL,
                default=0.0,
                minimum=0,
                maximum=1024,
                help="0: no limit.",
            ),
            Field(
                "cpu_shares", "CPU shares", FieldKind.NUMBER, default=0, minimum=0, maximum=262_144
            ),
            Field(
                "pids_limit",
                "Processes at most",
                FieldKind.NUMBER,
                default=0,
                minimum=-1,
                maximum=4_194_304,
            ),
            _lines("ulimits", "Ulimits", "nofile=1024:2048", each_line(checks.ulimit_problem)),
            Field(
                "gpus",
                "GPUs",
                _TEXT,
                placeholder="none; all, 1 or device=0",
                check=optional(checks.gpus_problem),
            ),
            Field(
                "restart",
                "Restart",
                FieldKind.EDITABLE_CHOICE,
                choices=tuple(
                    Choice(word, word)
                    for word in ("no", "always", "unless-stopped", "on-failure:3")
                ),
                check=optional(checks.restart_problem),
            ),
            Field("stop_signal", "Stop signal", _TEXT, placeholder="SIGTERM"),
            Field(
                "stop_timeout",
                "Stop timeout",
                _TEXT,
                placeholder="10",
                unit="s",
                check=_DURATION,
            ),
        ),
    ),
    Section(
        "health",
        "Health",
        (
            Field(
                "health_cmd", "Health command", _TEXT, placeholder="curl -fsS localhost || exit 1"
            ),
            Field(
                "health_interval",
                "Interval",
                _TEXT,
                placeholder="30s",
                check=_DURATION,
            ),
            Field(
                "health_timeout",
                "Timeout",
                _TEXT,
                placeholder="30s",
                check=_DURATION,
            ),
            Field(
                "health_start_period",
                "Start period",
                _TEXT,
                placeholder="0s",
                check=_DURATION,
            ),
            Field(
                "health_retries", "Retries", FieldKind.NUMBER, default=0, minimum=0, maximum=1000
            ),
            Field("no_healthcheck", "Ignore the image's health check", _CHECK, default=False),
        ),
    ),
    Section(
        "security",
        "User and security",
        (
            Field("user", "User", _TEXT, placeholder="the image's own", help="name or uid[:gid]."),
            Field(
                "privileged",
                "Privileged",
                _CHECK,
                default=False,
                help="Full access to the host: only if you must.",
            ),
            _lines("cap_add", "Add capabilities", "NET_ADMIN", each_line(lambda _: None)),
            _lines("cap_drop", "Drop capabilities", "ALL", each_line(lambda _: None)),
            _lines(
                "security_opt", "Security options", "no-new-privileges", each_line(lambda _: None)
            ),
            _lines("devices", "Devices", "/dev/ttyUSB0", each_line(lambda _: None)),
            _lines("sysctls", "Sysctls", "net.core.somaxconn=1024", each_line(checks.pair_problem)),
            Field("pid_mode", "PID namespace", _TEXT, placeholder="its own; host"),
            Field("ipc_mode", "IPC namespace", _TEXT, placeholder="its own; host"),
            Field("log_driver", "Log driver", _TEXT, placeholder="the engine's own"),
            _lines("log_options", "Log options", "max-size=10m", each_line(checks.pair_problem)),
        ),
    ),
)

FIELDS: tuple[Field, ...] = tuple(field for section in SECTIONS for field in section.fields)
