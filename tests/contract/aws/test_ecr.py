"""ECR's repositories and images through its API, as the sandbox and its judges have them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from tests.contract.aws.conftest import Cloud, lacks, refused

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def manifest(text: str) -> str:
    """A manifest of one image; another text is another image."""
    layer = {
        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "size": 1234,
        "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest(),
    }
    config = {**layer, "mediaType": "application/vnd.docker.container.image.v1+json", "size": 99}
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    return json.dumps(value)


@pytest.fixture
def repository(ecr: Any, cloud: Cloud) -> str:
    name = cloud.name("team/app")
    ecr.create_repository(repositoryName=name)
    return name


def _put(ecr: Any, repository: str, text: str, tag: str = "") -> str:
    """The digest of an image that was put."""
    more = {"imageTag": tag} if tag else {}
    answer = ecr.put_image(repositoryName=repository, imageManifest=manifest(text), **more)
    return str(answer["image"]["imageId"]["imageDigest"])


# --- repositories ---


def test_a_new_repository(ecr: Any, cloud: Cloud) -> None:
    name = cloud.name("team/app")
    made = ecr.create_repository(repositoryName=name)["repository"]
    assert made["repositoryName"] == name
    assert made["repositoryArn"].endswith(f":repository/{name}")
    assert made["repositoryUri"].endswith(f"/{name}")
    assert made["imageTagMutability"] == "MUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": False}
    (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert found["repositoryArn"] == made["repositoryArn"]


def test_one_name_once(ecr: Any, repository: str) -> None:
    with refused("RepositoryAlreadyExistsException"):
        ecr.create_repository(repositoryName=repository)


@lacks(ministack="does not check it")
def test_a_name_that_can_not_be(ecr: Any) -> None:
    with refused("InvalidParameterException"):
        ecr.create_repository(repositoryName="NO Capitals")


def test_repositories_that_are_not_there(ecr: Any) -> None:
    calls = (ecr.list_images, ecr.describe_images, ecr.delete_repository, ecr.get_lifecycle_policy)
    for call in calls:
        with refused("RepositoryNotFoundException"):
            call(repositoryName="none-such")
    with refused("RepositoryNotFoundException"):
        ecr.describe_repositories(repositoryNames=["none-such"])


def test_an_empty_repository_is_deleted(ecr: Any, repository: str) -> None:
    gone = ecr.delete_repository(repositoryName=repository)["repository"]
    assert gone["repositoryName"] == repository
    with refused("RepositoryNotFoundException"):
        ecr.describe_repositories(repositoryNames=[repository])


def test_a_repository_with_images_is_deleted_by_force_only(ecr: Any, repository: str) -> None:
    _put(ecr, repository, "one", "1")
    with refused("RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName=repository)
    ecr.delete_repository(repositoryName=repository, force=True)
    with refused("RepositoryNotFoundException"):
        ecr.list_images(repositoryName=repository)


def test_settings_change(ecr: Any, repository: str) -> None:
    told = ecr.put_image_scanning_configuration(
        repositoryName=repository, imageScanningConfiguration={"scanOnPush": True}
    )
    assert told["imageScanningConfiguration"] == {"scanOnPush": True}
    told = ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")
    assert told["imageTagMutability"] == "IMMUTABLE"
    (found,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    assert found["imageTagMutability"] == "IMMUTABLE"


def test_tags_of_a_repository(ecr: Any, cloud: Cloud) -> None:
    name = cloud.name("tagged")
    tags = [{"Key": "team", "Value": "web"}]
    arn = ecr.create_repository(repositoryName=name, tags=tags)["repository"]["repositoryArn"]
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "stage", "Value": "test"}])
    ecr.untag_resource(resourceArn=arn, tagKeys=["team"])
    left = ecr.list_tags_for_resource(resourceArn=arn)["tags"]
    assert left == [{"Key": "stage", "Value": "test"}]


@lacks(moto="ignores the size of a page", ministack="tells of the first page only")
def test_repositories_come_in_pages(ecr: Any, cloud: Cloud) -> None:
    names = {cloud.name("paged") for _ in range(5)}
    for name in names:
        ecr.create_repository(repositoryName=name)
    pages = list(
        ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})
    )
    assert all(len(page["repositories"]) <= 2 for page in pages)
    found = [item["repositoryName"] for page in pages for item in page["repositories"]]
    assert names <= set(found)
    assert len(found) == len(set(found))


# --- images ---


@lacks(moto="takes the digest of a manifest that it wrote anew")
def test_an_image_is_put_and_seen(ecr: Any, repository: str) -> None:
    text = manifest("one")
    put = ecr.put_image(repositoryName=repository, imageManifest=text, imageTag="1.0")["image"]
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    assert put["imageId"] == {"imageDigest": digest, "imageTag": "1.0"}
    ids = ecr.list_images(repositoryName=repository)["imageIds"]
    assert ids == [{"imageDigest": digest, "imageTag": "1.0"}]
    (detail,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert (detail["imageDigest"], detail["imageTags"]) == (digest, ["1.0"])
    assert detail["imageSizeInBytes"] > 0
    assert detail["imageManifestMediaType"] == MANIFEST
    assert detail["repositoryName"] == repository
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "1.0"}])
    assert answer["failures"] == []
    assert json.loads(answer["images"][0]["imageManifest"]) == json.loads(text)


@lacks(moto="tells images apart by less than their manifests", ministack="ignores the filter")
def test_a_tag_moves_to_the_newest_image(ecr: Any, repository: str) -> None:
    old = _put(ecr, repository, "old", "latest")
    new = _put(ecr, repository, "new", "latest")
    by_digest = {
        item["imageDigest"]: item.get("imageTags", [])
        for item in ecr.describe_images(repositoryName=repository)["imageDetails"]
    }
    assert by_digest == {old: [], new: ["latest"]}
    untagged = ecr.list_images(repositoryName=repository, filter={"tagStatus": "UNTAGGED"})
    assert untagged["imageIds"] == [{"imageDigest": old}]
    tagged = ecr.list_images(repositoryName=repository, filter={"tagStatus": "TAGGED"})
    assert [item["imageDigest"] for item in tagged["imageIds"]] == [new]


def test_one_image_with_several_tags(ecr: Any, repository: str) -> None:
    digest = _put(ecr, repository, "one", "1")
    assert _put(ecr, repository, "one", "1.0") == digest
    (detail,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert set(detail["imageTags"]) == {"1", "1.0"}


@lacks(ministack="takes it again")
def test_the_same_image_with_the_same_tag_is_there_already(ecr: Any, repository: str) -> None:
    _put(ecr, repository, "one", "1")
    with refused("ImageAlreadyExistsException"):
        _put(ecr, repository, "one", "1")


@lacks(moto="tells images apart by less than their manifests")
def test_a_tag_that_must_not_move(ecr: Any, repository: str) -> None:
    ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")
    _put(ecr, repository, "old", "1")
    with refused("ImageTagAlreadyExistsException"):
        _put(ecr, repository, "new", "1")


@lacks(ministack="answers an empty list")
def test_images_that_are_not_there(ecr: Any, repository: str) -> None:
    with refused("ImageNotFoundException"):
        ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "none"}])
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "none"}])
    assert answer["images"] == []
    (failure,) = answer["failures"]
    assert failure["failureCode"] == "ImageNotFound"
    assert failure["imageId"] == {"imageTag": "none"}


@lacks(ministack="takes the tag away from where it was")
def test_deleting_a_tag_keeps_the_image_while_it_has_another(ecr: Any, repository: str) -> None:
    digest = _put(ecr, repository, "one", "1")
    _put(ecr, repository, "one", "2")
    answer = ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "1"}])
    assert answer["imageIds"] == [{"imageDigest": digest, "imageTag": "1"}]
    (detail,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert detail["imageTags"] == ["2"]
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "2"}])
    assert ecr.describe_images(repositoryName=repository)["imageDetails"] == []


def test_deleting_a_digest_takes_all_tags(ecr: Any, repository: str) -> None:
    digest = _put(ecr, repository, "one", "1")
    _put(ecr, repository, "one", "2")
    ids = [{"imageDigest": digest}, {"imageTag": "none"}]
    answer = ecr.batch_delete_image(repositoryName=repository, imageIds=ids)
    assert {item["imageDigest"] for item in answer["imageIds"]} == {digest}
    assert [item["failureCode"] for item in answer["failures"]] == ["ImageNotFound"]
    assert ecr.list_images(repositoryName=repository)["imageIds"] == []


# --- policies, logins and scans ---

LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Keep ten",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "pull",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": ["ecr:BatchGetImage"],
        }
    ],
}


def test_a_lifecycle_policy_comes_and_goes(ecr: Any, repository: str) -> None:
    with refused("LifecyclePolicyNotFoundException"):
        ecr.get_lifecycle_policy(repositoryName=repository)
    text = json.dumps(LIFECYCLE)
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=text)
    found = ecr.get_lifecycle_policy(repositoryName=repository)
    assert json.loads(found["lifecyclePolicyText"]) == LIFECYCLE
    ecr.delete_lifecycle_policy(repositoryName=repository)
    with refused("LifecyclePolicyNotFoundException"):
        ecr.delete_lifecycle_policy(repositoryName=repository)


@lacks(ministack="does not check it")
def test_a_lifecycle_policy_must_be_one(ecr: Any, repository: str) -> None:
    for text in ('{"rules": "none"}'.ljust(100), json.dumps({"rules": [{}]}).ljust(100)):
        with refused("InvalidParameterException"):
            ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=text)


def test_a_repository_policy_comes_and_goes(ecr: Any, repository: str) -> None:
    with refused("RepositoryPolicyNotFoundException"):
        ecr.get_repository_policy(repositoryName=repository)
    ecr.set_repository_policy(repositoryName=repository, policyText=json.dumps(POLICY))
    found = ecr.get_repository_policy(repositoryName=repository)
    assert json.loads(found["policyText"]) == POLICY
    ecr.delete_repository_policy(repositoryName=repository)
    with refused("RepositoryPolicyNotFoundException"):
        ecr.delete_repository_policy(repositoryName=repository)


def test_a_login_is_for_the_user_aws(ecr: Any) -> None:
    (data,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert user == "AWS"
    assert password
    assert data["proxyEndpoint"].startswith("http")
    assert data["expiresAt"].timestamp() > 0


@lacks(ministack="has no findings")
def test_findings_come_when_a_scan_is_done(ecr: Any, cloud: Cloud, repository: str) -> None:
    image = {"imageDigest": _put(ecr, repository, "one", "1")}
    with refused("ScanNotFoundException"):
        ecr.describe_image_scan_findings(repositoryName=repository, imageId=image)
    ecr.start_image_scan(repositoryName=repository, imageId=image)

    def done() -> Any:
        found = ecr.describe_image_scan_findings(repositoryName=repository, imageId=image)
        return found if found["imageScanStatus"]["status"] == "COMPLETE" else None

    found = cloud.until(done, "the scan is done")
    assert "findingSeverityCounts" in found["imageScanFindings"]
