"""Files that should not go into an image: keys, tokens and passwords, and what only makes a context big.

Whoever can pull an image can read every file of every layer, also what a later step removed. Names tell most of it; a
few names (.npmrc, *.pem) are harmless or not by what stands inside.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

READ_LIMIT = 64 * 1024  # bytes of a file that are looked at


class Finding(NamedTuple):
    """Why a file is thought a secret, and the line of .dockerignore that keeps it back.

    ``line`` is empty where other files of that name are harmless: its whole path is the line then.
    """

    why: str
    line: str


class _Rule(NamedTuple):
    name: re.Pattern[str]
    why: str
    inside: re.Pattern[bytes] | None = None
    parent: str = ""
    anywhere: str = ""  # the line, where the file's own name would not do


def _rule(name: str, why: str, inside: str = "", parent: str = "", anywhere: str = "") -> _Rule:
    return _Rule(
        re.compile(name, re.IGNORECASE),
        why,
        re.compile(inside.encode(), re.IGNORECASE | re.MULTILINE) if inside else None,
        parent,
        anywhere,
    )


_PRIVATE_KEY = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"
_FILES = [
    _rule(
        r"\.env(?:\.(?!(?:.*\.)?(?:example|sample|template|dist|defaults?)$).+)?",
        "holds settings of one machine, and its passwords",
    ),
    _rule(r".*\.env", "holds settings of one machine, and its passwords", r"(secret|passw|token|key)\w*\s*="),
    _rule(r"id_(rsa|dsa|ecdsa|ed25519)(_sk)?", "is a private SSH key"),
    _rule(r".*\.pem", "holds a private key", _PRIVATE_KEY),
    _rule(r".*\.key", "holds a private key", rf"{_PRIVATE_KEY}|^[0-9a-f]{{32,}}\s*$"),
    _rule(r".*\.ppk", "is a private SSH key", anywhere="**/*.ppk"),
    _rule(r".*\.(p12|pfx)", "is a key store with a private key"),
    _rule(r".*\.(jks|keystore)", "is a Java key store"),
    _rule(r".*\.kdbx?", "is a password safe", anywhere="**/*.kdbx"),
    _rule(r"credentials", "holds access keys of AWS", parent=".aws", anywhere="**/.aws"),
    _rule(r"config", "holds logins of Kubernetes clusters", parent=".kube", anywhere="**/.kube"),
    _rule(r"kubeconfig|.*\.kubeconfig|kubeconfig\.ya?ml", "holds logins of Kubernetes clusters"),
    _rule(r"config\.json", "holds logins of registries", r'"(auth|identitytoken)"\s*:\s*"', ".docker", "**/.docker"),
    _rule(r"\.dockercfg", "holds logins of registries"),
    _rule(r"\.npmrc", "holds a token of a package registry", r"(_authToken|_password|_auth)\s*="),
    _rule(r"\.yarnrc\.yml", "holds a token of a package registry", r"npmAuth(Token|Ident)\s*:"),
    _rule(r"\.pypirc", "holds a password of a package index", r"^\s*password\s*[:=]"),
    _rule(r"pip\.conf", "holds a password of a package index", r"://[^/\s:@]+:[^/\s@]+@"),
    _rule(r"nuget\.config", "holds a password of a package feed", r"(ClearText)?Password"),
    _rule(r"auth\.json", "holds a token of a package registry", r"(oauth|http-basic|bearer)", "", ""),
    _rule(r"\.git-credentials", "holds passwords of Git servers"),
    _rule(r"[._]netrc", "holds passwords of servers"),
    _rule(r"\.pgpass|\.my\.cnf", "holds passwords of a database"),
    _rule(r"\.htpasswd", "holds password hashes"),
    _rule(r"\.vault[-_]?(token|pass(word)?)(\.txt)?|vault[-_]pass(word)?(\.txt)?", "opens a vault of secrets"),
    _rule(r".*\.tfstate(\..*)?", "holds the state of Terraform, passwords in clear", anywhere="**/*.tfstate*"),
    _rule(r".*\.tfvars(\.json)?", "holds variables of Terraform", r"(secret|passw|token|key)\w*\"?\s*[:=]"),
    _rule(r"application_default_credentials\.json", "holds a login of Google Cloud"),
    _rule(r".*\.json", "is a key of a Google Cloud service account", r'"private_key"\s*:\s*"-----BEGIN'),
    _rule(r"secrets?\.(ya?ml|json|toml)", "is named as if it held secrets"),
    _rule(r"local\.settings\.json", "holds settings and keys of one machine"),
]  # fmt: skip
_ANY = re.compile("|".join(f"(?:{rule.name.pattern})" for rule in _FILES), re.IGNORECASE)
# Only these are opened: every other .json would be as well.
_JSON_KEYS = re.compile(
    r".*(service|account|credential|firebase|gcp|google|key|sa)[^/]*\.json", re.IGNORECASE
)
_FOLDERS = {
    ".git": Finding("holds the whole history, with all that was ever removed from it", ".git"),
    ".ssh": Finding("holds SSH keys", "**/.ssh"),
    ".gnupg": Finding("holds private keys", "**/.gnupg"),
}


def secret_file(name: str, parent: str, read: Callable[[], bytes | None]) -> Finding | None:
    """Why the file is thought a secret. ``parent`` is its folder's name.

    ``read`` gives the first READ_LIMIT bytes, or None where that fails; it is called for few names only.
    """
    if not _ANY.fullmatch(name):
        return None
    for rule in _FILES:
        if not rule.name.fullmatch(name) or (rule.parent and rule.parent != parent):
            continue
        if rule.inside is not None:
            if rule.name.pattern == r".*\.json" and not _JSON_KEYS.fullmatch(name):
                continue
            data = read()
            if data is not None and not rule.inside.search(data):
                continue
        by_name = "" if rule.inside else f"**/{escaped(name)}"
        return Finding(rule.why, rule.anywhere or by_name)
    return None


def secret_folder(name: str) -> Finding | None:
    """Why a folder is thought one of secrets as a whole."""
    return _FOLDERS.get(name)


class Junk(NamedTuple):
    """A folder or file that no build needs: made anew by the build, or of one person's tools."""

    why: str
    line: str


