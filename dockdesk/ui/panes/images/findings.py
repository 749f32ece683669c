"""What a dissection found, as rows under headings, without Qt."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.core.columns import CellKind, Column, Tone
from dockdesk.core.dissection.base import base_text, saving_text
from dockdesk.core.dissection.model import Dissection, Found, Waste
from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text, percent_text
from dockdesk.models.arrangement import Grouping
from dockdesk.ui.descriptions import StatCard

WASTED, CACHES, BASE = "Wasted space", "Caches left behind", "A smaller base"
PRIVILEGED, WRITABLE, BIGGEST = "Setuid and setgid", "Anyone may write", "Biggest files"
_ORDER = (WASTED, CACHES, BASE, PRIVILEGED, WRITABLE, BIGGEST)
_TONES: dict[str, Tone] = {WASTED: "warn", CACHES: "warn", PRIVILEGED: "warn", WRITABLE: "warn"}
_GOOD = 0.95
_FAIR = 0.85


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``layer`` counts from 1, 0 for what is of none; ``path`` may be a name where there is no file."""

    place: int
    group: str
    path: str
    size: int
    layer: int
    note: str

    @property
    def key(self) -> str:
        return f"{self.group}\0{self.place}"


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer in the list beside its files; ``share`` of the largest, 0.0 to 1.0. ``base``: of the base image."""

    number: int
    instruction: str
    size: int
    share: float
    wasted: int
    changes: str
    base: bool


def layer_rows(image: Dissection) -> list[LayerRow]:
    """All layers, the lowest first, as a Dockerfile is read."""
    largest = max((layer.size for layer in image.layers), default=0) or 1
    lowest = image.base.layers if image.base is not None else 0
    return [
        LayerRow(
            number,
            layer.instruction or "(no instruction)",
            layer.size,
            layer.size / largest,
            layer.wasted,
            changes_text(layer.added, layer.changed, layer.removed),
            number <= lowest,
        )
        for number, layer in enumerate(image.layers, 1)
    ]


def changes_text(added: int, changed: int, removed: int) -> str:
    parts = [
        f"{sign}{count:,}"
        for sign, count in zip("+~−", (added, changed, removed), strict=True)
        if count
    ]
    return "  ".join(parts) or "none"


def layer_tip(row: LayerRow) -> str:
    base = "\nOf its base, as far as can be told." if row.base else ""
    return f"{row.instruction}\n\nFiles and folders: {row.changes}{base}"


LAYER_COLUMNS: tuple[Column[LayerRow], ...] = (
    Column("number", "#", lambda row: row.number, lambda row: str(row.number), CellKind.NUMBER, width=48),
    Column(
        "instruction", "Layer", lambda row: row.instruction, lambda row: row.instruction,
        CellKind.MONO, width=110, stretch=True, tip=layer_tip,
        tone=lambda row: "muted" if row.base else "neutral",
    ),
    Column(
        "size", "Size", lambda row: row.size, lambda row: bytes_text(row.size), CellKind.BAR,
        width=112, fraction=lambda row: row.share,
    ),
    Column(
        "wasted", "Wasted", lambda row: row.wasted,
        lambda row: bytes_text(row.wasted) if row.wasted else "–", CellKind.NUMBER, width=80,
        tone=lambda row: "warn" if row.wasted else "muted",
        tip=lambda _row: "Bytes of this layer that later layers replace or remove.",
    ),
)  # fmt: skip


FINDING_COLUMNS: tuple[Column[Finding], ...] = (
    Column(
        "path", "What", lambda row: (_ORDER.index(row.group), row.place), lambda row: row.path,
        CellKind.MONO, width=320, stretch=True, tip=lambda row: row.path,
    ),
    Column(
        "size", "Size", lambda row: row.size if row.size >= 0 else None,
        lambda row: bytes_text(row.size) if row.size >= 0 else "", CellKind.NUMBER, width=90,
    ),
    Column(
        "layer", "Layer", lambda row: row.layer, lambda row: str(row.layer or ""), CellKind.NUMBER, width=64,
    ),
    Column(
        "note", "Why", lambda row: row.note, lambda row: row.note, width=360, stretch=True,
        tone=lambda _row: "muted", tip=lambda row: row.note,
    ),
)  # fmt: skip


def findings(image: Dissection) -> list[Finding]:
    """All of it, the most worthwhile first."""
    report = image.report
    rows = [
        Finding(n, WASTED, w.path, w.size, w.written[0], waste_text(w))
        for n, w in enumerate(report.waste)
    ]
    rows += _found(CACHES, report.caches)
    rows += _base(image)
    rows += _found(PRIVILEGED, report.privileged)
    rows += _found(WRITABLE, report.writable)
    rows += [
        Finding(n, BIGGEST, f.path, f.size, f.layer, _share(f.size, report.final))
        for n, f in enumerate(report.biggest[:50])
    ]
    return rows


def waste_text(waste: Waste) -> str:
    """Why bytes of a path don't show."""
    layers = _layers(waste.ended)
    if waste.removed and len(waste.ended) == 1:
        return f"Removed in {layers}: remove it in the RUN that makes it."
    if waste.same:
        return (
            f"Written again in {layers} with the same content: its owner, mode or time was changed."
        )
    if waste.removed:
        return f"Written again and removed in {layers}."
    return f"Written again in {layers}."


