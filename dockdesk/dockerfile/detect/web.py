"""PHP, Ruby and static sites."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial

from dockdesk.dockerfile.detect.folder import (
    Choice,
    Folder,
    Project,
    command,
    inner,
    port_choice,
    satisfying,
    short,
    text,
    version_choice,
)

PREFERRED_PHP = "8.4"
PREFERRED_RUBY = "3.4"
_HUGO = ("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json")


def php(folder: Folder) -> Iterator[Project]:
    composer = folder.json("composer.json")
    laravel = folder.has("artisan") or inner(composer, "require", "laravel/framework") is not None
    pages = [name for name in ("index.php", "public/index.php") if folder.has(name)]
    if not composer and not pages:
        return
    root = "/var/www/html/public" if laravel or folder.has("public/index.php") else "/var/www/html"
    lock = folder.has("composer.lock")
    evidence = [
        name for name in ("composer.json", "composer.lock", "artisan") if folder.has(name)
    ] + pages
    wanted = text(inner(composer, "require", "php"))
    yield Project(
        kind="php",
        title=f"PHP ({'Laravel' if laravel else 'Composer' if composer else 'pages'})",
        template="php",
        evidence=tuple(evidence),
        score=85 if laravel else 65 if composer else 55,
        values=(
            ("composer", "yes" if composer else ""),
            ("manifests", "composer.json composer.lock" if lock else "composer.json"),
            ("owner", "--chown=www-data:www-data " if laravel else ""),
        ),
        choices=(
            version_choice(satisfying(wanted, PREFERRED_PHP)),
            Choice("root", "Folder that is served", root, pattern=r"/[\w./-]+"),
        ),
    )


def ruby(folder: Folder) -> Iterator[Project]:
    gems = folder.text("Gemfile")
    if not gems:
        return
    rails = re.search(r"^\s*gem\s+[\"']rails[\"']", gems, re.MULTILINE) is not None
    sinatra = re.search(r"^\s*gem\s+[\"']sinatra", gems, re.MULTILINE) is not None
    rack = folder.has("config.ru")
    lock = folder.has("Gemfile.lock")
    framework = "rails" if rails else "rack" if rack else "sinatra" if sinatra else ""
    names = {
        "rails": "Rails",
        "rack": "Sinatra" if sinatra else "Rack",
        "sinatra": "Sinatra",
        "": "program",
    }
    entry = next(
        (name for name in ("app.rb", "main.rb", "server.rb") if folder.has(name)), "main.rb"
    )
    production = " RAILS_ENV=production RAILS_LOG_TO_STDOUT=1" if rails else " RACK_ENV=production"
    yield Project(
        kind="ruby",
        title=f"Ruby ({names[framework]})",
        template="ruby",
        evidence=tuple(
            name for name in ("Gemfile", "Gemfile.lock", "config.ru", entry) if folder.has(name)
        ),
        score=85 if rails else 75 if framework else 60,
        values=(
            ("framework", framework),
            ("manifests", "Gemfile Gemfile.lock" if lock else "Gemfile"),
            ("deployment", "1" if lock else "0"),
            ("environment", production),
        ),
        choices=(
            version_choice(_ruby_version(folder, gems)),
            Choice("entry", "Entry point", entry, pattern=r"[\w./-]+"),
            port_choice({"rails": "3000", "rack": "9292", "sinatra": "4567"}.get(framework, "")),
        ),
        finish=partial(_ruby_command, framework),
    )


def _ruby_version(folder: Folder, gems: str) -> str:
    pinned = re.match(r"(?:ruby-)?(\d+\.\d+)", folder.text(".ruby-version").strip())
    if pinned:
        return pinned[1]
    named = re.search(r"^\s*ruby\s+[\"']([^\"']+)[\"']", gems, re.MULTILINE)
    if named and named[1][:1].isdigit():
        return short(named[1])
    return satisfying(named[1] if named else "", PREFERRED_RUBY)


def _ruby_command(framework: str, values: Mapping[str, str]) -> dict[str, str]:
    port = values["port"]
    words = {
        "rails": ["bundle", "exec", "rails", "server", "-b", "0.0.0.0", "-p", port or "3000"],
        "rack": ["bundle", "exec", "rackup", "--host", "0.0.0.0", "--port", port or "9292"],
        "sinatra": [
            "bundle",
            "exec",
            "ruby",
            values["entry"],
            "-o",
            "0.0.0.0",
            "-p",
            port or "4567",
        ],
    }.get(framework, ["bundle", "exec", "ruby", values["entry"]])
    return {
        "command": command(words),
        "command_note": "The exec form: the program is process 1 and hears signals.",
    }


def static(folder: Folder) -> Iterator[Project]:
    hugo = next((name for name in _HUGO if folder.has(name)), "")
    if not hugo and "content/" in folder.names and folder.has("config.toml"):
        hugo = "config.toml"
    if hugo:
        yield Project(
            kind="static",
            title="Static site (Hugo)",
            template="static",
            evidence=(hugo,),
            score=80,
            values=(("hugo", "yes"), ("root", ".")),
        )
        return
    for place in ("", "public/", "site/", "www/", "html/", "docs/"):
        if folder.has(f"{place}index.html"):
            yield Project(
                kind="static",
                title="Static site",
                template="static",
                evidence=(f"{place}index.html",),
                score=40 if not place else 20,
                choices=(Choice("root", "Folder that is served", f"./{place}" if place else "."),),
            )
            return


DETECTORS = (php, ruby, static)
