"""AWS profiles and Kubernetes contexts, from files as their own tools write them."""

from __future__ import annotations

import hashlib
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dockdesk.doctor import cloud, kube
from dockdesk.doctor.checks import Surroundings
from dockdesk.doctor.report import Finding, Status

CONFIG = """
[default]
region = eu-central-1
output = json
s3 =
    max_concurrent_requests = 20

[profile work]
sso_session = corp
sso_account_id = 111122223333
region = us-east-1

[profile old-work]
sso_start_url = https://old.example/start
[profile admin]
role_arn = arn:aws:iam::111122223333:role/admin
source_profile = default
[profile lost]
role_arn = arn:aws:iam::111122223333:role/lost
source_profile = nowhere
[profile tool]
credential_process = /opt/tool "with arguments"
[profile "with space"]
web_identity_token_file = /token
[profile orphan]
sso_session = gone
[sso-session corp]
sso_start_url = https://corp.example/start
"""

KEYS = """
[default]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = wJalrSECRET
[half]
aws_access_key_id = AKIAHALF
"""


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    (tmp_path / ".aws" / "sso" / "cache").mkdir(parents=True)
    (tmp_path / ".kube").mkdir()
    return Surroundings({"PATH": str(tmp_path)}, tmp_path)


def with_env(around: Surroundings, **env: str) -> Surroundings:
    return Surroundings({**around.env, **env}, around.home)


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def write_aws(around: Surroundings, config: str = CONFIG, keys: str = KEYS) -> None:
    (around.home / ".aws" / "config").write_text(config)
    (around.home / ".aws" / "credentials").write_text(keys)


def sign_in(around: Surroundings, key: str, expires: datetime, **more: str) -> None:
    name = hashlib.sha1(key.encode()).hexdigest()
    token = {"accessToken": "TOKEN", "expiresAt": expires.strftime("%Y-%m-%dT%H:%M:%SZ"), **more}
    (around.home / ".aws" / "sso" / "cache" / f"{name}.json").write_text(json.dumps(token))


def test_profiles_of_both_files(around: Surroundings) -> None:
    write_aws(around)
    sign_in(around, "corp", datetime.now(UTC) + timedelta(hours=1))
    found = by_name(cloud.look(around))
    assert found["default"].detail == "keys, eu-central-1, in use"
    assert found["work"].detail == "single sign-on, us-east-1"
    assert found["admin"].detail == "role, no region"
    assert found["tool"].detail == "a program, no region"
    assert found["with space"].detail == "web identity, no region"
    assert "source profile “nowhere” does not exist" in found["lost"].detail
    assert "session “gone” does not exist" in found["orphan"].detail
    assert "secret key is missing" in found["half"].detail
    assert found["old-work"].detail.endswith("not signed in")
    assert found["old-work"].hint == "Run “aws sso login --profile old-work”."
    assert "SECRET" not in repr(found)
    assert "AKIA" not in repr(found)


def test_a_sign_in_expires_unless_it_can_be_renewed(around: Surroundings) -> None:
    write_aws(around)
    past = datetime.now(UTC) - timedelta(hours=1)
    sign_in(around, "corp", past)
    assert "has expired" in by_name(cloud.look(around))["work"].detail
    sign_in(around, "corp", past, refreshToken="R")
    assert by_name(cloud.look(around))["work"].status is Status.OK


def test_a_token_that_is_broken(around: Surroundings) -> None:
    write_aws(around)
    name = hashlib.sha1(b"corp").hexdigest()
    path = around.home / ".aws" / "sso" / "cache" / f"{name}.json"
    for content in ("", "[]", "{}", '{"expiresAt": "soon"}'):
        path.write_text(content)
        assert "can't be read" in by_name(cloud.look(around))["work"].detail


