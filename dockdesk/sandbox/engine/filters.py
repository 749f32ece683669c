"""The filters query of list, prune and events calls. Source: Engine API, "filters"."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from dockdesk.sandbox.http import HttpError, Request


class Filters:
    """Filter name → wanted values. All names must match, one of each name's values is enough (labels: all)."""

    def __init__(self, wanted: Mapping[str, list[str]]) -> None:
        self._wanted = wanted

    @classmethod
    def of(cls, request: Request) -> Filters:
        """Raises HttpError 400 where the query is not a JSON object."""
        text = request.first("filters")
        if not text:
            return cls({})
        try:
            data = json.loads(text)
            # Two shapes: {"id": ["a"]}, and the older {"id": {"a": true}}.
            return cls(
                {str(name): [str(value) for value in values] for name, values in data.items()}
            )
        except (ValueError, AttributeError, TypeError):
            raise HttpError(400, "invalid filter") from None

    def __contains__(self, name: str) -> bool:
        return bool(self._wanted.get(name))

    def values(self, name: str) -> list[str]:
        return self._wanted.get(name, [])

    def allows(self, name: str, *actual: str) -> bool:
        """Whether the filter is not given, or one of its values is one of ``actual``."""
        wanted = self._wanted.get(name)
        return not wanted or any(value in actual for value in wanted)

    def starts(self, name: str, *actual: str) -> bool:
        wanted = self._wanted.get(name)
        return not wanted or any(item.startswith(value) for value in wanted for item in actual)

    def holds(self, name: str, *actual: str) -> bool:
        """Whether one of the wanted texts is part of one of ``actual``."""
        wanted = self._wanted.get(name)
        return not wanted or any(value.strip("^$/") in item for value in wanted for item in actual)

    def labels(self, labels: Mapping[str, str]) -> bool:
        return _all_labels(self._wanted.get("label", ()), labels) and not any(
            _all_labels([wanted], labels) for wanted in self._wanted.get("label!", ())
        )

    def boolean(self, name: str) -> bool | None:
        values = self._wanted.get(name)
        return values[0].lower() in {"1", "true"} if values else None


def _all_labels(wanted: Iterable[str], labels: Mapping[str, str]) -> bool:
    for item in wanted:
        key, has_value, value = item.partition("=")
        if key not in labels or (has_value and labels[key] != value):
            return False
    return True