def grouping(image: Dissection) -> Grouping[Finding]:
    """Findings under headings that sum them up."""
    report = image.report

    def detail(rows: Sequence[Finding]) -> str:
        group = rows[0].group
        if group == WASTED:
            cut = "" if report.waste_count <= len(report.waste) else f", {len(rows)} shown"
            return f"{bytes_text(report.wasted)} in {_count(report.waste_count, 'file')}{cut}"
        if group == CACHES:
            return bytes_text(sum(row.size for row in rows))
        if group == WRITABLE:
            return _count(report.writable_count, "path")
        return _count(len(rows), "file") if group in (PRIVILEGED, BIGGEST) else ""

    return Grouping(lambda row: row.group, detail, order=_ORDER.index)


def cards(image: Dissection) -> list[StatCard]:
    """The figures above the findings."""
    report, base = image.report, image.base
    share = report.efficiency
    tone: Tone = "good" if share >= _GOOD else "warn" if share >= _FAIR else "bad"
    caches = sum(found.size for found in report.caches)
    named = base.name or "its lowest layers" if base is not None else ""
    return [
        StatCard("efficiency", "Efficiency", efficiency_text(share),
                 f"{bytes_text(report.final)} shown of {bytes_text(report.stored)} stored", tone),
        StatCard("wasted", "Wasted", bytes_text(report.wasted),
                 _count(report.waste_count, "file") + " replaced or removed later",
                 "warn" if report.wasted and share < _GOOD else "neutral"),
        StatCard("caches", "Caches", bytes_text(caches),
                 _count(len(report.caches), "folder") + " that the build left behind"
                 if caches else "none that is known", "warn" if caches else "neutral"),
        StatCard("base", "Base", bytes_text(base.size) if base is not None and base.size else "unknown",
                 f"estimate: {named}" if base is not None and base.how != "layers" else named or "it stands alone"),
    ]  # fmt: skip


def efficiency_text(share: float) -> str:
    """Never “100 %” where a byte is wasted."""
    return "100 %" if share == 1.0 else f"{min(99.9, share * 100):.1f} %"


def _base(image: Dissection) -> list[Finding]:
    base = image.base
    if base is None:
        return []
    rows = [
        Finding(
            0,
            BASE,
            base.name or "base layers",
            base.size or -1,
            base.layers,
            base_text(base, image.report.stored),
        )
    ]
    rows += [
        Finding(number, BASE, choice.name, choice.size, 0, saving_text(base, choice))
        for number, choice in enumerate(base.smaller, 1)
    ]
    return rows


def _found(group: str, found: Sequence[Found]) -> list[Finding]:
    return [
        Finding(number, group, item.path, item.size, item.layer, item.note)
        for number, item in enumerate(found)
    ]


def _share(size: int, whole: int) -> str:
    return f"{percent_text(100 * size / whole)} of all files" if whole else ""


def _layers(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"layer {numbers[0]}"
    return f"layers {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _count(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
