"""The protocols themselves: encodings, routing, credentials, and each one's own shape of an error."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.retries.standard import ThrottledRetryableChecker
from botocore.signers import RequestSigner
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.sandbox.aws import cbor
from dockdesk.sandbox.aws.signing import sign
from dockdesk.sandbox.aws.values import (
    ACCESS_KEY,
    SECRET_KEY,
    AwsError,
    BadInputError,
    Params,
    When,
    page,
)
from dockdesk.sandbox.aws.wire import nested, to_xml
from tests.sandbox.aws.conftest import World

SERVICES = (
    "ecs",
    "cloudwatch",
    "application-autoscaling",
    "logs",
    "ecr",
    "sts",
    "eks",
    "ec2",
    "elbv2",
)
READS = {
    "ecs": "list_clusters",
    "cloudwatch": "describe_alarms",
    "logs": "describe_log_groups",
    "ecr": "describe_repositories",
    "sts": "get_caller_identity",
    "eks": "list_clusters",
    "ec2": "describe_instances",
    "elbv2": "describe_target_groups",
}
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(), inner, max_size=30),
    max_leaves=40,
)


def _read(world: World, service: str) -> Any:
    if service == "application-autoscaling":
        return world.client(service).describe_scalable_targets(ServiceNamespace="ecs")
    return getattr(world.client(service), READS[service])()


# --- encodings ---


@given(_VALUES)
def test_cbor_comes_back_as_it_went(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=60))
def test_cbor_that_is_none_is_refused_in_order(data: bytes) -> None:
    try:
        cbor.decode(data)
    except ValueError:
        return


def test_cbor_knows_times_and_endless_items() -> None:
    time = cbor.decode(cbor.encode(When(1.5)))
    assert isinstance(time, When)
    assert time == 1.5
    assert cbor.decode(bytes.fromhex("9f0102ff")) == [1, 2]
    assert cbor.decode(bytes.fromhex("bf6161 7f61626163ff ff".replace(" ", ""))) == {"a": "bc"}
    assert cbor.decode(bytes.fromhex("f93c00")) == 1.0


@pytest.mark.parametrize(
    "text", ["", "81", "8101ff", "7f01ff", "a101", "ff", "1c", "1f", "f97e00", "81" * 100]
)
def test_bad_cbor(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cbor.decode(bytes.fromhex(text))


def test_forms_become_structures() -> None:
    form = {
        "Action": ["X"],
        "A.member.2": ["z"],
        "A.member.1": ["y"],
        "F.1.Name": ["n"],
        "F.1.Value.1": ["v"],
    }
    assert nested(form) == {"Action": "X", "A": ["y", "z"], "F": [{"Name": "n", "Value": ["v"]}]}
    with pytest.raises(ValueError, match="both"):
        nested({"A": ["1"], "A.B": ["2"]})


@given(st.text())
def test_xml_is_always_well_formed(text: str) -> None:
    ElementTree.fromstring(f"<a>{to_xml({'b': [text, True, 3]}, 'item')}</a>")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", 3),
        ("whole", "x"),
        ("whole", 1.5),
        ("whole", True),
        ("flag", 1),
        ("items", {}),
        ("texts", [1]),
        ("inner", []),
        ("number", "nan"),
        ("inners", ["x"]),
    ],
)
def test_wrong_types_are_said(name: str, value: Any) -> None:
    with pytest.raises(AwsError, match="must be"):
        getattr(Params({"x": value}), name)("x")


def test_a_token_nobody_issued_is_refused() -> None:
    items = list(range(10))
    first, token = page(items, Params({"n": 4}), 100, "n", "t")
    second, token = page(items, Params({"n": 4, "t": token}), 100, "n", "t")
    third, end = page(items, Params({"n": 4, "t": token}), 100, "n", "t")
    assert (first + second + third, end) == (items, "")
    for bad in ("4", "4.x", "x.y", "-1.00"):
        with pytest.raises(BadInputError):
            page(items, Params({"t": bad}), 100, "n", "t")


# --- who asks ---


def test_expired_credentials_look_as_they_do_in_aws(world: World) -> None:
    named = {"ec2": "RequestExpired"} | dict.fromkeys(
        ("sts", "elbv2", "cloudwatch"), "ExpiredToken"
    )
    world.play("expired-credentials")
    for service in SERVICES:
        with pytest.raises(ClientError) as caught:
            _read(world, service)
        code = caught.value.response["Error"]["Code"]
        assert code == named.get(service, "ExpiredTokenException"), service
    world.play("calm")
    _read(world, "sts")


def test_throttling_is_what_botocore_takes_for_throttling(world: World) -> None:
    world.play("throttled")
    for service in SERVICES:
        codes = set()
        for _ in range(40):
            try:
                _read(world, service)
            except ClientError as error:
                codes.add(error.response["Error"]["Code"])
                break
        assert codes, service
        assert codes <= set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES)


def test_unknown_keys_are_not_let_in(world: World) -> None:
    sts = world.client("sts", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x")
    with pytest.raises(ClientError) as caught:
        sts.get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_other_regions_are_empty(world: World) -> None:
    assert world.client("ecs", region_name="us-east-1").list_clusters()["clusterArns"] == []
    world.client("ecs", region_name="us-east-1").create_cluster(clusterName="there")
    assert len(world.client("ecs", region_name="us-east-1").list_clusters()["clusterArns"]) == 1
    assert len(world.client("ecs").list_clusters()["clusterArns"]) == 3


def test_a_presigned_identity_is_answered(world: World) -> None:
    import urllib.request

    url = world.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    with urllib.request.urlopen(url, timeout=30) as response:
        assert b"<Account>123456789012</Account>" in response.read()


def test_cloudwatch_also_speaks_its_older_protocols(world: World) -> None:
    status, body = _send(
        world,
        "POST",
        "/",
        "monitoring",
        b'{"MaxRecords": 2}',
        x_amz_target="GraniteServiceVersion20100801.DescribeAlarms",
        content_type="application/x-amz-json-1.0",
    )
    assert status == 200
    assert len(json.loads(body)["MetricAlarms"]) == 2
    status, body = _send(
        world, "POST", "/", "monitoring", b"Action=DescribeAlarms&Version=2010-08-01&MaxRecords=2"
    )
    assert status == 200
    assert body.count(b"<AlarmName>") == 2


# --- malformed requests ---


def _send(
    world: World,
    method: str,
    path: str,
    service: str,
    body: bytes = b"",
    region: str = "eu-central-1",
    **headers: str,
) -> tuple[int, bytes]:
    """A request that is signed as it should be, whatever else is wrong with it; without a service it isn't."""
    given = {"host": f"127.0.0.1:{world.port}"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    if service:
        given = sign(
            ACCESS_KEY, SECRET_KEY, region, service, method, path, given, body, time.time()
        )
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=30)
    try:
        connection.request(method, path, body, given)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _ecs(world: World, operation: str, body: bytes) -> tuple[int, bytes]:
    target = f"AmazonEC2ContainerServiceV20141113.{operation}"
    return _send(
        world,
        "POST",
        "/",
        "ecs",
        body,
        x_amz_target=target,
        content_type="application/x-amz-json-1.1",
    )


