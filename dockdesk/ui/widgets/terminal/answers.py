"""Which of an emulator's answers may be sent.

A program's output must never type. Text that an attacker can choose (a window title, the clipboard, a setting) would
come back as input of the shell that printed a hostile log, so only answers of a fixed form, made of numbers, are let
through: device attributes, status, cursor position, mode and size reports and colours. Title reports, OSC 52,
DECRQSS, XTGETTCAP and the like stay without an answer. Source: xterm's ctlseqs; H. D. Moore, "Terminal Emulator
Security Issues" (2003).
"""

from __future__ import annotations

import re

_SAFE = re.compile(
    rb"""
    \x1b\[[?>][0-9;]{1,40}c                   # primary and secondary device attributes
    | \x1b\[0n                                # status: ready
    | \x1b\[\??[0-9]{1,5};[0-9]{1,5}(?:;1)?R  # cursor position
    | \x1b\[\??[0-9]{1,5};[0-4]\$y            # whether a mode is set
    | \x1b\[[468];[0-9]{1,5};[0-9]{1,5}t      # sizes in pixels and cells
    | \x1b\](?:1[0-2]|4;[0-9]{1,3});rgb:[0-9a-fA-F/]{5,14}(?:\x07|\x1b\\)
    """,
    re.VERBOSE,
)

ANSWER_LIMIT = 4096
"""Answers, in bytes, to one slice of output: a flood of queries must not become a flood of input."""


def is_safe(answer: bytes) -> bool:
    """Whether one complete answer may be sent to the program."""
    return _SAFE.fullmatch(answer) is not None
