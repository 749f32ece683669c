"""ECR's API. Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.ecr.checks import check_lifecycle, check_policy
from dockdesk.sandbox.aws.ecr.model import (
    CONFIG,
    MANIFEST,
    EcrImage,
    EcrState,
    Repository,
    digest,
    put_tag,
)
from dockdesk.sandbox.aws.values import (
    ACCOUNT,
    Api,
    AwsError,
    BadInputError,
    Params,
    hex_id,
    listing,
    page,
    tag_list,
    tags_of,
    when,
)
from dockdesk.sandbox.world.traffic import unit

TOKEN_SECONDS = 12 * 3600.0
_NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
_FINDINGS = (
    ("CVE-2024-45491", "CRITICAL", "expat", "2.5.0-1", "An integer overflow in dtdCopy."),
    (
        "CVE-2024-6119",
        "HIGH",
        "openssl",
        "3.0.13-1",
        "Possible denial of service in X.509 name checks.",
    ),
    (
        "CVE-2023-50387",
        "HIGH",
        "systemd",
        "252.19-1",
        "DNSSEC validation may exhaust the processor.",
    ),
    ("CVE-2024-0684", "MEDIUM", "coreutils", "9.1-1", "A heap overflow in split."),
    ("CVE-2024-28085", "MEDIUM", "util-linux", "2.38.1-5", "wall passes escape sequences on."),
    ("CVE-2011-3374", "LOW", "apt", "2.6.1", "apt-key does not validate keys properly."),
)


class EcrApi(Api):
    """``password`` is what docker logs in with as AWS: the registry that serves these repositories must accept it."""

    invalid = "InvalidParameterException"

    def __init__(
        self, state: EcrState, now: Callable[[], float], endpoint: Callable[[], str]
    ) -> None:
        self._state = state
        self._now = now
        self._endpoint = endpoint
        self.operations = {
            "DescribeRepositories": self._describe_repositories,
            "CreateRepository": self._create_repository,
            "DeleteRepository": self._delete_repository,
            "ListImages": self._list_images,
            "DescribeImages": self._describe_images,
            "BatchGetImage": self._batch_get_image,
            "BatchDeleteImage": self._batch_delete_image,
            "PutImage": self._put_image,
            "GetAuthorizationToken": self._get_authorization_token,
            "DescribeImageScanFindings": self._describe_findings,
            "StartImageScan": self._start_scan,
            "PutImageScanningConfiguration": self._put_scanning,
            "PutImageTagMutability": self._put_mutability,
            "GetRepositoryPolicy": self._get_policy,
            "SetRepositoryPolicy": self._set_policy,
            "DeleteRepositoryPolicy": self._delete_policy,
            "GetLifecyclePolicy": self._get_lifecycle,
            "PutLifecyclePolicy": self._put_lifecycle,
            "DeleteLifecyclePolicy": self._delete_lifecycle,
            "DescribeRegistry": lambda _: {
                "registryId": ACCOUNT,
                "replicationConfiguration": {"rules": []},
            },
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def _repository(self, params: Params) -> Repository:
        return self._state.repository(params.need("repositoryName"))

    # --- repositories ---

    def _describe_repositories(self, params: Params) -> Mapping[str, Any]:
        names = params.texts("repositoryNames")
        found = [self._state.repository(name) for name in names] or self._state.all()
        shown, token = page(found, params, 1000, "maxResults", "nextToken")
        return listing("repositories", [_repository(item) for item in shown], token)

    def _create_repository(self, params: Params) -> Mapping[str, Any]:
        name = params.need("repositoryName")
        if not 2 <= len(name) <= 256 or not _NAME.fullmatch(name):
            raise BadInputError(
                f"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '{_NAME.pattern}''"
            )
        if name in self._state.repositories:
            raise AwsError(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{name}' already exists in the registry with id '{ACCOUNT}'",
            )
        repository = self._state.create(name, self._now())
        repository.immutable = params.text("imageTagMutability") == "IMMUTABLE"
        repository.scan_on_push = params.inner("imageScanningConfiguration").flag("scanOnPush")
        repository.tags = tags_of(params, "tags", "Key", "Value")
        return {"repository": _repository(repository)}

    def _delete_repository(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        if repository.images and not params.flag("force"):
            raise AwsError(
                "RepositoryNotEmptyException",
                f"The repository with name '{repository.name}' in registry with id '{ACCOUNT}' cannot be deleted because it still contains images",
            )
        self._state.delete(repository)
        return {"repository": _repository(repository)}

    def _put_scanning(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        repository.scan_on_push = params.inner("imageScanningConfiguration").flag("scanOnPush")
        return {
            **_named(repository),
            "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        }

    def _put_mutability(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        repository.immutable = params.need("imageTagMutability") == "IMMUTABLE"
        return {**_named(repository), "imageTagMutability": _mutability(repository)}

    # --- images ---

    def _list_images(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        status = params.inner("filter").text("tagStatus", "ANY")
        ids: list[dict[str, str]] = []
        for image in repository.images.values():
            if image.tags and status in {"ANY", "TAGGED"}:
                ids += [{"imageDigest": image.digest, "imageTag": tag} for tag in image.tags]
            elif not image.tags and status in {"ANY", "UNTAGGED"}:
                ids.append({"imageDigest": image.digest})
        shown, token = page(ids, params, 1000, "maxResults", "nextToken")
        return listing("imageIds", shown, token)

    def _find(self, repository: Repository, wanted: Params) -> EcrImage | None:
        name, tag = wanted.text("imageDigest"), wanted.text("imageTag")
        if not name and not tag:
            raise BadInputError(
                "Invalid parameter at 'imageIds' failed to satisfy constraint: 'an image needs a digest or a tag'"
            )
        image = repository.images.get(name) if name else repository.by_tag(tag)
        return image if image is None or not tag or tag in image.tags else None

    def _describe_images(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        asked = params.inners("imageIds")
        status = params.inner("filter").text("tagStatus", "ANY")
        found = [
            image
            for image in repository.images.values()
            if status == "ANY" or bool(image.tags) == (status == "TAGGED")
        ]
        if asked:
            found = []
            for wanted in asked:
                image = self._find(repository, wanted)
                if image is None:
                    raise _image_not_found(repository, wanted)
                found.append(image)
        shown, token = page(found, params, 1000, "maxResults", "nextToken")
        return listing("imageDetails", [self._detail(repository, image) for image in shown], token)

    def _detail(self, repository: Repository, image: EcrImage) -> dict[str, Any]:
        detail: dict[str, Any] = {
            **_named(repository),
            "imageDigest": image.digest,
            "imageSizeInBytes": image.size,
            "imagePushedAt": when(image.pushed),
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": CONFIG,
        }
        if image.tags:
            detail["imageTags"] = list(image.tags)
        if image.pulled:
            detail["lastRecordedPullTime"] = when(image.pulled)
        if image.scanned:
            done = image.scanned <= self._now()
            detail["imageScanStatus"] = _scan_status(done)
            if done:
                detail["imageScanFindingsSummary"] = _summary(image)
        return detail

    def _batch_get_image(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        images, failures = [], []
        for wanted in params.inners("imageIds"):
            image = self._find(repository, wanted)
            if image is None:
                failures.append(_failure(wanted))
                continue
            name = {"imageDigest": image.digest, **wanted.given("imageTag")}
            images.append(
                {
                    **_named(repository),
                    "imageId": name,
                    "imageManifest": image.manifest,
                    "imageManifestMediaType": image.media_type,
                }
            )
        return {"images": images, "failures": failures}

    def _batch_delete_image(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        deleted, failures = [], []
        observer = self._state.observer
        for wanted in params.inners("imageIds"):
            image = self._find(repository, wanted)
            if image is None:
                failures.append(_failure(wanted))
                continue
            tags = [wanted.text("imageTag")] if "imageTag" in wanted else list(image.tags)
            self._untag_image(repository, image, tags)
            deleted += [{"imageDigest": image.digest, "imageTag": tag} for tag in tags]
            if not tags:
                deleted.append({"imageDigest": image.digest})
            if not image.tags:
                repository.images.pop(image.digest, None)
                if observer is not None:
                    observer.removed(repository, image.digest)
        return {"imageIds": deleted, "failures": failures}

    def _untag_image(self, repository: Repository, image: EcrImage, tags: list[str]) -> None:
        image.tags = [tag for tag in image.tags if tag not in tags]
        for tag in tags:
            if self._state.observer is not None:
                self._state.observer.untagged(repository, tag)

    def _put_image(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        manifest, tag = params.need("imageManifest"), params.text("imageTag")
        try:
            told = Params(json.loads(manifest))
            size = sum(layer.whole("size") for layer in told.inners("layers"))
        except ValueError:
            raise BadInputError(
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
            ) from None
        name = digest(manifest)
        if params.text("imageDigest", name) != name:
            raise AwsError(
                "ImageDigestDoesNotMatchException",
                "The supplied digest does not match the manifest.",
            )
        old = repository.by_tag(tag) if tag else None
        if old is not None and old.digest == name:
            raise AwsError(
                "ImageAlreadyExistsException",
                f"Image with digest '{name}' and tag '{tag}' already exists in the repository with name '{repository.name}' in registry with id '{ACCOUNT}'",
            )
        if old is not None and repository.immutable:
            raise AwsError(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten because the repository is immutable.",
            )
        image = repository.images.get(name)
        if image is None:
            media = params.text("imageManifestMediaType") or told.text("mediaType", MANIFEST)
            image = EcrImage(name, manifest, media, size, self._now())
            image.scanned = self._now() + 20 if repository.scan_on_push else 0.0
        if self._state.observer is not None:
            self._state.observer.put(repository, image, tag)
        repository.images.setdefault(name, image)
        if tag:
            put_tag(repository, image, tag)
        return {
            "image": {
                **_named(repository),
                "imageId": {"imageDigest": name, **({"imageTag": tag} if tag else {})},
                "imageManifest": manifest,
                "imageManifestMediaType": image.media_type,
            }
        }

    # --- access and findings ---

    def _get_authorization_token(self, _params: Params) -> Mapping[str, Any]:
        now = self._now()
        password = registry_password(self._state.region)
        token = base64.b64encode(f"AWS:{password}".encode()).decode()
        return {
            "authorizationData": [
                {
                    "authorizationToken": token,
                    "expiresAt": when(now + TOKEN_SECONDS),
                    "proxyEndpoint": self._endpoint(),
                }
            ]
        }

    def _image(self, params: Params) -> tuple[Repository, EcrImage]:
        repository, wanted = self._repository(params), params.inner("imageId")
        image = self._find(repository, wanted)
        if image is None:
            raise _image_not_found(repository, wanted)
        return repository, image

    def _start_scan(self, params: Params) -> Mapping[str, Any]:
        repository, image = self._image(params)
        image.scanned = self._now() + 20
        return {
            **_named(repository),
            "imageId": {"imageDigest": image.digest},
            "imageScanStatus": _scan_status(False),
        }

    def _describe_findings(self, params: Params) -> Mapping[str, Any]:
        repository, image = self._image(params)
        if not image.scanned:
            raise AwsError(
                "ScanNotFoundException",
                f"Image scan does not exist for the image with '{image.digest}' in the repository with name '{repository.name}' in the registry with id '{ACCOUNT}'",
            )
        done = image.scanned <= self._now()
        answer: dict[str, Any] = {
            **_named(repository),
            "imageId": {"imageDigest": image.digest},
            "imageScanStatus": _scan_status(done),
        }
        if done:
            findings = [
                {
                    "name": name,
                    "description": text,
                    "uri": f"https://security-tracker.debian.org/tracker/{name}",
                    "severity": severity,
                    "attributes": [
                        {"key": "package_name", "value": package},
                        {"key": "package_version", "value": version},
                    ],
                }
                for name, severity, package, version, text in _found_in(image)
            ]
            answer["imageScanFindings"] = {**_summary(image), "findings": findings}
        return answer

    def _get_policy(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        if not repository.policy:
            raise AwsError(
                "RepositoryPolicyNotFoundException",
                f"Repository policy does not exist for the repository with name '{repository.name}' in the registry with id '{ACCOUNT}'",
            )
        return {**_named(repository), "policyText": repository.policy}

    def _set_policy(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        check_policy(params.need("policyText"))
        repository.policy = params.need("policyText")
        return {**_named(repository), "policyText": repository.policy}

    def _delete_policy(self, params: Params) -> Mapping[str, Any]:
        answer = self._get_policy(params)
        self._repository(params).policy = ""
        return answer

    def _get_lifecycle(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        if not repository.lifecycle:
            raise AwsError(
                "LifecyclePolicyNotFoundException",
                f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the registry with id '{ACCOUNT}'",
            )
        return {**_named(repository), "lifecyclePolicyText": repository.lifecycle}

    def _put_lifecycle(self, params: Params) -> Mapping[str, Any]:
        repository = self._repository(params)
        check_lifecycle(params.need("lifecyclePolicyText"))
        repository.lifecycle = params.need("lifecyclePolicyText")
        return {**_named(repository), "lifecyclePolicyText": repository.lifecycle}

    def _delete_lifecycle(self, params: Params) -> Mapping[str, Any]:
        answer = self._get_lifecycle(params)
        self._repository(params).lifecycle = ""
        return answer

    def _by_arn(self, params: Params) -> Repository:
        return self._state.repository(params.need("resourceArn").partition(":repository/")[2])

    def _list_tags(self, params: Params) -> Mapping[str, Any]:
        return {"tags": tag_list(self._by_arn(params).tags, "Key", "Value")}

    def _tag(self, params: Params) -> Mapping[str, Any]:
        self._by_arn(params).tags |= tags_of(params, "tags", "Key", "Value")
        return {}

    def _untag(self, params: Params) -> Mapping[str, Any]:
        for key in params.texts("tagKeys"):
            self._by_arn(params).tags.pop(key, None)
        return {}


def registry_password(region: str) -> str:
    """What docker logs in with as user AWS; it opens nothing but the sandbox's own registry."""
    return base64.b64encode(f"sandbox {hex_id(48, 'ecr', region)}".encode()).decode()