MALFORMED = (
    ("ListClusters", b"{", "SerializationException"),
    ("ListClusters", b"[1]", "SerializationException"),
    ("ListClusters", b"\xff\xfe", "SerializationException"),
    ("ListClusters", b"[" * 50_000, "SerializationException"),
    ("ListClusters", b'{"maxResults": "many"}', "SerializationException"),
    ("ListClusters", b'{"nextToken": "guess"}', "InvalidParameterException"),
    (
        "DescribeServices",
        b'{"cluster": "shop-prod", "services": "web"}',
        "SerializationException",
    ),
    ("DescribeServices", b'{"cluster": "none", "services": ["x"]}', "ClusterNotFoundException"),
    ("DescribeServices", b'{"cluster": "shop-prod"}', "InvalidParameterException"),
    (
        "UpdateService",
        b'{"cluster": "shop-prod", "service": "web", "desiredCount": -1}',
        "InvalidParameterException",
    ),
    (
        "UpdateService",
        b'{"cluster": "shop-prod", "service": "web", "deploymentConfiguration": 5}',
        "SerializationException",
    ),
    (
        "CreateService",
        b'{"cluster": "shop-prod", "serviceName": "x", "taskDefinition": "none"}',
        "ClientException",
    ),
    (
        "CreateService",
        b'{"cluster": "shop-prod", "serviceName": "x", "taskDefinition": "shop-prod-web",'
        b'"capacityProviderStrategy": [5]}',
        "SerializationException",
    ),
    (
        "RegisterTaskDefinition",
        b'{"family": "x", "containerDefinitions": [{}]}',
        "InvalidParameterException",
    ),
    (
        "RegisterTaskDefinition",
        b'{"family": "a b", "containerDefinitions": []}',
        "ClientException",
    ),
    ("MakeCoffee", b"{}", "UnknownOperationException"),
)


def test_malformed_json_requests_get_ecs_own_errors(world: World) -> None:
    for operation, body, code in MALFORMED:
        status, answer = _ecs(world, operation, body)
        assert (status, json.loads(answer)["__type"]) == (400, code), (operation, body[:80])
        assert json.loads(answer)["message"]
    assert _ecs(world, "ListClusters", b"{}")[0] == 200


