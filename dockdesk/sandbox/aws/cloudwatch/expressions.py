"""Metric math: arithmetic, comparisons, searches and functions over series.

A series is a mapping from time to value; a scalar is a number; METRICS() and SEARCH() are lists of series. Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.cloudwatch.functions import Points, Value, apply, call
from dockdesk.sandbox.aws.values import BadInputError

# Of (search, statistic, period in s, 0 for the query's own): the series that a search expression finds.
Search = Callable[[str, str, int], list[Points]]
# Words that some functions take as they stand.
_CONSTANTS = {"REPEAT", "LINEAR", "AVG", "SUM", "MIN", "MAX", "ASC", "DESC"}
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


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can refer to: ``metrics`` by their ids, those in ``plain`` being no expressions themselves.

    ``grid`` are the times asked for, ``period`` apart, in s.
    """

    metrics: Mapping[str, Points]
    plain: Collection[str]
    period: int
    grid: Sequence[float]
    search: Search


def evaluate(expression: str, scope: Scope) -> Value:
    """The value of an expression. Raises BadInputError where it can't be understood."""
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
    parser = _Parser(tokens, scope)
    value = parser.level(0, 0)
    if parser.at != len(tokens):
        raise BadInputError("Error in expression: something is left over")
    return value


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], scope: Scope) -> None:
        self._tokens = tokens
        self._scope = scope
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
            left = apply(_OPERATORS[sign], left, self.level(order + 1, depth))
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
            return apply(operator.sub, 0.0, self._atom(depth + 1))
        if (kind, text) == ("sign", "["):
            return [value for value in self._arguments("]", depth) if isinstance(value, dict)]
        if kind != "name":
            raise BadInputError("Error in expression: a value is missing")
        if self._peek() == ("sign", "("):
            self.at += 1
            return self._call(text.upper(), self._arguments(")", depth))
        if text in self._scope.metrics:
            return self._scope.metrics[text]
        if text not in _CONSTANTS:
            raise BadInputError(f"Error in expression: undefined variable {text!r}")
        return text

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
        scope = self._scope
        if name == "METRICS":
            wanted = str(values[0]) if values else ""
            return [
                scope.metrics[key] for key in scope.metrics if key in scope.plain and wanted in key
            ]
        if (
            name == "SEARCH"
            and len(values) in {2, 3}
            and all(isinstance(one, str) for one in values[:2])
        ):
            period = values[2] if len(values) == 3 else 0
            if not isinstance(period, float | int):
                raise BadInputError("Error in expression: a period is a number of seconds")
            return scope.search(values[0], values[1], int(period))
        if name == "PERIOD":
            return float(scope.period)
        return call(name, values, scope.grid)
