"""Which values are secrets, judged by their names, and how text is shown without them.

Environment variables are where containers get their passwords from, and previews, audit lines and pictures are where
those must not appear. The words are those that docker's, Compose's and the cloud SDKs' documentation use for secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

MASK = "••••••"

# Words are matched whole within NAME_PARTS or camelCase, so that MONKEY or KEYBOARD are not secrets.
_WORDS = frozenset(
    (
        "pwd pass secrets tokens credential credentials creds auth authorization bearer jwt dsn "
        "salt signature pin otp cookie session requirepass"
    ).split()
)
# These are secrets at the end of a longer word, too: PGPASSWORD, SECRETKEY.
_ENDINGS = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
)
_KEY_BEFORE = frozenset(
    ("api access private secret signing encryption master account license ssh aws shared").split()
)
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_ASSIGNMENT = re.compile(r"""([\w.-]{1,128})=('[^']+'|"[^"]+"|[^\s'";&|]+)""")
_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]{0,256}):([^/\s@]{1,1024})@")


def looks_secret(name: str) -> bool:
    """Whether a variable, label or option of this name most likely holds a secret."""
    words = [word.lower() for word in _SPLIT.split(name[:512]) if word]
    for position, word in enumerate(words):
        if word in _WORDS or word.endswith(_ENDINGS):
            return True
        if word in {"key", "keys"} and position and words[position - 1] in _KEY_BEFORE:
            return True
    return False


def masked_value(name: str, value: str) -> str:
    """The value as it may be shown: masked if its name says secret, else without passwords in URLs and options."""
    if value and looks_secret(name):
        return MASK
    if "=" not in value:
        return masked_urls(value)
    # Options in one: addr=10.0.0.1,username=me,password=x for a mount, or -Dpassword=x for a program.
    return ",".join(masked_text(part) for part in masked_urls(value).split(","))


def masked_urls(text: str) -> str:
    """Text with the passwords of URLs (scheme://user:password@host, RFC 3986) masked."""
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", text) if "://" in text else text


def masked_text(text: str) -> str:
    """A script or an argument as it may be shown: --password=x and PGPASSWORD=x in it masked, and passwords in URLs."""
    return _ASSIGNMENT.sub(
        lambda found: f"{found[1]}={MASK}" if looks_secret(found[1]) else found[0],
        masked_urls(text),
    )


def masked_words(words: Sequence[str]) -> Iterator[str]:
    """A command's words as they may be shown: like `masked_text`, and with the words after --password and the like."""
    before = ""
    for word in words:
        is_value = before.startswith("-") and "=" not in before and not word.startswith("-")
        yield MASK if is_value and looks_secret(before) else masked_text(word)
        before = word


def holds_secret(name: str, value: str) -> bool:
    """Whether showing this value would show a secret."""
    return bool(value) and masked_value(name, value) != value


def split_pairs(lines: Iterable[str]) -> list[tuple[str, str]]:
    """NAME=value lines as pairs; a line without = is a name with an empty value."""
    pairs = []
    for line in lines:
        name, _, value = line.partition("=")
        pairs.append((name, value))
    return pairs
