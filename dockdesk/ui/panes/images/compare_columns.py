"""What two images differ in, as rows, without Qt."""

from __future__ import annotations

from dockdesk.core.columns import CellKind, Column, Tone
from dockdesk.core.dissection.compare import Comparison, LayerPair, Setting
from dockdesk.core.dissection.model import UNCHANGED, WORDS
from dockdesk.core.masking import masked_value
from dockdesk.core.units import bytes_text
from dockdesk.ui.panes.images.file_columns import TONES


def value_text(setting: Setting, value: str | None) -> str:
    """A setting's value; secrets in variables are not shown."""
    if value is None:
        return "–"
    return masked_value(setting.name, value) if setting.what == "Environment" else value


def _tone(setting: Setting) -> Tone:
    return TONES[setting.change] if setting.change != UNCHANGED else "muted"


SETTING_COLUMNS: tuple[Column[Setting], ...] = (
    Column(
        "what", "Setting", lambda row: (row.what, row.name),
        lambda row: f"{row.what} {row.name}".rstrip(), CellKind.STRONG, width=210,
        tip=lambda row: f"{row.what} {row.name}",
    ),
    Column(
        "change", "Change", lambda row: row.change, lambda row: WORDS[row.change] or "the same",
        CellKind.PILL, width=110, tone=_tone,
    ),
    Column(
        "before", "Before", lambda row: row.before, lambda row: value_text(row, row.before),
        CellKind.MONO, width=220, stretch=True, tip=lambda row: value_text(row, row.before),
    ),
    Column(
        "after", "After", lambda row: row.after, lambda row: value_text(row, row.after),
        CellKind.MONO, width=220, stretch=True, tip=lambda row: value_text(row, row.after),
    ),
)  # fmt: skip


def _side(instruction: str, size: int) -> str:
    return f"{bytes_text(size)}  {instruction}" if instruction else "–"


LAYER_COLUMNS: tuple[Column[LayerPair], ...] = (
    Column("number", "#", lambda row: row.number, lambda row: str(row.number), CellKind.NUMBER, width=48),
    Column(
        "shared", "Layer", lambda row: row.shared, lambda row: "shared" if row.shared else "own",
        CellKind.PILL, width=100, tone=lambda row: "good" if row.shared else "info",
    ),
    Column(
        "before", "Before", lambda row: row.before_size,
        lambda row: _side(row.before, row.before_size), CellKind.MONO, width=200, stretch=True,
        tip=lambda row: row.before,
    ),
    Column(
        "after", "After", lambda row: row.after_size,
        lambda row: _side(row.after, row.after_size), CellKind.MONO, width=200, stretch=True,
        tip=lambda row: row.after,
    ),
)  # fmt: skip


def summary_text(found: Comparison) -> str:
    """What differs in one line."""
    delta = found.after - found.before
    sign = "+" if delta > 0 else "−" if delta < 0 else "±"
    settings = sum(setting.change != UNCHANGED for setting in found.settings)
    shared = sum(pair.shared for pair in found.layers)
    counts = ((found.added, "added"), (found.changed, "changed"), (found.removed, "removed"))
    files = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    return "  ·  ".join(
        (
            f"{bytes_text(found.before)} → {bytes_text(found.after)} ({sign}{bytes_text(abs(delta))})",
            f"files: {files}" if files else "the same files",
            _settings_text(settings),
            f"{shared} of {len(found.layers)} layers shared",
        )
    )


def _settings_text(count: int) -> str:
    if not count:
        return "the same settings"
    return "1 setting differs" if count == 1 else f"{count} settings differ"
