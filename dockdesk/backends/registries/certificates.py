"""TLS with a registry: the system's authorities, and those in the certs.d folders of docker and Podman.

Source: docs.docker.com, "Verify repository client with certificates"; containers-certs.d(5).
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class HostCertificates:
    """Files for one host: authorities to trust, and pairs of certificate and key to show."""

    authorities: tuple[Path, ...] = ()
    clients: tuple[tuple[Path, Path], ...] = ()


def certificate_folders(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Where certs.d folders are: docker's, that of rootless docker, Podman's."""
    env = os.environ if environ is None else environ
    home = Path(env.get("HOME") or Path.home())
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    return (
        config / "docker" / "certs.d",
        Path("/etc/docker/certs.d"),
        config / "containers" / "certs.d",
        Path("/etc/containers/certs.d"),
    )


def certificates_for(host: str, folders: Sequence[Path]) -> HostCertificates:
    """What the folders hold for a host, which has its port in its name. Raise LocalError for a key without its pair."""
    authorities: list[Path] = []
    clients: list[tuple[Path, Path]] = []
    if "/" in host or host in {"", ".", ".."}:
        return HostCertificates()
    for folder in folders:
        try:
            files = sorted((folder / host).iterdir())
        except OSError:  # there is none for this host, or none that may be read
            continue
        authorities += [file for file in files if file.suffix == ".crt"]
        for file in (file for file in files if file.suffix == ".cert"):
            key = file.with_suffix(".key")
            if key not in files:
                raise LocalError(
                    f"The certificate for {host} has no key",
                    f"{key.name} is missing beside {file}.",
                    "Add the key, or remove the certificate.",
                )
            clients.append((file, key))
    return HostCertificates(tuple(authorities), tuple(clients))


def tls_context(host: str, own: HostCertificates, ca_files: Sequence[Path]) -> ssl.SSLContext:
    """A context that trusts the system's authorities and these. Raise InvalidInputError for a bad file."""
    context = ssl.create_default_context()
    for file in [*own.authorities, *ca_files]:
        try:
            context.load_verify_locations(cafile=str(file))
        except (OSError, ssl.SSLError) as error:
            raise _unusable(host, file, error) from error
    for certificate, key in own.clients:
        try:
            context.load_cert_chain(str(certificate), str(key), password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise _unusable(host, certificate, error) from error
    return context


def _no_password() -> bytes:
    # OpenSSL would ask on the terminal.
    raise ValueError("its key is locked by a password")


def _unusable(host: str, file: Path, error: Exception) -> InvalidInputError:
    reason = getattr(error, "strerror", None) or "it holds no certificate in PEM form"
    if isinstance(error, ValueError) and not isinstance(error, ssl.SSLError):
        reason = str(error)
    return InvalidInputError(
        f"A certificate for {host} can't be used", f"{file}: {reason}.", "Mend or remove the file."
    )
