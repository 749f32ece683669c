"""The shapes of AWS's older protocols: query and EC2 forms in, XML out; and the frames of event streams.

Sources: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html, aws-ec2-query-protocol.html and
https://smithy.io/2.0/aws/amazon-eventstream.html.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from dockdesk.sandbox.aws.values import When

_DEEPEST = 16
# What XML 1.0 cannot hold at all.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def nested(form: Mapping[str, list[str]]) -> dict[str, Any]:
    """``Filters.member.1.Name=x`` as ``{"Filters": [{"Name": "x"}]}``. Raises ValueError where names contradict."""
    root: dict[str, Any] = {}
    for name, values in form.items():
        *path, last = [part for part in name.split(".") if part not in {"member", "entry"}]
        if len(path) > _DEEPEST:
            raise ValueError("nested too deep")
        node = root
        for part in path:
            inner = node.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{name} is both a value and a structure")
            node = inner
        node[last] = values[-1]
    return {name: _lists(value) for name, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(inner) for key, inner in value.items()}


def to_xml(value: Any, item: str) -> str:
    """The content of an element; lists hold elements called ``item`` (``member`` or ``item``)."""
    if isinstance(value, Mapping):
        return "".join(f"<{k}>{to_xml(v, item)}</{k}>" for k, v in value.items() if v is not None)
    if isinstance(value, list | tuple):
        return "".join(f"<{item}>{to_xml(inner, item)}</{item}>" for inner in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, When):
        return value.iso()
    return escape(_FORBIDDEN.sub("\ufffd", str(value)))


def event_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message of an event stream."""
    block = b"".join(
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", 7, len(text.encode()))
        + text.encode()
        for name, text in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + block + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(kind: str, payload: bytes) -> bytes:
    """An event of the given type with a JSON payload."""
    headers = {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}
    return event_frame(headers, payload)
