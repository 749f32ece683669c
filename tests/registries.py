"""Registries for tests, open and locked in all the ways there are, and images to put into them."""

from __future__ import annotations

import base64
import hashlib
import http.client
import http.server
import json
import ssl
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import load_pem_x509_certificate

from dockdesk.backends.registries.distribution import DistributionRegistry
from dockdesk.core.resources.registries import Credential, Descriptor, Registry
from dockdesk.core.work import SilentWork, Work
from tests.certificates import Authority
from tests.engines import Registry as RegistryProcess

USER, PASSWORD = "ann", "hunter2"
# As `htpasswd -B` writes it for PASSWORD.
_HASH = "$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8."

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


class Logins:
    """What is asked for logins: one for all registries, or none. Counts."""

    def __init__(self, credential: Credential | None = None, problem: str = "") -> None:
        self.given = credential
        self.problem = problem
        self.asked = 0

    def credential(self, registry: Registry, repository: str = "") -> tuple[Credential | None, str]:
        self.asked += 1
        return self.given, self.problem

    def refused(self, registry: Registry) -> None:
        pass


class LockedRegistry(RegistryProcess):
    """docker-registry that wants USER's PASSWORD with each request."""

    def more_configuration(self) -> str:
        users = self.folder / "users"
        users.write_text(f"{USER}:{_HASH}\n")
        return f"auth: {{htpasswd: {{realm: test, path: '{users}'}}}}\n"


class SecureRegistry(LockedRegistry):
    """The same over TLS, with a certificate of ``authority``."""

    def __init__(self, authority: Authority) -> None:
        super().__init__()
        self._files = authority.issue(self.folder / "tls", "127.0.0.1", "localhost")

    def answers(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 401
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def http_configuration(self) -> str:
        certificate, key = self._files
        return f", tls: {{certificate: '{certificate}', key: '{key}'}}"


class TokenRegistry(RegistryProcess):
    """docker-registry that takes the tokens of a service: see `TokenService`."""

    def __init__(self, service: TokenService) -> None:
        super().__init__()
        self._service = service

    def more_configuration(self) -> str:
        told = f"service: tests, issuer: tests, rootcertbundle: '{self._service.roots}'"
        return f"auth: {{token: {{realm: '{self._service.url}', {told}}}}}\n"


class TokenService:
    """Gives tokens to USER, who may do anything, and to anybody, who may pull. ``seconds`` is how long they hold."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder / "authority")
        self.roots = authority.certificate
        certificate, key = authority.issue(folder / "signer", "tests")
        loaded = load_pem_x509_certificate(certificate.read_bytes())
        self._chain = base64.b64encode(loaded.public_bytes(serialization.Encoding.DER)).decode()
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        self._key = private
        self.seconds = 300
        self.given: list[str] = []  # scopes of the tokens so far
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = service._answer(self.path, self.headers.get("Authorization", ""))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="fixture tokens"
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        user = ""
        if authorization:
            pair = base64.b64decode(authorization.partition(" ")[2]).decode()
            if pair != f"{USER}:{PASSWORD}":
                return 401, {"details": "incorrect username or password"}
            user = USER
        scopes = parse_qs(urlsplit(path).query).get("scope", [])
        self.given.append(" ".join(scopes))
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":", 2)
            wanted = actions.split(",")
            allowed = [item for item in wanted if user or item == "pull"]
            access.append({"type": kind, "name": name, "actions": allowed})
        return 200, {"token": self._signed(user, access), "expires_in": self.seconds}

    def _signed(self, user: str, access: list[dict[str, Any]]) -> str:
        now = int(time.time())
        header = {"typ": "JWT", "alg": "ES256", "x5c": [self._chain]}
        claims = {
            "iss": "tests",
            "sub": user,
            "aud": "tests",
            "iat": now,
            "nbf": now - 10,
            "exp": now + self.seconds,
            "jti": str(now),
            "access": access,
        }
        body = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
        first, second = decode_dss_signature(
            self._key.sign(body.encode(), ec.ECDSA(hashes.SHA256()))
        )
        return f"{body}.{_encoded(first.to_bytes(32, 'big') + second.to_bytes(32, 'big'))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# --- images ---


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Content:
    """Bytes to push."""

    def __init__(self, data: bytes, media_type: str = "application/octet-stream") -> None:
        self.data = data
        self.descriptor = Descriptor(media_type, digest_of(data), len(data))

    def pieces(self, work: Work, offset: int = 0) -> Generator[bytes, None, None]:
        for start in range(offset, len(self.data), 1 << 16):
            yield self.data[start : start + (1 << 16)]

    @property
    def entry(self) -> dict[str, Any]:
        told = self.descriptor
        return {"mediaType": told.media_type, "digest": told.digest, "size": told.size}


class Pushed:
    """An image in a repository: its digest and parts."""

    def __init__(
        self, manifest: bytes, media_type: str, config: Content, layers: list[Content]
    ) -> None:
        self.manifest = manifest
        self.media_type = media_type
        self.digest = digest_of(manifest)
        self.config = config
        self.layers = layers

    @property
    def entry(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.manifest)}


def push_blob(registry: DistributionRegistry, repository: str, content: Content) -> None:
    registry.blob_target(repository, "test").upload(content, SilentWork(), lambda _size: None)


def put(
    registry: DistributionRegistry, repository: str, reference: str, kind: str, value: Any
) -> bytes:
    """Store a manifest; returns its bytes."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    answer = registry.client.send(
        "PUT",
        registry.client.manifest_path(repository, reference or digest_of(data)),
        SilentWork(),
        title="test",
        repository=repository,
        actions=("pull", "push"),
        headers={"Content-Type": kind},
        body=data,
    )
    assert answer.status == 201
    return data