_JUNK = {
    "node_modules": Junk("installed packages: the build installs its own", "**/node_modules"),
    "__pycache__": Junk("compiled for this computer's Python", "**/__pycache__"),
    ".pytest_cache": Junk("a cache of tests", "**/.pytest_cache"),
    ".mypy_cache": Junk("a cache of type checks", "**/.mypy_cache"),
    ".ruff_cache": Junk("a cache of checks", "**/.ruff_cache"),
    ".tox": Junk("environments of tests", "**/.tox"),
    ".nox": Junk("environments of tests", "**/.nox"),
    ".venv": Junk("a virtual environment of this computer", "**/.venv"),
    ".idea": Junk("settings of an editor", "**/.idea"),
    ".vscode": Junk("settings of an editor", "**/.vscode"),
    ".vs": Junk("settings of an editor", "**/.vs"),
    ".next": Junk("made by the build", "**/.next"),
    ".nuxt": Junk("made by the build", "**/.nuxt"),
    ".gradle": Junk("a cache of the build", "**/.gradle"),
    ".terraform": Junk("downloaded plug-ins", "**/.terraform"),
    ".svn": Junk("data of version control", "**/.svn"),
    ".hg": Junk("data of version control", "**/.hg"),
    "coverage": Junk("a report of tests", "**/coverage"),
    ".nyc_output": Junk("a report of tests", "**/.nyc_output"),
}
# Folders with everyday names are junk only beside the file that says who makes them.
_MADE_BY = {
    "target": (("Cargo.toml", "pom.xml"), Junk("made by the build", "**/target")),
    "venv": (("requirements.txt", "pyproject.toml"), Junk("a virtual environment", "**/venv")),
    "env": (("requirements.txt",), Junk("a virtual environment", "**/env")),
    "obj": ((".csproj", ".fsproj"), Junk("made by the build", "**/obj")),
    "bin": ((".csproj", ".fsproj"), Junk("made by the build", "**/bin")),
    "build": (("build.gradle", "build.gradle.kts"), Junk("made by the build", "**/build")),
    "dist": (("package.json", "pyproject.toml"), Junk("made by the build", "**/dist")),
}


def junk(name: str, siblings: frozenset[str]) -> Junk | None:
    """Why a folder need not be sent; ``siblings`` are the names beside it."""
    known = _JUNK.get(name)
    if known is None and name in _MADE_BY:
        makers, found = _MADE_BY[name]
        known = found if any(sibling.endswith(makers) for sibling in siblings) else None
    return known


def escaped(name: str) -> str:
    """A name as a pattern of .dockerignore that matches it alone."""
    if not re.search(r"[*?\[\]\\|{}]", name):
        return name
    # A pattern with one of these becomes an expression, in which more has a meaning than patterns know of.
    made = re.sub(r"[*?\[\]\\^+()]", r"\\\g<0>", name)
    # patternmatcher leaves | { } their power unless they stand in a class.
    return re.sub(r"[|{}]", r"[\g<0>]", made)
