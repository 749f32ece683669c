"""Settings survive bad files, concurrent saves and other versions of the program."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core import preferences
from dockdesk.core.actions import Danger
from dockdesk.core.environments import Confirmation, Environment, Guard
from dockdesk.core.errors import LocalError
from dockdesk.core.masking import looks_secret
from dockdesk.core.preferences import (
    COLUMN_STATES,
    CONFIRM,
    ENVIRONMENT_MARKS,
    FONT_SIZE,
    LOG_TAIL,
    REMEMBERED,
    SHELL,
    SHOWN,
    THEME,
    TRAY,
    confirmation,
    mark,
    marked,
    remember,
)
from dockdesk.core.settings import Setting, SettingKind, Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def again(path: Path) -> Settings:
    settings = Settings(path)
    assert settings.load() is None
    return settings


def test_values_come_back(path: Path) -> None:
    settings = again(path)
    settings.set(THEME, "dark")
    settings.set(FONT_SIZE, 15)
    settings.set(TRAY, False)
    settings.set(SHELL, "/bin/zsh — 'ü'")
    remember(settings, COLUMN_STATES, "containers", {"widths": [1, 2], "hidden": ["ports"]})
    settings.save()
    back = again(path)
    assert back.get(THEME) == "dark"
    assert back.get(FONT_SIZE) == 15
    assert back.get(TRAY) is False
    assert back.get(SHELL) == "/bin/zsh — 'ü'"
    assert back.get(COLUMN_STATES)["containers"] == {"widths": [1, 2], "hidden": ["ports"]}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\xff\xfe\x00", b"", b"null", b'"text"', b"[" * 100_000],
    ids=["cut off", "list", "binary", "empty", "null", "text", "deep"],
)
def test_a_broken_file_is_put_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    settings = Settings(path)
    warning = settings.load()
    assert warning is not None
    assert "settings.json.bak" in warning.hint
    assert path.with_name("settings.json.bak").read_bytes() == content
    assert settings.get(THEME) == THEME.default
    settings.save()
    assert json.loads(path.read_text()) == {}


def test_what_cannot_be_used_falls_back_and_is_kept(path: Path) -> None:
    path.parent.mkdir()
    odd = {
        "theme": "sepia",
        "font_size": 4000,
        "tray": "yes",
        "log_tail": True,
        "shell": None,
        "environment_marks": [],
        "of_a_newer_version": {"kept": 1},
    }
    path.write_text(json.dumps(odd))
    settings = again(path)
    unusable: list[Setting[Any]] = [THEME, FONT_SIZE, TRAY, LOG_TAIL, SHELL, ENVIRONMENT_MARKS]
    for setting in unusable:
        assert settings.get(setting) == setting.default
    settings.set(FONT_SIZE, 14)
    settings.save()
    assert json.loads(path.read_text()) == {**odd, "font_size": 14}


def test_listeners_hear_changes_only(path: Path) -> None:
    settings = again(path)
    heard: list[object] = []
    any_heard: list[str] = []
    end = settings.listen(THEME, heard.append)
    settings.listen_all(lambda setting: any_heard.append(setting.key))
    settings.set(THEME, "dark")
    settings.set(THEME, "dark")
    settings.set(FONT_SIZE, 14)
    settings.reset(THEME)
    settings.reset(THEME)
    assert heard == ["dark", "system"]
    assert any_heard == ["theme", "font_size", "theme"]
    assert settings.is_default(THEME)
    end()
    end()
    settings.set(THEME, "light")
    assert heard == ["dark", "system"]


def test_wrong_values_are_refused_with_words() -> None:
    settings = Settings()
    wrong: list[tuple[Setting[Any], object]] = [
        (THEME, "sepia"),
        (FONT_SIZE, 9),
        (FONT_SIZE, 23),
        (TRAY, 1),
    ]
    for setting, value in wrong:
        with pytest.raises(ValueError, match=setting.title):
            settings.set(setting, value)
    assert "between 10 and 22 px" in (FONT_SIZE.problem(9) or "")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    settings = Settings(tmp_path / "config" / "settings.json")
    with pytest.raises(LocalError) as raised:
        settings.save()
    assert "could not be saved" in raised.value.title
    assert raised.value.hint


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = again(path)
    settings.set(THEME, "dark")
    settings.save()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    settings.set(THEME, "light")
    with pytest.raises(LocalError, match="No space left"):
        settings.save()
    assert json.loads(path.read_text())["theme"] == "dark"
    assert [item.name for item in path.parent.iterdir()] == ["settings.json"]
    assert settings.get(THEME) == "light", "what was set still applies"


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.json"
    kept.write_text("{}")
    path.parent.mkdir()
    path.symlink_to(kept)
    settings = again(path)
    settings.set(THEME, "dark")
    settings.save()
    assert path.is_symlink()
    assert json.loads(kept.read_text()) == {"theme": "dark"}


def test_saves_at_once_leave_a_whole_file_with_the_newest_values(path: Path) -> None:
    settings = again(path)
    threads = []
    for size in range(FONT_SIZE.minimum, FONT_SIZE.maximum + 1):
        settings.set(FONT_SIZE, size)
        threads.append(threading.Thread(target=settings.save))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert again(path).get(FONT_SIZE) == FONT_SIZE.maximum


@given(st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.text()))
def test_any_values_on_disk_give_usable_settings(values: dict[str, Any]) -> None:
    settings = Settings()
    settings._values = {**values, **dict.fromkeys((item.key for item in SHOWN), None)}
    for setting in SHOWN:
        assert setting.problem(settings.get(setting)) is None


# --- What is declared ---


def test_declarations_are_sound() -> None:
    everything = [item for item in vars(preferences).values() if isinstance(item, Setting)]
    assert {item.key for item in everything} == {item.key for item in (*SHOWN, *REMEMBERED)}
    keys = [item.key for item in everything]
    assert len(set(keys)) == len(keys)
    for item in SHOWN:
        assert item.problem(item.default) is None, item.key
        assert item.title
        assert item.help.endswith(".")
        assert item.group
        assert item.kind is not SettingKind.STATE
        assert bool(item.choices) == (item.kind is SettingKind.CHOICE)


def test_no_setting_is_a_secret() -> None:
    assert not [item.key for item in (*SHOWN, *REMEMBERED) if looks_secret(item.key)]


def environment(guard: Guard = Guard.NORMAL) -> Environment:
    return Environment("docker:prod", "docker", "prod", "ssh://prod", guard=guard)


def test_marks_of_environments(path: Path) -> None:
    settings = again(path)
    assert marked(settings, environment()) == environment()
    mark(settings, environment().marked("red", Guard.PROTECTED))
    settings.save()
    seen = marked(again(path), environment())
    assert (seen.colour, seen.guard) == ("red", Guard.PROTECTED)


@pytest.mark.parametrize("odd", [None, 7, [], {"colour": 3, "guard": "loose"}, {}])
def test_odd_marks_count_as_none(odd: object) -> None:
    settings = Settings()
    settings.set(ENVIRONMENT_MARKS, {"docker:prod": odd})
    assert marked(settings, environment()) == environment()


def test_no_level_asks_less_than_a_protected_environment() -> None:
    for danger in Danger:
        for choice in CONFIRM.choices:
            protected = confirmation(choice.value, environment(Guard.PROTECTED), danger)
            assert protected is environment(Guard.PROTECTED).confirmation(danger)


@pytest.mark.parametrize(
    ("level", "asks"),
    [
        ("changes", [False, True, True, True]),
        ("disrupts", [False, False, True, True]),
        ("destroys", [False, False, False, True]),
    ],
)
def test_levels_of_confirmation(level: str, asks: list[bool]) -> None:
    found = [confirmation(level, environment(), danger) for danger in sorted(Danger)]
    assert [kind is not Confirmation.NONE for kind in found] == asks
