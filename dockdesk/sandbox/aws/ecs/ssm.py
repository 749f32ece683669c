"""Messages of the Session Manager's data channel, which ECS Exec talks over.

Source: aws/session-manager-plugin, src/message/clientmessage.go (layout and types)
"""

from __future__ import annotations

import hashlib
import json
import struct
import uuid
from dataclasses import field
from typing import Any

from dockdesk.core.records import dataclass

INPUT, OUTPUT = "input_stream_data", "output_stream_data"
ACKNOWLEDGE, CLOSED = "acknowledge", "channel_closed"
# Types of payload.
DATA, SIZE, HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE, FLAG = 1, 3, 5, 6, 7, 10
TERMINATE_SESSION = 2

_HEADER = struct.Struct(">I32sIQqQ16s32sI")
_HEADER_LENGTH = 116


class MessageError(ValueError):
    """Not a message of the data channel."""


@dataclass(slots=True)
class Message:
    """``kind`` is the message's type, ``payload_type`` that of what it carries; ``created`` in ms since 1970."""

    kind: str
    sequence: int
    payload: bytes
    payload_type: int = 0
    created: int = 0
    flags: int = 0
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    def encode(self) -> bytes:
        name = self.id.bytes
        head = _HEADER.pack(
            _HEADER_LENGTH,
            self.kind.encode().ljust(32),
            1,
            self.created,
            self.sequence,
            self.flags,
            name[8:] + name[:8],
            hashlib.sha256(self.payload).digest(),
            self.payload_type,
        )
        return head + struct.pack(">I", len(self.payload)) + self.payload


def decode(data: bytes) -> Message:
    """Raises MessageError."""
    if len(data) < _HEADER.size + 4:
        raise MessageError("too short")
    _, kind, _, created, sequence, flags, name, digest, payload_type = _HEADER.unpack_from(data)
    (length,) = struct.unpack_from(">I", data, _HEADER.size)
    payload = data[_HEADER.size + 4 :]
    if len(payload) != length or (payload and hashlib.sha256(payload).digest() != digest):
        raise MessageError("the payload is not what the header says")
    text = kind.decode("ascii", "replace").strip("\x00 ")
    return Message(
        text, sequence, payload, payload_type, created, flags, uuid.UUID(bytes=name[8:] + name[:8])
    )


def acknowledgement(message: Message, created: int) -> Message:
    told = {
        "AcknowledgedMessageType": message.kind,
        "AcknowledgedMessageId": str(message.id),
        "AcknowledgedMessageSequenceNumber": message.sequence,
        "IsSequentialMessage": True,
    }
    return Message(ACKNOWLEDGE, 0, json.dumps(told).encode(), 0, created, 3)


def fields(payload: bytes) -> dict[str, Any]:
    """A payload that is a JSON object. Raises MessageError."""
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise MessageError(str(error)) from None
    if not isinstance(value, dict):
        raise MessageError("not an object")
    return value
