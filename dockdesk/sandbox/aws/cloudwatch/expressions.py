"""Metric math: arithmetic, comparisons and the usual functions over series.

A series is a mapping from time to value; a scalar is a number; METRICS() is a list of series. Points that one side
lacks are left out. Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import itertools
import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from dockdesk.sandbox.aws.values import BadInputError

Points = dict[float, float]
Value = Any  # float | Points | list[Points] | str
_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)|(<=|>=|==|!=|&&|\|\||[-+*/^()<>,\[\]])|\"([^\"]*)\"|'([^']*)')"
)
_LONGEST = 1024
_DEEPEST = 40
_ORDER: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("<", ">", "<=", ">=", "==", "!="),
    ("+", "-"),
    ("*", "/"),
    ("^",),
)


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan


def _power(left: float, right: float) -> float:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return math.nan
    return result if isinstance(result, float | int) else math.nan


_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "^": _power,
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "&&": lambda a, b: float(bool(a) and bool(b)),
    "||": lambda a, b: float(bool(a) or bool(b)),
}


def evaluate(
    expression: str, metrics: Mapping[str, Points], period: int, plain: Collection[str]
) -> Value:
    """The value of an expression; ``metrics`` by their ids, those in ``plain`` being no expressions themselves.

    Raises BadInputError where it can't be understood.
    """
    if len(expression) > _LONGEST:
        raise BadInputError("Invalid metrics expression: too long")
    tokens: list[tuple[str, str]] = []
    at = 0
    text = expression.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadInputError(f"Error in expression: unexpected {text[at : at + 10]!r}")
        at = match.end()
        kind = ("number", "name", "sign", "text", "text")[(match.lastindex or 1) - 1]
        tokens.append((kind, match[match.lastindex or 1]))
    parser = _Parser(tokens, metrics, period, plain)
    value = parser.level(0, 0)
    if parser.at != len(tokens):
        raise BadInputError("Error in expression: something is left over")
    return value


class _Parser:
    def __init__(
        self,
        tokens: list[tuple[str, str]],
        metrics: Mapping[str, Points],
        period: int,
        plain: Collection[str],
    ) -> None:
        self._tokens = tokens
        self._metrics = metrics
        self._period = period
        self._plain = plain
        self.at = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self.at] if self.at < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def _expect(self, sign: str) -> None:
        if self._take() != ("sign", sign):
            raise BadInputError(f"Error in expression: {sign!r} is missing")

    def level(self, order: int, depth: int) -> Value:
        if depth > _DEEPEST:
            raise BadInputError("Error in expression: nested too deep")
        if order == len(_ORDER):
            return self._atom(depth)
        left = self.level(order + 1, depth)
        while self._peek()[0] == "sign" and self._peek()[1] in _ORDER[order]:
            sign = self._take()[1]
            left = _apply(_OPERATORS[sign], left, self.level(order + 1, depth))
        return left

    def _atom(self, depth: int) -> Value:
        kind, text = self._take()
        if kind == "number":
            return float(text)
        if kind == "text":
            return text
        if (kind, text) == ("sign", "("):
            value = self.level(0, depth + 1)
            self._expect(")")
            return value
        if (kind, text) == ("sign", "-"):
            return _apply(operator.sub, 0.0, self._atom(depth + 1))
        if (kind, text) == ("sign", "["):
            return [value for value in self._arguments("]", depth) if isinstance(value, dict)]
        if kind != "name":
            raise BadInputError("Error in expression: a value is missing")
        if self._peek() == ("sign", "("):
            self.at += 1
            return self._call(text.upper(), self._arguments(")", depth))
        if text == "REPEAT":
            return text
        if text not in self._metrics:
            raise BadInputError(f"Error in expression: undefined variable {text!r}")
        return self._metrics[text]

    def _arguments(self, end: str, depth: int) -> list[Value]:
        values: list[Value] = []
        if self._peek() == ("sign", end):
            self.at += 1
            return values
        while True:
            values.append(self.level(0, depth + 1))
            kind, text = self._take()
            if (kind, text) == ("sign", end):
                return values
            if (kind, text) != ("sign", ","):
                raise BadInputError(f"Error in expression: {end!r} is missing")

    def _call(self, name: str, values: list[Value]) -> Value:
        if name == "METRICS":
            wanted = str(values[0]) if values else ""
            return [self._metrics[key] for key in self._plain if wanted in key]
        if name in _REDUCERS and len(values) == 1:
            return _reduce(_REDUCERS[name], values[0])
        if name in _EACH and len(values) == 1:
            return _each(_EACH[name], values[0])
        if name == "FILL" and len(values) == 2:
            return self._fill(values[0], values[1])
        if name == "IF" and len(values) in {2, 3}:
            return _choose(values[0], values[1], values[2] if len(values) == 3 else math.nan)
        if name in {"RATE", "DIFF"} and len(values) == 1 and isinstance(values[0], dict):
            times = sorted(values[0])
            return {
                later: (values[0][later] - values[0][earlier])
                / ((later - earlier) if name == "RATE" else 1)
                for earlier, later in itertools.pairwise(times)
            }
        if name == "PERIOD":
            return float(self._period)
        raise BadInputError(f"Error in expression: the function {name} is not supported here")

    def _fill(self, points: Value, filler: Value) -> Value:
        if not isinstance(points, dict):
            return points
        filled: Points = {}
        last = math.nan
        for time in sorted({time for known in self._metrics.values() for time in known}):
            last = points.get(time, last)
            filled[time] = last if filler == "REPEAT" or time in points else _number(filler)
        return {time: value for time, value in filled.items() if not math.isnan(value)}


_REDUCERS: dict[str, Callable[[list[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "SUM": math.fsum,
    "MIN": min,
    "MAX": max,
}
_EACH: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}


def _apply(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, list):
        return [_apply(function, item, right) for item in left]
    if isinstance(right, list):
        return [_apply(function, left, item) for item in right]
    if isinstance(left, dict) and isinstance(right, dict):
        both = {time: function(value, right[time]) for time, value in left.items() if time in right}
    elif isinstance(left, dict):
        both = {time: function(value, _number(right)) for time, value in left.items()}
    elif isinstance(right, dict):
        both = {time: function(_number(left), value) for time, value in right.items()}
    else:
        return function(_number(left), _number(right))
    return {time: value for time, value in both.items() if not math.isnan(value)}


def _number(value: Value) -> float:
    if not isinstance(value, float | int):
        raise BadInputError("Error in expression: a number is expected")
    return float(value)


def _reduce(function: Callable[[list[float]], float], value: Value) -> Value:
    if isinstance(value, dict):
        return function(list(value.values())) if value else math.nan
    if isinstance(value, list):
        times = sorted({time for points in value for time in points})
        return {
            time: function([points[time] for points in value if time in points]) for time in times
        }
    return value


def _each(function: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, dict):
        return {time: float(function(inner)) for time, inner in value.items()}
    return float(function(_number(value)))


def _choose(condition: Value, yes: Value, no: Value) -> Value:
    if not isinstance(condition, dict):
        return yes if _number(condition) else no
    chosen: Points = {}
    for time, value in condition.items():
        source = yes if value else no
        picked: float = source.get(time, math.nan) if isinstance(source, dict) else _number(source)
        if not math.isnan(picked):
            chosen[time] = picked
    return chosen
