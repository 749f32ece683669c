"""Kinds of project to choose from where a folder shows no sign of any: what a typical one would be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dockdesk.dockerfile.detect.folder import Folder, Project

Detector = Callable[[Folder], Iterator[Project]]

_TYPICAL: Mapping[str, Mapping[str, str]] = {
    "Python": {"requirements.txt": "", "main.py": "import sys\n"},
    "Node.js": {
        "package.json": '{"scripts": {"start": "node server.js"}}',
        "package-lock.json": "{}",
        "server.js": "",
    },
    "Go": {"go.mod": "module app\n\ngo 1.24\n", "main.go": "package main\n"},
    "Java (Maven)": {"pom.xml": "<project/>"},
    "Rust": {"Cargo.toml": '[package]\nname = "app"\n', "Cargo.lock": "", "src/main.rs": ""},
    ".NET": {"app.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"/>'},
    "PHP": {"composer.json": "{}", "index.php": ""},
    "Ruby": {"Gemfile": 'source "https://rubygems.org"\n', "Gemfile.lock": "\n", "config.ru": "\n"},
    "Static site": {"index.html": "<!doctype html>"},
}


class _Imagined(Folder):
    """A folder that is nowhere: its files are given."""

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__(Path())
        self._files = files

    def list(self, inner: str) -> tuple[str, ...]:
        below = f"{inner.rstrip('/')}/" if inner.rstrip("/") else ""
        names = set()
        for path in self._files:
            if path.startswith(below):
                name, slash, _rest = path.removeprefix(below).partition("/")
                names.add(name + slash)
        return tuple(sorted(names))

    def has(self, *names: str) -> bool:
        return any(name in self._files for name in names)

    def text(self, name: str) -> str:
        return self._files.get(name, "")


def typical(detectors: Sequence[Detector]) -> list[Project]:
    """One project of each kind; its evidence names the files that the draft takes for granted."""
    found = []
    for title, files in _TYPICAL.items():
        folder = _Imagined(files)
        projects = [project for detector in detectors for project in detector(folder)]
        best = max(projects, key=lambda project: project.score)
        expected = tuple(f"expects {name}" for name in files if files[name] or "/" not in name)
        found.append(replace(best, title=title, score=0, evidence=expected[:3]))
    return found
