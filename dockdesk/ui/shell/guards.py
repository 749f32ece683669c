"""How the guards of environments are told: in a word, an icon and a sentence."""

from __future__ import annotations

from dockdesk.core.environments import Guard

GUARD_TITLES: dict[Guard, str] = {
    Guard.NORMAL: "normal",
    Guard.PROTECTED: "protected",
    Guard.READ_ONLY: "read-only",
}
GUARD_ICONS: dict[Guard, str] = {
    Guard.NORMAL: "shield",
    Guard.PROTECTED: "shield-check",
    Guard.READ_ONLY: "shield-lock",
}
GUARD_HELP: dict[Guard, str] = {
    Guard.NORMAL: "Changes run at once; what interrupts or destroys is asked about.",
    Guard.PROTECTED: "Every change is asked about; to destroy, the name is typed.",
    Guard.READ_ONLY: "Nothing can be changed.",
}