def test_malformed_requests_of_the_other_protocols(world: World) -> None:
    path = "/service/GraniteServiceVersion20100801/operation/GetMetricData"
    status, answer = _send(world, "POST", path, "monitoring", b"\x00\x01")
    assert status == 400
    assert cbor.decode(answer)["__type"] == "SerializationException"
    status, answer = _send(
        world, "POST", path, "monitoring", cbor.encode({"MetricDataQueries": "x"})
    )
    assert cbor.decode(answer)["__type"] == "SerializationException"
    status, answer = _send(
        world, "POST", "/", "sts", b"Action=AssumeRole&Version=2011-06-15&RoleArn=x"
    )
    assert (status, b"<Code>ValidationError</Code>" in answer) == (400, True)
    status, answer = _send(world, "POST", "/", "ec2", b"Action=Fly&Version=2016-11-15")
    assert (status, b"<Errors><Error><Code>InvalidAction</Code>" in answer) == (400, True)
    status, answer = _send(world, "GET", "/clusters/none", "eks")
    assert (status, json.loads(answer)["message"]) == (404, "No cluster found for name: none.")
    assert _send(world, "GET", "/etc/passwd", "eks")[0] == 404
    assert _send(world, "GET", "/clusters", "")[0] == 403
    assert _send(world, "GET", "/clusters", "eks", region="nowhere")[0] == 400
    assert _send(world, "DELETE", "/", "sts")[0] == 405


def test_signatures_are_checked(world: World) -> None:
    sts = world.client("sts", aws_access_key_id=ACCESS_KEY, aws_secret_access_key="not the secret")
    with pytest.raises(ClientError) as caught:
        sts.get_caller_identity()
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    ecs = world.client("ecs", aws_access_key_id=ACCESS_KEY, aws_secret_access_key="not the secret")
    with pytest.raises(ClientError) as caught:
        ecs.list_clusters()
    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_a_clock_that_is_wrong_is_noticed(world: World) -> None:
    real = world.aws.gate._real
    world.aws.gate._real = lambda: real() + 3600
    with pytest.raises(ClientError) as caught:
        world.client("ecs").list_clusters()
    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert "Signature expired" in caught.value.response["Error"]["Message"]


def _eks_token(world: World, cluster: str, **session: str) -> str:
    made = boto3.Session(
        aws_access_key_id=session.get("key", ACCESS_KEY),
        aws_secret_access_key=session.get("secret", SECRET_KEY),
        region_name="eu-central-1",
    )
    sts = world.client("sts", session=made)
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        "eu-central-1",
        "sts",
        "v4",
        made.get_credentials(),
        made.events,
    )
    request = {
        "method": "GET",
        "url": f"{world.url}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    url = signer.generate_presigned_url(
        request, region_name="eu-central-1", expires_in=60, operation_name=""
    )
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def test_eks_tokens_say_who_made_them_for_which_cluster(world: World) -> None:
    gate = world.aws.gate
    token = _eks_token(world, "shop-k8s")
    assert gate.eks_user(token, "shop-k8s") == "arn:aws:iam::123456789012:user/sandbox"
    assert gate.eks_user(token, "tools-k8s") is None
    assert gate.eks_user(_eks_token(world, "shop-k8s", secret="guess"), "shop-k8s") is None
    assert (
        gate.eks_user(_eks_token(world, "shop-k8s", key="AKIAIOSFODNN7EXAMPLE"), "shop-k8s") is None
    )
    for bad in (
        "",
        "k8s-aws-v1.",
        "k8s-aws-v1.!!!",
        "k8s-aws-v1.aGVsbG8",
        token[:-30],
        "x" + token,
    ):
        assert gate.eks_user(bad, "shop-k8s") is None
    real = gate._real
    gate._real = lambda: real() + 16 * 60
    assert gate.eks_user(token, "shop-k8s") is None


def test_it_listens_on_nothing_but_loopback(world: World) -> None:
    for server in world.aws.server._servers:
        assert [item.getsockname()[0] for item in server.sockets] == ["127.0.0.1"]
    try:
        other = socket.gethostbyname(socket.gethostname())
    except OSError:
        other = "127.0.0.1"  # this computer has no other name
    if not other.startswith("127."):
        with pytest.raises((ConnectionRefusedError, TimeoutError)):
            socket.create_connection((other, world.port), timeout=5).close()


def test_answers_tell_the_worlds_time(world: World, ecs: Any) -> None:
    world.live(7200)
    date = ecs.list_clusters()["ResponseMetadata"]["HTTPHeaders"]["date"]
    assert abs(parsedate_to_datetime(date).timestamp() - world.now) < 2
