"""Changes to an ignore file that a user asks for by pointing at a file: its text before and after."""

from __future__ import annotations

from dockdesk.dockerfile.gopattern import WHITE, clean
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.secrets import escaped


def pattern_for(path: str) -> str:
    """A rule that matches this path alone."""
    # At a line's beginning or end these mean something else, or nothing; what is in a class is left alone.
    if path[0] not in WHITE and path[-1] not in WHITE:
        made = escaped(path)
        return f"\\{made}" if made.startswith(("#", "!")) else made
    return "".join(_classed(char) for char in path)


def _classed(char: str) -> str:
    """One character, in a form that stands for itself wherever it stands."""
    if char in WHITE or char in "|{}":
        return f"[{char}]"
    return f"\\{char}" if char in "*?[]\\^+()#!" else char


def with_line(text: str, line: str) -> str:
    """The text with one more rule at its end, where it has the last word."""
    if any(each.strip() == line for each in text.split("\n")) and not _later(text, line):
        return text
    gap = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{gap}{line}\n"


def leave_out(text: str, path: str) -> str:
    """The text with which ``path`` stays behind; an exception made for it alone is taken back."""
    rules = IgnoreRules.parse(text)
    decided = rules.deciding(path)
    if decided is not None and decided.exception and decided.text == clean(pattern_for(path)):
        shorter = _without(text, decided.line)
        if IgnoreRules.parse(shorter).list.matches(path):
            return shorter
    return with_line(text, pattern_for(path))


def send_after_all(text: str, path: str) -> str:
    """The text with which ``path`` is sent: without the rule for it alone, else with an exception."""
    decided = IgnoreRules.parse(text).deciding(path)
    if decided is not None and not decided.exception and decided.text == clean(pattern_for(path)):
        shorter = _without(text, decided.line)
        if not IgnoreRules.parse(shorter).list.matches(path):
            return shorter
    return with_line(text, f"!{pattern_for(path)}")


def rule_text(text: str, line: int) -> str:
    """A rule as it is written; empty for a line that isn't there."""
    lines = text.split("\n")
    return lines[line].strip() if 0 <= line < len(lines) else ""


def _without(text: str, line: int) -> str:
    lines = text.split("\n")
    del lines[line]
    return "\n".join(lines)


def _later(text: str, line: str) -> bool:
    """Whether something stands after the last such line that could take it back."""
    after = [each.strip() for each in text.split("\n")]
    last = len(after) - 1 - after[::-1].index(line)
    sign = line.startswith("!")
    return any(
        each and not each.startswith("#") and each.startswith("!") != sign
        for each in after[last + 1 :]
    )