def test_the_files_and_the_profile_may_be_named(around: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("[profile other]\nregion = eu-west-1\n")
    named = with_env(
        around, AWS_CONFIG_FILE=str(tmp_path / "c"), AWS_PROFILE="other", AWS_ACCESS_KEY_ID="AKIAX"
    )
    found = by_name(cloud.look(named))
    assert found["other"].data["chosen"] is True
    assert "win over any profile" in found["environment"].detail
    missing = by_name(cloud.look(with_env(named, AWS_PROFILE="nope")))["nope"]
    assert missing.status is Status.PROBLEM


def test_no_profile_is_fine(around: Surroundings) -> None:
    (found,) = cloud.look(around)
    assert found.status is Status.ABSENT


def test_a_broken_file_is_told_without_its_text(around: Surroundings) -> None:
    write_aws(around, keys="aws_secret_access_key = wJalrSECRET\n")
    found = cloud.look(around)
    broken = by_name(found)["credentials"]
    assert broken.status is Status.PROBLEM
    assert "line 1" in broken.detail
    assert "SECRET" not in repr(found)


def test_bytes_that_are_no_text(around: Surroundings) -> None:
    (around.home / ".aws" / "config").write_bytes(b"\xff\xfe[default]")
    assert by_name(cloud.look(around))["config"].status is Status.PROBLEM


# --- Kubernetes ---

KUBE = """
apiVersion: v1
kind: Config
current-context: dev
clusters:
- name: dev
  cluster: {server: "https://user:hunter2@dev.example:6443"}
- name: proxied
  cluster: {server: "https://p.example", proxy-url: "http://proxy.example"}
users:
- name: me
  user: {token: SECRETTOKEN}
- name: eks
  user: {exec: {command: aws-not-here, args: [eks, get-token]}}
contexts:
- name: dev
  context: {cluster: dev, user: me, namespace: shop}
- name: eks
  context: {cluster: dev, user: eks}
- name: proxied
  context: {cluster: proxied, user: me}
- name: nowhere
  context: {cluster: gone, user: me}
- name: nobody
  context: {cluster: dev, user: gone}
"""


def test_contexts_and_what_is_wrong_with_them(around: Surroundings) -> None:
    (around.home / ".kube" / "config").write_text(KUBE)
    asked = []

    def reach(server: str) -> str:
        asked.append(server)
        return ""

    found = by_name(kube.look(around, reach))
    assert found["dev"].status is Status.OK
    assert found["dev"].data["namespace"] == "shop"
    assert found["dev"].data["current"] is True
    assert "“aws-not-here”, which is not found" in found["eks"].detail
    assert found["proxied"].status is Status.NOTE
    assert "cluster “gone” has no address" in found["nowhere"].detail
    assert "user “gone” does not exist" in found["nobody"].detail
    assert asked == ["https://user:hunter2@dev.example:6443"]
    assert "SECRETTOKEN" not in repr(found)
    assert "hunter2" not in repr(found)


def test_the_first_file_wins(around: Surroundings, tmp_path: Path) -> None:
    one = {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "c", "namespace": "one"}}],
    }
    two = {
        "current-context": "b",
        "contexts": [
            {"name": "a", "context": {"cluster": "c", "namespace": "two"}},
            {"name": "b", "context": {"cluster": "c"}},
        ],
        "clusters": [{"name": "c", "cluster": {"server": "https://c.example"}}],
    }
    (tmp_path / "one").write_text(json.dumps(one))
    (tmp_path / "two").write_text(json.dumps(two))
    named = with_env(around, KUBECONFIG=f"{tmp_path}/absent:{tmp_path}/one:{tmp_path}/two")
    found = by_name(kube.look(named, lambda server: "refused"))
    assert list(found) == ["a", "b"]
    assert found["a"].data["namespace"] == "one"
    assert found["a"].data["current"] is True
    assert "https://c.example can't be reached: refused" in found["a"].detail


def test_a_current_context_that_is_gone(around: Surroundings) -> None:
    (around.home / ".kube" / "config").write_text("current-context: gone\ncontexts: [{name: x}]")
    found = by_name(kube.look(around, lambda server: ""))
    assert "no such context exists" in found["gone"].detail
    assert found["x"].status is Status.PROBLEM


@pytest.mark.parametrize("content", ["", "[]", "a: [", "\x01", "contexts: 3", "contexts: [3, {}]"])
def test_odd_files_break_nothing(around: Surroundings, content: str) -> None:
    (around.home / ".kube" / "config").write_text(content)
    (found,) = kube.look(around, lambda server: "")
    assert found.status in {Status.ABSENT, Status.PROBLEM}


def test_a_key_in_a_broken_file_is_not_shown(around: Surroundings) -> None:
    (around.home / ".kube" / "config").write_text("token: SECRETTOKEN\n  x: [\n")
    found = kube.look(around, lambda server: "")
    assert "line 2 is no YAML" in found[0].detail
    assert "SECRETTOKEN" not in repr(found)


def test_a_server_is_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert kube.reachable(f"https://127.0.0.1:{port}") == ""
    assert "refused" in kube.reachable(f"https://127.0.0.1:{port}").lower()
    assert kube.reachable("https://") == "its address names no host"
    assert kube.reachable("https://x:99999999")


def test_many_contexts_are_listed_but_not_all_asked(around: Surroundings) -> None:
    raw = {
        "contexts": [{"name": f"c{n}", "context": {"cluster": "c"}} for n in range(30)],
        "clusters": [{"name": "c", "cluster": {"server": "https://c.example"}}],
    }
    (around.home / ".kube" / "config").write_text(json.dumps(raw))
    found = kube.look(around, lambda server: "")
    assert len(found) == 30
    assert [item.status for item in found].count(Status.NOTE) == 30 - kube.MOST_ASKED
