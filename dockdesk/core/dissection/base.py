"""What an image was built on, and what a smaller base would save: as far as it can be told, and plainly a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from dockdesk.core.dissection.model import Base, Layer, Smaller
from dockdesk.core.records import dataclass
from dockdesk.core.references import reference_parts
from dockdesk.core.units import bytes_text

BASE_LABEL = "org.opencontainers.image.base.name"
_GAP_S = 24 * 3600.0
_MOST = 5

# Official images that come in smaller forms, by what is added to their tag.
_FORMS: Mapping[str, tuple[str, ...]] = {
    "debian": ("slim",),
    "python": ("slim", "alpine"),
    "node": ("slim", "alpine"),
    "ruby": ("slim", "alpine"),
    "perl": ("slim",),
    "rust": ("slim", "alpine"),
    "golang": ("alpine",),
    "php": ("alpine",),
    "nginx": ("alpine",),
    "httpd": ("alpine",),
    "postgres": ("alpine",),
    "redis": ("alpine",),
    "eclipse-temurin": ("alpine",),
}


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image of the engine: the digests of its layers, the lowest first, and its size in bytes."""

    id: str
    tags: tuple[str, ...]
    size: int
    layers: tuple[str, ...]


def base_of(
    id: str, layers: Sequence[Layer], labels: Mapping[str, str], images: Sequence[LocalImage]
) -> Base | None:
    """The base of an image with these layers, the lowest first; None for one that stands alone."""
    if not layers:
        return None
    digests = tuple(layer.digest for layer in layers)
    below = [
        image
        for image in images
        if image.id != id
        and image.tags
        and 0 < len(image.layers) < len(digests)
        and digests[: len(image.layers)] == image.layers
    ]
    if below:
        nearest = max(below, key=lambda image: len(image.layers))
        count = len(nearest.layers)
        name = nearest.tags[0]
        return Base(
            name,
            "layers",
            count,
            _sum(layers, count),
            smaller_than(name, _sum(layers, count), images),
        )
    named = str(labels.get(BASE_LABEL) or "").removeprefix("docker.io/library/")
    count = _by_times(layers)
    if named:
        size = _sum(layers, count) if count else 0
        return Base(named, "label", count, size, smaller_than(named, size, images))
    if count:
        return Base("", "times", count, _sum(layers, count))
    if len(layers) > 1:
        return Base("", "first", 1, _sum(layers, 1))
    return None


def smaller_than(name: str, size: int, images: Sequence[LocalImage]) -> tuple[Smaller, ...]:
    """Smaller forms of a base: those that are here with their sizes, then well-known ones by name."""
    repository, tag = reference_parts(name)
    held = sorted(
        (
            Smaller(other, image.size)
            for image in images
            for other in image.tags
            if other != name
            and reference_parts(other)[0] == repository
            and (image.size < size if size else True)
        ),
        key=lambda item: item.size,
    )[:_MOST]
    known = {item.name for item in held}
    plain = repository.rpartition("/")[2]
    forms = [
        f"{repository}:{form}" if tag == "latest" else f"{repository}:{tag}-{form}"
        for form in _FORMS.get(plain, ())
        if ":" not in tag and not any(tag.endswith(f) or f"{f}-" in tag for f in _FORMS[plain])
    ]
    return (*held, *(Smaller(form) for form in forms if form not in known))


def base_text(base: Base, stored: int) -> str:
    """What is known of the base in a sentence or two. ``stored`` is the size of all layers in bytes."""
    share = f", {100 * base.size / stored:.0f} % of the image" if stored and base.size else ""
    size = f"{bytes_text(base.size)}{share}"
    match base.how:
        case "layers":
            return f"Built on {base.name}: {size}."
        case "label" if base.layers:
            return f"Its label names {base.name}; going by their age its layers hold {size}."
        case "label":
            return f"Its label names {base.name}, which is not here: how much is the base's is unknown."
        case "times":
            layers = "layer is" if base.layers == 1 else f"{base.layers} layers are"
            return f"No base of it is here. The lowest {layers} a day or more older than the rest: {size}."
    return f"No base of it is here. Its lowest layer holds {size}."


def saving_text(base: Base, choice: Smaller) -> str:
    """What a smaller base would save, and how sure that is."""
    if choice.size < 0:
        return "Not here: pull it to see its size."
    if not base.size:
        return f"{bytes_text(choice.size)} in all."
    less = bytes_text(base.size - choice.size)
    return f"{bytes_text(choice.size)}: about {less} less, if all that is needed is in it."


def _by_times(layers: Sequence[Layer]) -> int:
    """How many of the lowest layers are older than the rest by a day; the widest gap counts. 0: there is none."""
    gaps = [
        (later.created - earlier.created, number)
        for number, (earlier, later) in enumerate(pairwise(layers), 1)
        if earlier.created > 0 and later.created - earlier.created >= _GAP_S
    ]
    return max(gaps)[1] if gaps else 0


def _sum(layers: Sequence[Layer], count: int) -> int:
    return sum(layer.size for layer in layers[:count])
