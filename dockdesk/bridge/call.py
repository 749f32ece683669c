"""A function and its arguments as a value: what can be called in another process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dockdesk.core.records import dataclass
from dockdesk.core.work import Work


@dataclass(frozen=True, slots=True)
class Call:
    """``function(work, *arguments)``, or with an iterator over what ``items`` makes for its last argument.

    ``function`` is of a module that helpers may call (`helper_process.ALLOWED`). ``items`` is walked in the program, as
    far as the function asks for more: large inputs travel a piece at a time. Everything that travels can be pickled.

    A Call is itself something to submit to `Jobs`: it runs on a thread, or with ``process=True`` in a helper.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    items: Callable[[], Iterable[Any]] | None = None

    def __call__(self, work: Work) -> Any:
        fed = [iter(self.items())] if self.items is not None else []
        return self.function(work, *self.arguments, *fed)