def push_image(
    registry: DistributionRegistry,
    repository: str,
    tag: str = "",
    *,
    architecture: str = "amd64",
    layers: tuple[bytes, ...] = (b"first layer", b"second layer"),
    docker: bool = False,
    settings: dict[str, Any] | None = None,
    more: dict[str, Any] | None = None,
) -> Pushed:
    """An image with these layers, under a tag or its digest alone."""
    kinds = (
        (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER)
        if docker
        else (OCI_MANIFEST, OCI_CONFIG, OCI_LAYER)
    )
    contents = [Content(data, kinds[2]) for data in layers]
    config = {
        "os": "linux",
        "architecture": architecture,
        "created": "2026-03-04T05:06:07.123456789Z",
        "author": "Ann",
        "config": {
            "Env": ["PATH=/bin", "MODE=test"],
            "Cmd": ["serve"],
            "Labels": {"version": "1"},
            **(settings or {}),
        },
        "rootfs": {"type": "layers", "diff_ids": [digest_of(data) for data in layers]},
        "history": [
            {"created": "2026-03-04T05:06:07Z", "created_by": "ENV MODE=test", "empty_layer": True},
            *({"created_by": f"COPY {number}"} for number in range(len(layers))),
        ],
    }
    made = Content(json.dumps(config).encode(), kinds[1])
    for content in [made, *contents]:
        push_blob(registry, repository, content)
    value = {
        "schemaVersion": 2,
        "mediaType": kinds[0],
        "config": made.entry,
        "layers": [content.entry for content in contents],
        **(more or {}),
    }
    data = put(registry, repository, tag, kinds[0], value)
    return Pushed(data, kinds[0], made, contents)


def push_index(
    registry: DistributionRegistry,
    repository: str,
    tag: str,
    *architectures: str,
    attest: bool = False,
    docker: bool = False,
    mark: str = "",
) -> tuple[str, list[Pushed]]:
    """An index of images for several architectures, with BuildKit's attestations; its digest and the images."""
    images = [
        push_image(
            registry,
            repository,
            architecture=name,
            layers=(f"{mark}base".encode(), f"{mark}program for {name}".encode()),
            docker=docker,
        )
        for name in architectures
    ]
    entries = [
        {**image.entry, "platform": {"os": "linux", "architecture": name}}
        for name, image in zip(architectures, images, strict=True)
    ]
    if attest:
        entries += [_attestation(registry, repository, image) for image in images]
    kind = DOCKER_LIST if docker else OCI_INDEX
    value = {"schemaVersion": 2, "mediaType": kind, "manifests": entries}
    return digest_of(put(registry, repository, tag, kind, value)), images


def _attestation(registry: DistributionRegistry, repository: str, image: Pushed) -> dict[str, Any]:
    config = Content(json.dumps({"architecture": "unknown", "os": "unknown"}).encode(), OCI_CONFIG)
    statements = []
    for predicate in ("https://slsa.dev/provenance/v1", "https://spdx.dev/Document"):
        content = Content(
            json.dumps({"predicateType": predicate, "subject": image.digest}).encode()
        )
        content.descriptor = Descriptor(
            "application/vnd.in-toto+json", content.descriptor.digest, len(content.data)
        )
        push_blob(registry, repository, content)
        statements.append(
            {**content.entry, "annotations": {"in-toto.io/predicate-type": predicate}}
        )
    push_blob(registry, repository, config)
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.entry,
        "layers": statements,
    }
    data = put(registry, repository, "", OCI_MANIFEST, value)
    return {
        "mediaType": OCI_MANIFEST,
        "digest": digest_of(data),
        "size": len(data),
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image.digest,
        },
    }
