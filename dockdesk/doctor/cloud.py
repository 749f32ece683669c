"""AWS profiles as the AWS command line and SDKs find them, without calling AWS and without reading a key.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html and
https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html.
"""

from __future__ import annotations

import configparser
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from dockdesk.doctor.checks import Check, Surroundings
from dockdesk.doctor.report import Finding, Status

SECTION = "AWS"

Settings = dict[str, str]


def checks(around: Surroundings) -> list[Check]:
    return [Check(SECTION, "profiles", lambda: look(around))]


def look(around: Surroundings) -> list[Finding]:
    """A finding a profile, or one that says that there is none."""
    config_file = around.path("AWS_CONFIG_FILE", ".aws", "config")
    keys_file = around.path("AWS_SHARED_CREDENTIALS_FILE", ".aws", "credentials")
    findings: list[Finding] = []
    parsed: list[Mapping[str, Settings]] = []
    for path in (config_file, keys_file):
        try:
            parsed.append(parse(path))
        except (configparser.Error, OSError, ValueError) as error:
            parsed.append({})
            # The parser quotes the line at fault, which may be a key.
            detail = f"{path} can't be read: {_kind(error)}"
            findings.append(Finding(SECTION, path.name, Status.PROBLEM, detail, "Mend the file."))
    profiles, sessions = merge(*parsed)
    chosen = around.env.get("AWS_PROFILE") or around.env.get("AWS_DEFAULT_PROFILE") or ""
    if chosen and chosen not in profiles:
        findings.append(
            Finding(
                SECTION,
                chosen,
                Status.PROBLEM,
                "AWS_PROFILE names it, but no such profile exists",
                f"Add it with “aws configure --profile {chosen}”, or unset AWS_PROFILE.",
            )
        )
    if around.env.get("AWS_ACCESS_KEY_ID"):
        detail = "keys from the environment; they win over any profile"
        findings.append(Finding(SECTION, "environment", Status.OK, detail))
    findings += [
        _finding(name, profiles, sessions, around, chosen or "default") for name in profiles
    ]
    return findings or [
        Finding(
            SECTION,
            "profiles",
            Status.ABSENT,
            "none",
            "Only needed for ECR, ECS and EKS; “aws configure sso” makes one.",
        )
    ]


def parse(path: Path) -> dict[str, Settings]:
    """The sections of one file; nested settings (s3 = …) stay as text. An absent file has none."""
    parser = configparser.RawConfigParser(
        strict=False, default_section="\0", delimiters=("=",), comment_prefixes=("#", ";")
    )
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
    except FileNotFoundError:
        return {}
    return {name: dict(parser.items(name)) for name in parser.sections()}


def merge(
    config: Mapping[str, Settings], keys: Mapping[str, Settings]
) -> tuple[dict[str, Settings], dict[str, Settings]]:
    """Profiles and single sign-on sessions of both files; the credentials file wins."""
    profiles: dict[str, Settings] = {}
    sessions: dict[str, Settings] = {}
    for section, settings in config.items():
        kind, _, name = section.partition(" ")
        name = name.strip().strip("\"'")
        if section == "default":
            profiles["default"] = dict(settings)
        elif kind == "profile" and name:
            profiles[name] = dict(settings)
        elif kind == "sso-session" and name:
            sessions[name] = dict(settings)
    for name, settings in keys.items():
        profiles.setdefault(name, {}).update(settings)
    return profiles, sessions


def _finding(
    name: str,
    profiles: Mapping[str, Settings],
    sessions: Mapping[str, Settings],
    around: Surroundings,
    chosen: str,
) -> Finding:
    settings = profiles[name]
    region = settings.get("region") or around.env.get("AWS_REGION") or ""
    how, problem, hint = _sign_in(name, settings, profiles, sessions, around)
    words = [how, region or "no region", *(["in use"] if name == chosen else [])]
    data: dict[str, object] = {"region": region, "credentials": how, "chosen": name == chosen}
    if problem:
        return Finding(SECTION, name, Status.PROBLEM, f"{', '.join(words)}: {problem}", hint, data)
    return Finding(SECTION, name, Status.OK, ", ".join(words), data=data)


def _sign_in(
    name: str,
    settings: Settings,
    profiles: Mapping[str, Settings],
    sessions: Mapping[str, Settings],
    around: Surroundings,
) -> tuple[str, str, str]:
    """How a profile gets its credentials, and what is wrong with that, and what to do."""
    if "role_arn" in settings:
        source = settings.get("source_profile", "")
        if source and source not in profiles:
            return "role", f"its source profile “{source}” does not exist", f"Add “{source}”."
        return "role", "", ""
    if "sso_session" in settings or "sso_start_url" in settings:
        session = settings.get("sso_session", "")
        if session and session not in sessions:
            hint = f"Add [sso-session {session}] to the config file."
            return "single sign-on", f"its session “{session}” does not exist", hint
        problem = _token_problem(session or settings["sso_start_url"], around)
        return "single sign-on", problem, f"Run “aws sso login --profile {name}”."
    if "credential_process" in settings:
        return "a program", "", ""
    if "web_identity_token_file" in settings:
        return "web identity", "", ""
    if "aws_access_key_id" in settings:
        if "aws_secret_access_key" not in settings:
            return "keys", "the secret key is missing", f"Run “aws configure --profile {name}”."
        return "keys", "", ""
    return "no credentials of its own", "", ""


def _token_problem(key: str, around: Surroundings) -> str:
    """What is wrong with the cached token; its file is named by the SHA-1 of the session or start URL."""
    digest = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
    path = around.home / ".aws" / "sso" / "cache" / f"{digest}.json"
    try:
        token = json.loads(path.read_text(encoding="utf-8"))
        expires = datetime.fromisoformat(str(token["expiresAt"]).replace("UTC", "Z"))
    except FileNotFoundError:
        return "not signed in"
    except (OSError, ValueError, KeyError, TypeError):
        return "the token of the last sign-in can't be read"
    if expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    # With a refresh token the SDK gets a new one by itself.
    if expires <= datetime.now(UTC) and "refreshToken" not in token:
        return "the sign-in has expired"
    return ""


def _kind(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    line = getattr(error, "lineno", None)
    return f"line {line} is no setting" if line else "it is no settings file"
