"""Dataclasses that are cheap to import.

The standard library writes up to seven methods of every class as source and compiles them, a third of a millisecond a
class: a tenth of the time until the first list is there. Here classes share what is alike in all of them, and
`__init__` is compiled when it is first called. What comes out is a dataclass to `dataclasses.replace`, `fields` and
`asdict`, and to type checkers. Source: Python's Lib/dataclasses.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:
    T = TypeVar("T")

    def dataclass(
        *, slots: bool, frozen: bool = False, eq: bool = True
    ) -> Callable[[type[T]], type[T]]:
        """As `dataclasses.dataclass`, for classes with slots; they extend no dataclass of the library's own."""
        if not slots:
            raise TypeError("without slots use dataclasses.dataclass")

        def made_of(plain: type[T]) -> type[T]:
            plain.__doc__ = plain.__doc__ or plain.__name__
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(plain)
            shared = {"__init__": _lazy_init(made), "__repr__": _repr}
            if eq:
                shared |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
                made._compared = _compared(made)
            if frozen:
                shared |= {"__setattr__": _refuse, "__delattr__": _refuse}
                shared |= {"__getstate__": _state, "__setstate__": _set_state}
            for name, method in shared.items():
                if name not in plain.__dict__ or name == "__hash__":
                    setattr(made, name, method)
            return made

        return made_of


def _lazy_init(made: type[Any]) -> Callable[..., None]:
    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807
        made.__init__ = compiled = _compiled_init(made)
        compiled(self, *arguments, **named)

    return __init__


def _compiled_init(made: type[Any]) -> Callable[..., None]:
    """`__init__`, with what it sets and its defaults as names of its scope."""
    scope: dict[str, Any] = {"_missing": dataclasses.MISSING}
    parameters: list[str] = ["self"]
    named: list[str] = []
    body: list[str] = ["pass"]
    for item in dataclasses.fields(made):
        name = value = item.name
        parameter = name
        scope[f"_set_{name}"] = getattr(made, name).__set__
        if item.default is not dataclasses.MISSING:
            scope[f"_default_{name}"] = item.default
            parameter = f"{name}=_default_{name}"
        elif item.default_factory is not dataclasses.MISSING:
            scope[f"_make_{name}"] = item.default_factory
            parameter = f"{name}=_missing"
            value = f"_make_{name}() if {name} is _missing else {name}"
        (named if item.kw_only else parameters).append(parameter)
        body.append(f"_set_{name}(self, {value})")
    head = ", ".join([*parameters, *(["*", *named] if named else [])])
    exec(f"def __init__({head}):\n " + "\n ".join(body), scope)
    made_init: Callable[..., None] = scope["__init__"]
    made_init.__qualname__ = f"{made.__qualname__}.__init__"
    return made_init


def _compared(made: type[Any]) -> Callable[[Any], Any]:
    names = [item.name for item in dataclasses.fields(made) if item.compare]
    return staticmethod(attrgetter(*names) if names else type)


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = self._compared
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _repr(self: Any) -> str:
    shown = (f"{item.name}={getattr(self, item.name)!r}" for item in _fields(self) if item.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(_self: Any, name: str, *_value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, item.name) for item in _fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for item, value in zip(_fields(self), state, strict=True):
        object.__setattr__(self, item.name, value)


def _fields(made: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(made)
