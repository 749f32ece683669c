"""What is worth knowing about an image: bytes that don't show, large files, files that give rights, left caches."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence

from dockdesk.core.dissection.model import (
    ANYONE_WRITES,
    DEVICE,
    FILE,
    FOLDER,
    HARD_LINK,
    LINK,
    SETGID,
    SETUID,
    STICKY,
    Found,
    Report,
    Waste,
)
from dockdesk.core.dissection.replay import Content, Node, Replay, State

LISTED = 300

_HOME = r"(?:root|home/[^/]+)"
CACHES: Sequence[tuple[str, str]] = (
    (
        r"var/lib/apt/lists",
        "apt's package lists: end the same RUN with rm -rf /var/lib/apt/lists/*, or use a cache mount",
    ),
    (r"var/cache/apt", "apt's packages: apt-get clean in the same RUN, or a cache mount"),
    (r"var/cache/apk", "apk's index and packages: apk add --no-cache"),
    (r"var/cache/(?:yum|dnf|libdnf5)", "dnf's packages: dnf clean all in the same RUN"),
    (r"var/cache/zypp", "zypper's packages: zypper clean --all in the same RUN"),
    (r"var/cache/pacman/pkg", "pacman's packages: pacman -Scc --noconfirm in the same RUN"),
    (_HOME + r"/\.cache/pip", "pip's downloads: pip install --no-cache-dir, or a cache mount"),
    (_HOME + r"/\.cache/(?:uv|pypoetry)", "Python packages: use a cache mount for it"),
    (_HOME + r"/\.npm/_cacache", "npm's downloads: npm cache clean --force, or a cache mount"),
    (
        r"(?:usr/local/share/\.cache/yarn|" + _HOME + r"/\.cache/yarn)",
        "Yarn's downloads: yarn cache clean, or a cache mount",
    ),
    (_HOME + r"/\.local/share/pnpm/store", "pnpm's store: use a cache mount for it"),
    (_HOME + r"/\.cache/go-build", "Go's build cache: build in a stage of its own"),
    (
        r"(?:go|" + _HOME + r"/go)/pkg/mod/cache",
        "Go's module downloads: build in a stage of its own",
    ),
    (
        r"(?:usr/local/cargo|" + _HOME + r"/\.cargo)/registry",
        "Cargo's registry: build in a stage of its own",
    ),
    (_HOME + r"/\.m2/repository", "Maven's repository: build in a stage of its own"),
    (_HOME + r"/\.gradle/caches", "Gradle's caches: build in a stage of its own"),
    (_HOME + r"/\.composer/cache", "Composer's downloads: composer install --no-cache"),
    (_HOME + r"/\.cache", "A cache of some program"),
    (r"(?:var/)?tmp", "Temporary files"),
)
_CACHE = re.compile("|".join(f"(?P<c{at}>{pattern})" for at, (pattern, _) in enumerate(CACHES)))


def report_of(replay: Replay) -> Report:
    """The figures of all layers that were applied."""
    alive = {content for content in replay.contents if content.uses}
    final = sorted(
        ((node.path, node.state) for node in replay.root.standing() if node.state is not None),
        key=lambda item: item[0],
    )
    waste = waste_of(content for content in replay.contents if not content.uses)
    writable = [_found(path, state) for path, state in final if _anyone_writes(state)]
    return Report(
        sum(content.size for content in replay.contents),
        sum(content.size for content in alive),
        sum(state.entry.kind in (FILE, HARD_LINK) for _, state in final),
        tuple(waste[:LISTED]),
        len(waste),
        _biggest(final),
        tuple(
            _found(path, state, _rights(state.entry.mode))
            for path, state in final
            if state.entry.kind in (FILE, HARD_LINK) and state.entry.mode & (SETUID | SETGID)
        )[:LISTED],
        tuple(writable[:LISTED]),
        len(writable),
        _caches(replay.root),
    )


def waste_of(gone: Iterable[Content]) -> list[Waste]:
    """By path what its bytes that don't show take, the most first."""
    by_node: dict[Node, list[Content]] = {}
    for content in gone:
        if content.size:
            by_node.setdefault(content.node, []).append(content)
    waste = [
        Waste(
            "/" + node.path,
            sum(content.size for content in contents),
            tuple(sorted({content.layer + 1 for content in contents})),
            tuple(sorted({content.ended + 1 for content in contents})),
            any(content.removed for content in contents),
            any(content.same for content in contents),
        )
        for node, contents in by_node.items()
    ]
    return sorted(waste, key=lambda item: (-item.size, item.path))


def _biggest(final: Sequence[tuple[str, State]]) -> tuple[Found, ...]:
    files = [item for item in final if item[1].entry.kind == FILE and item[1].size]
    largest = heapq.nlargest(LISTED, files, key=lambda item: item[1].size)
    return tuple(_found(path, state) for path, state in largest)


def _caches(root: Node) -> tuple[Found, ...]:
    """Folders that hold what was needed during the build only."""
    found: list[Found] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.state is None or node.state.entry.kind != FOLDER:
            continue
        match = _CACHE.fullmatch(node.path)
        if match is None:
            if node.path.count("/") < 5:
                waiting.extend(node.children.values())
            continue
        below = [item.state for item in node.standing() if item.state is not None]
        size = sum(state.size for state in below if state.entry.kind == FILE)
        if size:
            kind = match.lastgroup or "c0"
            layer = max(state.origin for state in below if state.size) + 1
            found.append(Found("/" + node.path, size, layer, CACHES[int(kind[1:])][1]))
    return tuple(sorted(found, key=lambda item: -item.size))


def _anyone_writes(state: State) -> bool:
    entry = state.entry
    if entry.kind in (LINK, DEVICE) or not entry.mode & ANYONE_WRITES:
        return False
    return entry.kind != FOLDER or not entry.mode & STICKY


def _rights(mode: int) -> str:
    names = [word for bit, word in ((SETUID, "setuid"), (SETGID, "setgid")) if mode & bit]
    return " and ".join(names)


def _found(path: str, state: State, note: str = "") -> Found:
    note = note or f"{state.entry.mode & 0o7777:04o}"
    return Found("/" + path, state.size, state.layer + 1, note)
