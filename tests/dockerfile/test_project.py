"""Projects of all kinds, as they lie on a disk: what they are taken for, and that the drafts are good Dockerfiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.work import SilentWork
from dockdesk.dockerfile.context import scan
from dockdesk.dockerfile.detect.folder import satisfying
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.lint import hadolint
from dockdesk.dockerfile.lint.merge import merge
from dockdesk.dockerfile.lint.rules import check
from dockdesk.dockerfile.project import Draft, Project, detect, draft
from dockdesk.dockerfile.syntax import parse
from dockdesk.dockerfile.templating import render


def package(**fields: object) -> str:
    return json.dumps({"name": "x", **fields})


POM = "<project><properties><java.version>17</java.version></properties>{}</project>"
SPRING = "<parent><artifactId>spring-boot-starter-parent</artifactId></parent>"
WEB = '<Project Sdk="Microsoft.NET.Sdk.Web"><TargetFramework>net8.0</TargetFramework></Project>'
CONSOLE = '<Project Sdk="Microsoft.NET.Sdk"><TargetFramework>net6.0</TargetFramework></Project>'
MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")  # django\n'

# name: (files, title, lines that the Dockerfile must have)
PROJECTS: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "flask": (
        {"requirements.txt": "Flask\ngunicorn\n", "app.py": "app = Flask(__name__)\n", ".python-version": "3.11.4"},
        "Python (Flask, pip)",
        ["FROM python:3.11-slim", 'CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--workers", "2", "app:app"]'],
    ),
    "flask factory": (
        {"requirements.txt": "flask\n", "shop/__init__.py": "def create_app():\n    return Flask()\n"},
        "Python (Flask, pip)",
        ['CMD ["python", "-m", "flask", "--app", "shop", "run", "--host", "0.0.0.0", "--port", "8000"]'],
    ),
    "fastapi uv": (
        {
            "pyproject.toml": '[project]\nname="x"\nrequires-python=">=3.12"\ndependencies=["fastapi[standard]"]\n',
            "uv.lock": "",
            "src/main.py": "api: FastAPI = FastAPI()\n",
        },
        "Python (FastAPI, uv)",
        ["COPY pyproject.toml uv.lock ./", 'CMD ["uvicorn", "src.main:api", "--host", "0.0.0.0", "--port", "8000"]'],
    ),
    "django poetry": (
        {
            "pyproject.toml": '[tool.poetry.dependencies]\npython="^3.10"\ndjango="^5"\ngunicorn="*"\n',
            "poetry.lock": "",
            "manage.py": MANAGE,
            "shop/wsgi.py": "",
        },
        "Python (Django, Poetry)",
        ["COPY pyproject.toml poetry.lock ./", '"shop.wsgi:application"]'],
    ),
    "django": ({"manage.py": MANAGE, "requirements.txt": "Django\n"}, "Python (Django, pip)", ["runserver"]),
    "pipenv": (
        {"Pipfile": '[packages]\nflask="*"\n[requires]\npython_version="3.10"\n', "Pipfile.lock": "{}", "main.py": ""},
        "Python (Flask, Pipenv)",
        ["FROM python:3.10-slim", "COPY Pipfile Pipfile.lock ./"],
    ),
    "pyproject": (
        {"pyproject.toml": '[project]\nname="tool"\n', "tool/__main__.py": "", "tool/__init__.py": ""},
        "Python (program, pip)",
        ['CMD ["python", "-m", "tool"]'],
    ),
    "no lock": ({"pyproject.toml": '[tool.poetry]\nname="x"\n', "main.py": ""}, "Python (program, Poetry)", []),
    "script": ({"job.py": "print(1)\n"}, "Python (program)", ['CMD ["python", "job.py"]']),
    "express": (
        {
            "package.json": package(
                dependencies={"express": "4"}, scripts={"start": "node server.js"}, engines={"node": ">=18"}
            ),
            "package-lock.json": "{}",
            "server.js": "",
        },
        "Node.js (program, npm)",
        ["FROM node:22.17-slim", "npm ci --omit=dev", 'CMD ["node", "server.js"]', "EXPOSE 3000"],
    ),
    "node yarn": (
        {"package.json": package(main="lib/x.js", engines={"node": "20.x"}), "yarn.lock": "", "lib/x.js": ""},
        "Node.js (program, yarn)",
        ["FROM node:20.19-slim", "yarn install --production --frozen-lockfile", 'CMD ["node", "lib/x.js"]'],
    ),
    "berry": (
        {"package.json": package(packageManager="yarn@4.1.0"), "yarn.lock": ""},
        "Node.js (program, yarn)", ["focus"]),
    "node bare": ({"package.json": package()}, "Node.js (program, npm)", ["npm install --omit=dev"]),
    "next": (
        {
            "package.json": package(dependencies={"next": "15"}, scripts={"build": "next build"}),
            "pnpm-lock.yaml": "",
            "public/x.png": "",
            ".nvmrc": "v20.11.1",
        },
        "Node.js (Next.js, pnpm)",
        ["FROM node:20.11-slim", "pnpm run build", 'CMD ["node_modules/.bin/next", "start"]', "/app/public"],
    ),
    "next standalone": (
        {
            "package.json": package(dependencies={"next": "15"}, scripts={"build": "next build"}),
            "next.config.mjs": "export default { output: 'standalone' }",
            "package-lock.json": "{}",
        },
        "Node.js (Next.js, npm)",
        ["/app/.next/standalone", 'CMD ["node", "server.js"]'],
    ),
    "vite": (
        {
            "package.json": package(devDependencies={"vite": "6"}, scripts={"build": "vite build"}),
            "package-lock.json": "{}",
            "index.html": "",
        },
        "Node.js (static pages, npm)",
        ["COPY --from=build /app/dist /usr/share/nginx/html"],
    ),
    "typescript": (
        {
            "package.json": package(
                devDependencies={"typescript": "5"},
                dependencies={"fastify": "5"},
                scripts={"build": "tsc", "start": "node --enable-source-maps out/main.js"},
            ),
            "tsconfig.json": '{\n  // comment\n  "compilerOptions": {\n    "outDir": "./out"\n  }\n}',
            "package-lock.json": "{}",
        },
        "Node.js (built by a script, npm)",
        ["/app/out ./out", "npm prune --omit=dev"],
    ),
    "bun": (
        {"package.json": package(module="src/index.ts"), "bun.lock": ""},
        "Bun",
        ['CMD ["bun", "run", "src/index.ts"]', "--frozen-lockfile"],
    ),
    "go": (
        {
            "go.mod": "module example.org/shop/v2\n\ngo 1.22.1\n",
            "go.sum": "",
            "main.go": "package main\nhttp.ListenAndServe()",
        },
        "Go",
        ["golang:1.22 AS build", "-o /out/shop .", "EXPOSE 8080"],
    ),
    "go cmd": (
        {"go.mod": "module x\ngo 1.21\n", "cmd/server/main.go": "package main"},
        "Go",
        ["-o /out/server ./cmd/server", "COPY go.mod ./"],
    ),
    "maven": (
        {"pom.xml": POM.format(SPRING), "src/main/java/A.java": ""},
        "Java (Spring Boot, Maven)", ["maven:3.9-eclipse-temurin-17", "EXPOSE"]),
    "maven plain": ({"pom.xml": POM.format(""), "src/A.java": ""}, "Java (Maven)", ["eclipse-temurin:17-jre"]),
    "gradle": (
        {"build.gradle.kts": "java { toolchain { languageVersion.set(JavaLanguageVersion.of(21)) } }"},
        "Java (Gradle)",
        ["gradle:8.14-jdk21", "gradle --no-daemon build"],
    ),
    "gradle spring": (
        {"build.gradle": "plugins { id 'org.springframework.boot' }\nsourceCompatibility = '11'"},
        "Java (Spring Boot, Gradle)",
        ["jdk11", "bootJar"],
    ),
    "rust": (
        {
            "Cargo.toml": '[package]\nname = "tool-x"\n[dependencies]\naxum = "0.8"\n',
            "Cargo.lock": "",
            "src/main.rs": "",
            "rust-toolchain.toml": '[toolchain]\nchannel = "1.80.1"\n',
        },
        "Rust",
        ["rust:1.80-slim-bookworm", "--locked --bin tool-x", 'ENTRYPOINT ["/tool-x"]', "EXPOSE 8080"],
    ),
    "rust bin": ({"Cargo.toml": '[package]\nname="a"\n[[bin]]\nname="b"\npath="x.rs"\n'}, "Rust", ["--bin b"]),
    "dotnet web": ({"Shop.csproj": WEB}, ".NET (ASP.NET Core)", ["aspnet:8.0", "Shop.dll", "USER 1654"]),
    "dotnet console": (
        {"src/Job/Job.csproj": CONSOLE},
        ".NET (console)",
        ["runtime:6.0", "COPY src/Job/Job.csproj ./src/Job/", "USER 10001"],
    ),
    "laravel": (
        {
            "composer.json": package(require={"php": "^8.2", "laravel/framework": "^11"}),
            "composer.lock": "{}",
            "artisan": "",
            "public/index.php": "",
        },
        "PHP (Laravel)",
        ["php:8.4-apache", "/var/www/html/public", "--chown=www-data:www-data"],
    ),
    "composer": ({"composer.json": package(require={"php": "~8.1.0"})}, "PHP (Composer)", ["php:8.1"]),
    "php": ({"index.php": ""}, "PHP (pages)", ["COPY . ."]),
    "rails": (
        {"Gemfile": 'ruby "3.3.1"\ngem "rails"\n', "Gemfile.lock": "", "config.ru": ""},
        "Ruby (Rails)",
        ["ruby:3.3 AS build", "assets:precompile", '"rails", "server"'],
    ),
    "sinatra": (
        {"Gemfile": "gem 'sinatra'\n", "app.rb": "", ".ruby-version": "ruby-3.2.2\n"},
        "Ruby (Sinatra)",
        ["ruby:3.2-slim", '"ruby", "app.rb"'],
    ),
    "rack": ({"Gemfile": "gem 'rack'\n", "config.ru": ""}, "Ruby (Rack)", ["rackup"]),
    "ruby": ({"Gemfile": "ruby '~> 3.3'\n", "main.rb": ""}, "Ruby (program)", ["ruby:3.4-slim"]),
    "hugo": ({"hugo.toml": "", "content/x.md": ""}, "Static site (Hugo)", ["hugo --minify"]),
    "static": ({"index.html": "<p>"}, "Static site", ["COPY . /usr/share/nginx/html"]),
    "static inner": ({"site/index.html": "<p>"}, "Static site", ["COPY ./site/ /usr/share/nginx/html"]),
}  # fmt: skip


def put(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


def best(folder: Path) -> Project:
    return detect(folder)[0]


def judge(made: Draft, folder: Path) -> None:
    """It reads, lints clean by all rules, fits its context, and each line of weight is explained."""
    document = parse(made.dockerfile)
    assert not document.problems
    rules = IgnoreRules.parse(made.dockerignore)
    assert not rules.problems
    context = scan(folder, rules, SilentWork())
    told = merge(
        document, check(document, context), hadolint.run(made.dockerfile, None, SilentWork())
    )
    assert not told, made.dockerfile
    assert "{{" not in made.dockerfile
    assert document.stages[-1].instructions[-1].form == "json"
    lines = made.dockerfile.split("\n")
    for note in made.notes:
        assert lines[note.line].strip()
        assert note.text.endswith((".", "…"))
        assert "{{" not in note.text
    ignored = made.dockerignore.split("\n")
    assert all(ignored[note.line].strip() for note in made.ignore_notes)
    explained = {note.line for note in made.notes}
    for keyword in ("USER", "FROM"):
        for each in document.instructions:
            assert each.keyword != keyword or each.first in explained, made.dockerfile


@pytest.mark.parametrize("name", PROJECTS)
def test_a_project_is_known_and_its_draft_is_good(name: str, tmp_path: Path) -> None:
    files, title, lines = PROJECTS[name]
    put(tmp_path, files)
    project = best(tmp_path)
    assert project.title == title
    assert project.evidence
    made = draft(project)
    for line in lines:
        assert line in made.dockerfile, made.dockerfile
    judge(made, tmp_path)


@pytest.mark.parametrize(
    "name", ["flask", "express", "go", "maven", "rust", "dotnet web", "rails", "typescript"]
)
def test_choices_change_the_draft(name: str, tmp_path: Path) -> None:
    put(tmp_path, PROJECTS[name][0])
    project = best(tmp_path)
    changed = {
        "version": "9.8",
        "port": "1234",
        "binary": "other",
        "assembly": "Other",
        "entry": "other.main",
    }
    values = {each.id: changed.get(each.id, each.value) for each in project.choices}
    made = draft(project, values)
    assert "9.8" in made.dockerfile
    judge(made, tmp_path)
    ids = {each.id for each in project.choices}
    if "port" in ids:
        assert "1234" in made.dockerfile
        assert "EXPOSE" not in draft(project, {**values, "port": ""}).dockerfile
        judge(draft(project, {"port": ""}), tmp_path)


@pytest.mark.parametrize(
    ("id", "value"),
    [
        ("version", "3.13\nRUN evil"),
        ("version", ""),
        ("port", "70000"),
        ("port", "x"),
        ("entry", 'a"]\nUSER root'),
    ],
)
def test_what_could_not_stand_in_a_dockerfile_is_refused(
    id: str, value: str, tmp_path: Path
) -> None:
    project = best(put(tmp_path, PROJECTS["flask"][0]))
    with pytest.raises(InvalidInputError) as caught:
        draft(project, {id: value})
    assert caught.value.field == id


def test_several_kinds_are_ranked(tmp_path: Path) -> None:
    put(tmp_path, PROJECTS["flask"][0])
    put(tmp_path, {"index.html": "", "package.json": package()})
    found = detect(tmp_path)
    assert [each.kind for each in found] == ["python", "node", "static"]
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_nothing_is_made_of_nothing(tmp_path: Path) -> None:
    assert detect(tmp_path) == []
    assert detect(tmp_path / "none") == []
    assert detect(put(tmp_path, {"notes.txt": "x"})) == []


@pytest.mark.parametrize(
    "files",
    [
        {
            "package.json": "{",
            "pyproject.toml": "[",
            "Cargo.toml": "=",
            "composer.json": "[]",
            "pom.xml": "<",
        },
        {"package.json": '{"scripts": 5, "dependencies": [], "engines": "x", "main": {}}'},
        {
            "pyproject.toml": '[project]\nname="x"\ndependencies=[1, {}]\n',
            "requirements.txt": "-r x\n\0\n",
        },
        {"Cargo.toml": "bin = 5\n[package]\nname = 7\n"},
        {"composer.json": '{"require": []}', "Gemfile": "\xff", "go.mod": "x"},
        {"X Y.csproj": WEB},
    ],
)
def test_malformed_projects_make_no_trouble(files: dict[str, str], tmp_path: Path) -> None:
    for project in detect(put(tmp_path, files)):
        assert not parse(draft(project).dockerfile).problems


def test_odd_names_do_not_get_into_the_dockerfile(tmp_path: Path) -> None:
    put(tmp_path, {"go.mod": 'module x/"; rm\ngo 1.22\n', "main.go": ""})
    project = best(tmp_path)
    with pytest.raises(InvalidInputError):
        draft(project)
    assert not parse(draft(project, {"binary": "x"}).dockerfile).problems


def test_secrets_stay_behind(tmp_path: Path) -> None:
    put(tmp_path, PROJECTS["express"][0])
    put(
        tmp_path,
        {
            ".env": "A=1",
            "web/.env.local": "A=1",
            "tls/server.key": "-----BEGIN PRIVATE KEY-----",
            ".git/x": "",
        },
    )
    put(tmp_path, {".env.example": "A="})
    rules = IgnoreRules.parse(draft(best(tmp_path)).dockerignore)
    context = scan(tmp_path, rules, SilentWork())
    assert context.secrets == ()
    assert not rules.excludes(".env.example")


@pytest.mark.parametrize(
    ("requirement", "preferred", "parts", "chosen"),
    [
        ("", "3.13", 2, "3.13"),
        (">=3.10", "3.13", 2, "3.13"),
        (">=3.10,<3.12", "3.13", 2, "3.10"),
        ("^3.10", "3.13", 2, "3.13"),
        ("==3.11.*", "3.13", 2, "3.11"),
        ("~=3.9", "3.13", 2, "3.13"),
        ("~> 3.2.1", "3.4", 2, "3.2"),
        ("18.x", "22", 1, "18"),
        ("^18 || ^20", "22", 1, "20"),
        (">=18 <21", "22", 1, "18"),
        ("22 || 24", "22", 1, "22"),
        ("lts/*", "22", 1, "22"),
    ],
)
def test_versions_meet_what_is_asked(
    requirement: str, preferred: str, parts: int, chosen: str
) -> None:
    assert satisfying(requirement, preferred, parts) == chosen


def test_templates_choose_nest_and_explain() -> None:
    template = "#if a\n#> One {{x}}.\nA {{x}}\n#if b=2\nB\n#else\nC\n#end\n#else\nD\n#end\nE"
    made = render(template, {"a": "yes", "x": "1", "b": "2"})
    assert made.text == "A 1\nB\nE\n"
    assert [(note.line, note.text) for note in made.notes] == [(0, "One 1.")]
    assert render(template, {"a": "", "x": "1"}).text == "D\nE\n"
    assert render(template, {"a": "y", "x": "1"}).text == "A 1\nC\nE\n"
    for broken in ("#if a", "#end", "#> note", "{{none}}"):
        with pytest.raises(ValueError, match=r"\w"):
            render(broken, {})
