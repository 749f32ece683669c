"""Names with wildcards as Go's filepath.Match reads them: `*`, `?`, `[…]` and a backslash before any of them."""

from __future__ import annotations

import re
from functools import lru_cache

from dockdesk.dockerfile.gopattern import BadPatternError, compile_pattern


def has_wildcards(name: str) -> bool:
    """As fsutil's containsWildcards: an escaped one does not count, nor does a lone “]” or “^”."""
    return re.search(r"(?s)(?:^|[^\\])(?:\\\\)*[*?\[]", name) is not None


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> re.Pattern[str] | None:
    try:
        compiled = compile_pattern(pattern)
    except BadPatternError:
        return None
    text = compiled.text if compiled.kind == "regexp" else f"^{re.escape(pattern)}\\Z"
    return re.compile(text, re.ASCII)


def go_match(pattern: str, name: str) -> bool:
    """Whether a name without slashes matches; never with a malformed pattern."""
    # Two stars mean more only where there are slashes.
    found = _matcher(re.sub(r"\*{2,}", "*", pattern))
    return found is not None and found.search(name) is not None
