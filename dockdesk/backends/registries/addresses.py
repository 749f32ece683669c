"""Hosts and URLs: what is this computer, which proxy leads where, what may be shown of a URL."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether a host, with or without port, is this computer itself."""
    name = host_name(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """A host without its port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, which tell whether two URLs lead to the same server. Raise ValueError for no URL."""
    parts = urlsplit(url)
    scheme, name = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in _PORTS or not name:
        raise ValueError("no address of a web server")
    return scheme, name, parts.port or _PORTS[scheme]


def netloc(url: str) -> str:
    """Host, and port where it is not the usual one, as in an image's name."""
    scheme, name, port = origin(url)
    shown = f"[{name}]" if ":" in name else name
    return shown if port == _PORTS[scheme] else f"{shown}:{port}"


def is_private(url: str) -> bool:
    """Whether nobody on the way can read along: TLS, or this computer."""
    scheme, name, _ = origin(url)
    return scheme == "https" or is_loopback(f"[{name}]" if ":" in name else name)


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY …); never one for this computer itself."""
    scheme, name, port = origin(url)
    if is_loopback(f"[{name}]" if ":" in name else name):
        return None
    found = getproxies()
    proxy = found.get(scheme) or found.get("all")
    if not proxy or proxy_bypass(f"{name}:{port}"):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def shown(url: str) -> str:
    """A URL as it may be shown: without its query and user, where upload states and signatures are."""
    try:
        scheme, _, _ = origin(url)
        return f"{scheme}://{netloc(url)}{urlsplit(url).path}"
    except ValueError:
        return "an address that is none"
