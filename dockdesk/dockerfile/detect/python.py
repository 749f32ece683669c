"""Python projects: pip, uv, Poetry, Pipenv; Django, Flask, FastAPI, or a program."""

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
    table,
    text,
    version_choice,
)

PREFERRED = "3.13"
_PLACES = ("", "src/", "app/", "api/", "backend/")
_NAMES = (
    "main.py",
    "app.py",
    "wsgi.py",
    "asgi.py",
    "server.py",
    "run.py",
    "__init__.py",
    "application.py",
)
_ASSIGNED = {
    "fastapi": re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:fastapi\.)?FastAPI\(", re.MULTILINE),
    "flask": re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:flask\.)?Flask\(", re.MULTILINE),
}
_FACTORY = re.compile(r"^def\s+(create_app|make_app)\(", re.MULTILINE)


def detect(folder: Folder) -> Iterator[Project]:
    manager, evidence = _manager(folder)
    packages = _packages(folder)
    framework = next((each for each in ("django", "fastapi", "flask") if each in packages), "")
    if folder.has("manage.py") and "django" in folder.text("manage.py"):
        framework = "django"
    entry, how = _entry(folder, framework)
    if manager == "none" and not framework and not entry:
        return
    score = 60 if manager != "none" else 30
    if framework:
        evidence.append(f"{framework} is used")
        score += 25
    if how:
        evidence.append(how)
        score += 5
    names = {"django": "Django", "fastapi": "FastAPI", "flask": "Flask", "": "program"}
    tools = {"pip": "pip", "uv": "uv", "poetry": "Poetry", "pipenv": "Pipenv", "pyproject": "pip"}
    tool = f", {tools[manager]}" if manager in tools else ""
    port = "8000" if framework else ""
    servers = [each for each in ("gunicorn", "uvicorn", "daphne", "hypercorn") if each in packages]
    yield Project(
        kind="python",
        title=f"Python ({names[framework]}{tool})",
        template="python",
        evidence=tuple(evidence),
        score=score,
        values=(
            ("manager", manager),
            ("framework", framework),
            ("lock", "poetry.lock" if folder.has("poetry.lock") else ""),
        ),
        choices=(
            version_choice(_version(folder)),
            Choice(
                "entry", "Entry point", entry, help="A module, as in app.main:app or script.py."
            ),
            port_choice(port),
        ),
        finish=partial(_finish, framework, tuple(servers)),
    )


def _manager(folder: Folder) -> tuple[str, list[str]]:
    project = folder.toml("pyproject.toml")
    if folder.has("uv.lock") and project:
        return "uv", ["uv.lock"]
    if folder.has("poetry.lock") or inner(project, "tool", "poetry"):
        return "poetry", [
            "poetry.lock" if folder.has("poetry.lock") else "[tool.poetry] in pyproject.toml"
        ]
    if folder.has("Pipfile.lock"):
        return "pipenv", ["Pipfile.lock"]
    if folder.has("requirements.txt"):
        return "pip", ["requirements.txt"]
    if project.get("project"):
        return "pyproject", ["[project] in pyproject.toml"]
    return "none", []


def _packages(folder: Folder) -> set[str]:
    """Names of the packages that the project says it needs, in lower case."""
    project = folder.toml("pyproject.toml")
    lines = folder.text("requirements.txt").splitlines()
    lines += [
        each for each in inner(project, "project", "dependencies") or () if isinstance(each, str)
    ]
    found = {
        match[0].lower() for line in lines if (match := re.match(r"\s*([A-Za-z0-9][\w.-]*)", line))
    }
    found |= {name.strip().lower() for name in found}
    found |= {name.lower() for name in table(inner(project, "tool", "poetry", "dependencies"))}
    found |= {name.lower() for name in table(folder.toml("Pipfile").get("packages"))}
    extras = "\n".join(lines)
    if "fastapi[standard]" in extras or "fastapi[all]" in extras:
        found.add("uvicorn")
    return found


def _version(folder: Folder) -> str:
    pinned = folder.text(".python-version").strip().splitlines()[:1]
    runtime = re.match(r"python-(\d+\.\d+)", folder.text("runtime.txt"))
    if pinned and re.match(r"(cpython-)?3\.\d+", pinned[0]):
        return short(pinned[0])
    if runtime:
        return runtime[1]
    project = folder.toml("pyproject.toml")
    wanted = (
        text(inner(project, "project", "requires-python"))
        or text(inner(project, "tool", "poetry", "dependencies", "python"))
        or text(inner(folder.toml("Pipfile"), "requires", "python_version"))
    )
    return satisfying(wanted, PREFERRED)


def _entry(folder: Folder, framework: str) -> tuple[str, str]:
    if framework == "django":
        settings = re.search(
            r"DJANGO_SETTINGS_MODULE[\"'],\s*[\"']([\w.]+)", folder.text("manage.py")
        )
        package = settings[1].rpartition(".")[0].split(".")[0] if settings else ""
        package = package or next(
            (
                name[:-1]
                for name in sorted(folder.names)
                if name.endswith("/") and folder.has(f"{name}wsgi.py")
            ),
            "project",
        )
        return f"{package}.wsgi:application", f"{package}/wsgi.py"
    for place in (*_PLACES, *(name for name in sorted(folder.names) if name.endswith("/"))):
        for name in _NAMES:
            file = place + name
            source = folder.text(file) if folder.has(file) else ""
            if not source:
                continue
            module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            found = _ASSIGNED[framework].search(source) if framework in _ASSIGNED else None
            if found:
                return f"{module}:{found[1]}", f"{file} makes the application"
            factory = _FACTORY.search(source) if framework == "flask" else None
            if factory:
                return f"{module}:{factory[1]}()", f"{file} makes the application"
    if framework:
        return "app:app", ""
    for file in ("main.py", "app.py", "__main__.py", "run.py", "server.py", "src/main.py"):
        if folder.has(file):
            return file, file
    package = next((n[:-1] for n in sorted(folder.names) if folder.has(f"{n}__main__.py")), "")
    if package:
        return package, f"{package}/__main__.py"
    scripts = [name for name in sorted(folder.names) if name.endswith(".py") and name != "setup.py"]
    return (scripts[0], scripts[0]) if len(scripts) == 1 else ("", "")


def _finish(framework: str, servers: tuple[str, ...], values: Mapping[str, str]) -> dict[str, str]:
    entry, port = values["entry"] or "main.py", values["port"] or "8000"
    note = "The exec form: the program is process 1 and hears signals."
    module = entry.partition(":")[0]
    if framework == "fastapi":
        words = ["uvicorn", entry, "--host", "0.0.0.0", "--port", port]
        if "uvicorn" not in servers:
            note += " Add uvicorn to the project's packages."
    elif framework in ("flask", "django") and "gunicorn" in servers:
        words = ["gunicorn", "--bind", f"0.0.0.0:{port}", "--workers", "2", entry]
    elif framework == "flask":
        words = [
            "python",
            "-m",
            "flask",
            "--app",
            module,
            "run",
            "--host",
            "0.0.0.0",
            "--port",
            port,
        ]
        note += (
            " Flask's own server is for development: with gunicorn among the packages, use that."
        )
    elif framework == "django":
        words = ["python", "manage.py", "runserver", f"0.0.0.0:{port}"]
        note += (
            " Django's own server is for development: with gunicorn among the packages, use that."
        )
    elif entry.endswith(".py"):
        words = ["python", entry]
    else:
        words = ["python", "-m", module]
    return {"command": command(words), "command_note": note}
