"""The system's keyring (Secret Service, KWallet, Keychain, Windows) for the logins that DockDesk keeps itself.

Secrets go into a keyring, never into a file: where the system has none, they are kept until the program ends, and who
asks is told so. Source: keyring's documentation, "API interface".
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockdesk.core.errors import LocalError
from dockdesk.core.resources.registries import Credential, Registry

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_log = logging.getLogger(__name__)

_SERVICE = "dockdesk registry {host}"
_INDEX_SERVICE = "dockdesk registries"
_INDEX_USER = "accounts"
# Backends of keyrings.alt that write files, plainly or under a password of their own.
_IN_FILES = ("keyrings.alt.file", "keyrings.alt.Windows", "keyrings.cryptfile")
_FIELDS = ("host", "kind", "title", "ca_file", "endpoint", "api")


class KeyringStore:
    """DockDesk's own logins. Blocking: the keyring may ask the user to unlock it. Thread-safe.

    ``backend`` is taken from keyring where it is None; which hosts there are is kept in the keyring as well, since
    keyrings can't list.
    """

    def __init__(self, backend: KeyringBackend | None = None) -> None:
        self._given = backend
        self._lock = threading.RLock()
        self._session: dict[str, tuple[Registry, Credential]] = {}

    # --- is there one ---

    def backend(self) -> KeyringBackend | None:
        """The keyring to use; None where there is none that is safe."""
        found = self._given
        if found is None:
            import keyring

            found = keyring.get_keyring()
        usable = [item for item in getattr(found, "backends", (found,)) if _is_safe(item)]
        return usable[0] if usable else None

    def source(self) -> str:
        """Its name, in words; empty where there is none."""
        backend = self.backend()
        return f"the keyring ({backend.name.partition(' ')[0]})" if backend is not None else ""

    # --- logins ---

    def accounts(self) -> list[tuple[Registry, str, bool]]:
        """Registry, user and whether it is in the keyring, of each login; without secrets. Raise LocalError."""
        with self._lock:
            found = {
                host: (registry, credential.username, False)
                for host, (registry, credential) in self._session.items()
            }
            for host, entry in self._index().items():
                found.setdefault(host, (_registry(entry), str(entry.get("user") or ""), True))
        return list(found.values())

    def find(self, host: str) -> Credential | None:
        """The login for a host. Raise LocalError where the keyring does not open."""
        with self._lock:
            if host in self._session:
                return self._session[host][1]
            entry = self._index().get(host)
            if entry is None:
                return None
            user = str(entry.get("user") or "")
            secret = self._get(_SERVICE.format(host=host), user or "token")
        if not secret:
            return None
        if entry.get("token") is True:
            return Credential(user, identity_token=secret, source=self.source())
        return Credential(user, secret, source=self.source())

    def keep(self, registry: Registry, credential: Credential) -> None:
        """In the keyring. Raise LocalError."""
        secret = credential.secret or credential.identity_token
        service = _SERVICE.format(host=registry.host)
        with self._lock:
            index = self._index()
            self._drop_secret(registry.host, index)
            self._set(service, credential.username or "token", secret)
            entry: dict[str, Any] = {name: getattr(registry, name) for name in _FIELDS}
            entry["plain_http"] = registry.plain_http
            entry["user"] = credential.username
            entry["token"] = not credential.secret
            self._set_index({**index, registry.host: entry})
            self._session.pop(registry.host, None)

    def keep_for_session(self, registry: Registry, credential: Credential) -> None:
        with self._lock:
            source = "DockDesk, until it ends"
            self._session[registry.host] = (
                registry,
                Credential(
                    credential.username,
                    credential.secret,
                    credential.identity_token,
                    credential.registry_token,
                    source,
                ),
            )

    def remove(self, host: str) -> list[str]:
        """Forget a login; returns where it was, in words. Raise LocalError."""
        gone = []
        with self._lock:
            if self._session.pop(host, None) is not None:
                gone.append("this session")
            index = self._index()
            if host in index:
                self._drop_secret(host, index)
                del index[host]
                self._set_index(index)
                gone.append(self.source())
        return gone

    # --- the keyring itself ---

    def _index(self) -> dict[str, Mapping[str, Any]]:
        text = self._get(_INDEX_SERVICE, _INDEX_USER)
        try:
            value = json.loads(text) if text else {}
        except ValueError:
            _log.warning("the list of accounts in the keyring is damaged; it is begun anew")
            value = {}
        if not isinstance(value, dict):
            return {}
        return {host: entry for host, entry in value.items() if isinstance(entry, dict)}

    def _set_index(self, index: Mapping[str, Mapping[str, Any]]) -> None:
        self._set(_INDEX_SERVICE, _INDEX_USER, json.dumps(index))

    def _drop_secret(self, host: str, index: Mapping[str, Mapping[str, Any]]) -> None:
        entry = index.get(host)
        if entry is None:
            return
        from keyring.errors import KeyringError, PasswordDeleteError

        backend = self._opened()
        try:
            backend.delete_password(
                _SERVICE.format(host=host), str(entry.get("user") or "") or "token"
            )
        except PasswordDeleteError:  # it is gone already
            return
        except (KeyringError, RuntimeError, OSError) as error:
            raise _closed(error) from None

    def _get(self, service: str, user: str) -> str:
        from keyring.errors import KeyringError

        backend = self.backend()
        if backend is None:
            return ""
        try:
            return backend.get_password(service, user) or ""
        except (KeyringError, RuntimeError, OSError) as error:
            raise _closed(error) from None

    def _set(self, service: str, user: str, secret: str) -> None:
        from keyring.errors import KeyringError

        backend = self._opened()
        try:
            backend.set_password(service, user, secret)
        except (KeyringError, RuntimeError, OSError) as error:
            # Without the cause: what a backend says may quote what it was given.
            raise _closed(error) from None

    def _opened(self) -> KeyringBackend:
        backend = self.backend()
        if backend is None:
            raise LocalError(
                "The login can't be kept",
                "This system has no keyring.",
                "Install GNOME Keyring or KWallet, or keep it until DockDesk ends.",
            )
        return backend


def _is_safe(backend: Any) -> bool:
    module = type(backend).__module__
    if module in {"keyring.backends.fail", "keyring.backends.null"}:
        return False
    return not module.startswith(_IN_FILES)


def _closed(error: Exception) -> LocalError:
    return LocalError(
        "The keyring did not open",
        f"It failed with {type(error).__name__}.",
        "Unlock it, then try again.",
    )


def _registry(entry: Mapping[str, Any]) -> Registry:
    texts = {name: str(entry.get(name) or "") for name in _FIELDS}
    return Registry(
        texts["host"],
        texts["kind"],
        texts["title"],
        entry.get("plain_http") is True,
        texts["ca_file"],
        texts["endpoint"],
        texts["api"],
    )
