"""Docker Hub as the engine sees it: the sandbox's registry, where it holds what a plain name names.

Its stand-ins are small; where a name is of the catalogue, the engine has the catalogue's image with its true sizes, but
the registry is asked all the same: for permission, for the limit of pulls, and for what somebody pushed meanwhile.
"""

from __future__ import annotations

import re

from dockdesk.sandbox.engine import images, recipes
from dockdesk.sandbox.engine.registry_client import (
    Credentials,
    RegistryClient,
    TransferError,
    split,
)
from dockdesk.sandbox.engine.state import EngineState, SimImage, with_tag

_HOST = re.compile(r"[^/]*[.:][^/]*|localhost")
Manifest = tuple[str, bytes, str]


def place_of(state: EngineState, name: str) -> tuple[str, str] | None:
    """Address and repository of an image's name, without its tag; None where this computer has no such registry."""
    found = split(name)
    if found is not None:
        return found
    name = name.removeprefix("docker.io/")
    first, slash, _ = name.partition("/")
    if not state.hub or (slash and _HOST.fullmatch(first)):
        return None
    return state.hub, name if slash else f"library/{name}"


async def ask(
    state: EngineState, name: str, reference: str, login: Credentials
) -> tuple[RegistryClient, Manifest]:
    """The manifest under a name's tag or digest. Raises TransferError."""
    place = place_of(state, name)
    if place is None:
        host, slash, _ = name.removeprefix("docker.io/").partition("/")
        if slash and _HOST.fullmatch(host):
            raise TransferError(f"{host}: the sandbox reaches registries on this computer only")
        raise TransferError("denied: requested access to the resource is denied", "DENIED")
    client = RegistryClient(place[0], login, place[1], "pull")
    await client.login()
    return client, await client.manifest(reference)


def stock(state: EngineState, name: str, reference: str, digest: str = "") -> SimImage | None:
    """The catalogue's image under a plain name, if that is what has ``digest``; without one, whatever it has there."""
    if split(name) is not None:
        return None
    recipe = images.find_recipe(with_tag(f"{name}:{reference}"))
    if recipe is None or (digest and recipes.package(recipe, state.born).digest != digest):
        return None
    return images.image_of(recipe, state.born)
