"""The token that DockDesk, kubectl and others make for EKS opens the cluster that EKS tells of."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.signers import RequestSigner

from dockdesk.core.work import SilentWork
from dockdesk.launcher import Sandbox


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    sandbox = Sandbox()
    yield dict(sandbox.variables(SilentWork()))
    sandbox.stop()


def _token(session: Any, endpoint: str, cluster: str) -> str:
    sts = session.client("sts", endpoint_url=endpoint)
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        session.region_name,
        "sts",
        "v4",
        session.get_credentials(),
        session.events,
    )
    request = {
        "method": "GET",
        "url": f"{endpoint}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    url = signer.generate_presigned_url(
        request, region_name=session.region_name, expires_in=60, operation_name=""
    )
    sts.close()
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def test_a_token_opens_its_cluster(variables: dict[str, str]) -> None:
    session = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
    endpoint = variables["AWS_ENDPOINT_URL"]
    eks = session.client("eks", endpoint_url=endpoint, config=Config(read_timeout=60))
    cluster = eks.describe_cluster(name="shop-k8s")["cluster"]
    eks.close()
    authority = base64.b64decode(cluster["certificateAuthority"]["data"]).decode()
    context = ssl.create_default_context(cadata=authority)

    def pods(token: str) -> Any:
        request = urllib.request.Request(
            f"{cluster['endpoint']}/api/v1/pods?limit=5",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=30, context=context) as response:
            return json.load(response)

    assert pods(_token(session, endpoint, "shop-k8s"))["kind"] == "PodList"
    with pytest.raises(urllib.error.HTTPError) as caught:
        pods(_token(session, endpoint, "tools-k8s"))
    assert caught.value.code == 401
    caught.value.close()
