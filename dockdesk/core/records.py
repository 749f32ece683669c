"""Dataclasses that are cheap to import.

The standard library writes up to seven methods of every class as source and compiles them, a third of a millisecond a
class: a tenth of the time until the first list is there. Here classes share what is alike in all of them, and
`__init__` is compiled when it is first called. What comes out is a dataclass to `dataclasses.replace`, `fields` and
`asdict`, and to type checkers. Source: Python's Lib/dataclasses.py.
"""

from __future__ import annotations

import dataclasses
import threading
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
            made = _with_slots(plain)
            shared = {"__init__": _lazy_init(made), "__repr__": _repr}
            if eq:
                shared |= {"__eq__": _eq, "__hash__": _hash if frozen else None}
                made._compared = _Compared()
            if frozen:
                shared |= {"__setattr__": _refuse, "__delattr__": _refuse}
                shared |= {"__getstate__": _state, "__setstate__": _set_state}
            for name, method in shared.items():
                if name not in plain.__dict__ or name == "__hash__":
                    setattr(made, name, method)
            return made

        return made_of


def _with_slots(plain: type[Any]) -> type[Any]:
    """``plain`` once more, with a slot for each of its fields; what else there is to know of them can wait."""
    names = [
        name
        for name, kind in vars(plain).get("__annotations__", {}).items()
        if not str(kind).startswith("ClassVar")
    ]
    content = dict(plain.__dict__)
    for name in ("__dict__", "__weakref__"):
        content.pop(name, None)
    defaults = {name: content.pop(name, None) for name in names}
    inherited = {name for base in plain.__mro__ for name in getattr(base, "__slots__", ())}
    positional = [name for name in names if _positional(defaults[name])]
    content["__slots__"] = tuple(name for name in names if name not in inherited)
    content["__match_args__"] = (*getattr(plain, "__match_args__", ()), *positional)
    content["__dataclass_fields__"] = _Fields(plain)
    made: type[Any] = type.__call__(type(plain), plain.__name__, plain.__bases__, content)
    made.__qualname__ = plain.__qualname__
    return made


def _positional(default: Any) -> bool:
    if not isinstance(default, dataclasses.Field):
        return True
    return default.init and default.kw_only is not True


_FIELDS = "__dataclass_fields__"
_lock = (
    threading.RLock()
)  # the library changes a class while it looks at it, and a base may be looked at on the way


class _Fields:
    """`__dataclass_fields__`, which the library finds out when somebody first asks for it."""

    def __init__(self, plain: type[Any]) -> None:
        self._plain = plain

    def __get__(self, _instance: object, owner: type[Any]) -> Any:
        with _lock:
            for made in owner.__mro__:
                if made.__dict__.get(_FIELDS) is self:
                    known: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(
                        self._plain
                    )
                    type.__setattr__(made, "__dataclass_params__", known.__dataclass_params__)
                    type.__setattr__(made, _FIELDS, known.__dataclass_fields__)
        return getattr(owner, _FIELDS)


class _Compared:
    """`_compared`, which gets all values of an instance that are compared; made when it is first needed."""

    def __get__(self, _instance: object, owner: type[Any]) -> Any:
        for made in owner.__mro__:
            if made.__dict__.get("_compared") is self:
                names = [item.name for item in _fields(made) if item.compare]
                getter = attrgetter(*names) if names else type
                type.__setattr__(made, "_compared", staticmethod(getter))
        return owner._compared


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