def _named(repository: Repository) -> dict[str, Any]:
    return {"registryId": ACCOUNT, "repositoryName": repository.name}


def _mutability(repository: Repository) -> str:
    return "IMMUTABLE" if repository.immutable else "MUTABLE"


def _repository(item: Repository) -> dict[str, Any]:
    return {
        "repositoryArn": item.arn,
        **_named(item),
        "repositoryUri": item.uri,
        "createdAt": when(item.created),
        "imageTagMutability": _mutability(item),
        "imageScanningConfiguration": {"scanOnPush": item.scan_on_push},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }


def _failure(wanted: Params) -> dict[str, Any]:
    return {
        "imageId": wanted.given("imageDigest", "imageTag"),
        "failureCode": "ImageNotFound",
        "failureReason": "Requested image not found",
    }


def _image_not_found(repository: Repository, wanted: Params) -> AwsError:
    told = f"{{imageDigest:'{wanted.text('imageDigest', 'null')}', imageTag:'{wanted.text('imageTag', 'null')}'}}"
    return AwsError(
        "ImageNotFoundException",
        f"The image with imageId {told} does not exist within the repository with name '{repository.name}' in the registry with id '{ACCOUNT}'",
    )


def _scan_status(done: bool) -> dict[str, str]:
    if done:
        return {"status": "COMPLETE", "description": "The scan was completed successfully."}
    return {"status": "IN_PROGRESS"}


def _found_in(image: EcrImage) -> list[tuple[str, str, str, str, str]]:
    return [finding for finding in _FINDINGS if unit(image.digest, finding[0]) < 0.45]


def _summary(image: EcrImage) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for _, severity, *_ in _found_in(image):
        counts[severity] = counts.get(severity, 0) + 1
    return {
        "imageScanCompletedAt": when(image.scanned),
        "vulnerabilitySourceUpdatedAt": when(image.scanned - 7200),
        "findingSeverityCounts": counts,
    }
