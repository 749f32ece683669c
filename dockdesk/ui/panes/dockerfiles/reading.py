"""One reading of a text for all who want one: completion, cards, checks and views ask for the same at the same time."""

from __future__ import annotations

import threading
from collections import OrderedDict

from dockdesk.dockerfile.syntax import parse
from dockdesk.dockerfile.tree import Document

_KEPT = 4


class Reader:
    """Keeps the last readings. Thread-safe: who asks for a text that is being read waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: OrderedDict[str, Document] = OrderedDict()

    def read(self, text: str) -> Document:
        with self._lock:
            document = self._read.pop(text, None)
            if document is None:
                document = parse(text)
            self._read[text] = document
            while len(self._read) > _KEPT:
                self._read.popitem(last=False)
            return document
