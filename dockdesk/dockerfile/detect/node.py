"""Node.js projects: npm, Yarn, pnpm, Bun; Next.js, pages that Vite and its like build, TypeScript, plain programs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

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

PREFERRED = "22"
_MINORS = {"18": "18.20", "20": "20.19", "22": "22.17", "24": "24.4"}
_SERVERS = ("express", "fastify", "koa", "@nestjs/core", "hono", "@hapi/hapi", "restify", "polka")
_STATIC = {"vite": "dist", "react-scripts": "build", "@vue/cli-service": "dist", "parcel": "dist"}
_LOCKS = {"bun.lock": "bun", "bun.lockb": "bun", "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn"}
_EXEC_NOTE = "The exec form: the program is process 1 and hears signals."


def detect(folder: Folder) -> Iterator[Project]:
    package = folder.json("package.json")
    if not package:
        return
    locks = [
        name for name in (*_LOCKS, "package-lock.json", "npm-shrinkwrap.json") if folder.has(name)
    ]
    named = text(package.get("packageManager")).partition("@")[0]
    manager = (
        named if named in ("npm", "pnpm", "yarn", "bun") else _LOCKS.get((locks or [""])[0], "npm")
    )
    needs = {**table(package.get("dependencies")), **table(package.get("devDependencies"))}
    evidence = ["package.json", *locks]
    framework, words = _framework(folder, package, needs)
    if words:
        evidence.append(words)
    titles = {
        "next": "Next.js",
        "next-standalone": "Next.js",
        "static": "static pages",
        "build": "built by a script",
        "": "program",
    }
    score = 60 + (25 if framework else 0) + (5 if locks else 0)
    if manager == "bun" and framework in ("", "build"):
        yield _bun(folder, package, locks, evidence, score)
        return
    manager = "npm" if manager == "bun" else manager
    values = {
        "framework": framework,
        "manager": manager,
        "build": "",
        "public": "yes" if "public/" in folder.names else "",
        **_installing(folder, manager, package),
    }
    if framework:
        values["build"] = f"{manager} run build"
    port = _port(package, framework, needs)
    choices = [version_choice(_version(folder, package))]
    if framework == "static":
        tool = next(name for name in (*_STATIC, "") if name in needs or not name)
        choices.append(Choice("output", "Folder that is built", _STATIC.get(tool, "dist")))
    else:
        if framework == "build":
            choices.append(Choice("output", "Folder that is built", _out_dir(folder)))
        choices += [
            Choice("entry", "Entry point", _main(folder, package, framework)),
            port_choice(port),
        ]
    yield Project(
        kind="node",
        title=f"Node.js ({titles[framework]}, {manager})",
        template="node",
        evidence=tuple(evidence),
        score=score,
        values=tuple(values.items()),
        choices=tuple(choices),
        finish=partial(_finish, framework, text(inner(package, "scripts", "start"))),
    )


def _framework(
    folder: Folder, package: Mapping[str, Any], needs: Mapping[str, Any]
) -> tuple[str, str]:
    if "next" in needs:
        config = "".join(folder.text(f"next.config.{end}") for end in ("js", "mjs", "ts"))
        alone = re.search(r"output\s*:\s*[\"']standalone", config)
        return ("next-standalone" if alone else "next"), "next is used"
    builds = bool(text(inner(package, "scripts", "build")))
    tool = next((name for name in _STATIC if name in needs), "")
    if tool and builds and not any(name in needs for name in _SERVERS):
        return "static", f"{tool} builds pages"
    if builds and ("typescript" in needs or folder.has("tsconfig.json")):
        return "build", "TypeScript, built by a script"
    server = next((name for name in _SERVERS if name in needs), "")
    return "", f"{server} is used" if server else ""


def _installing(folder: Folder, manager: str, package: Mapping[str, Any]) -> dict[str, str]:
    """How packages are installed: everything, or what runs alone; and what is taken away after a build."""
    if manager == "pnpm":
        lock = folder.has("pnpm-lock.yaml")
        frozen = " --frozen-lockfile" if lock else ""
        return {
            "manifests": "package.json pnpm-lock.yaml" if lock else "package.json",
            "cache": "/root/.local/share/pnpm/store",
            "install": f"pnpm install{frozen}",
            "install_production": f"pnpm install --prod{frozen}",
            "prune": "pnpm prune --prod",
        }
    if manager == "yarn":
        lock = folder.has("yarn.lock")
        classic = not re.match(r"yarn@([2-9]|\d\d)", text(package.get("packageManager")))
        frozen = (" --frozen-lockfile" if classic else " --immutable") if lock else ""
        production = (
            f"yarn install --production{frozen}"
            if classic
            else "yarn workspaces focus --production"
        )
        return {
            "manifests": "package.json yarn.lock" if lock else "package.json",
            "cache": "/usr/local/share/.cache/yarn" if classic else "/root/.yarn/berry/cache",
            "install": f"yarn install{frozen}",
            "install_production": production,
            "prune": f"{production} --ignore-scripts --prefer-offline" if classic else production,
        }
    lock = folder.has("package-lock.json", "npm-shrinkwrap.json")
    install = "npm ci" if lock else "npm install"
    return {
        "manifests": "package*.json",
        "cache": "/root/.npm",
        "install": install,
        "install_production": f"{install} --omit=dev",
        "prune": "npm prune --omit=dev",
    }


def _version(folder: Folder, package: Mapping[str, Any]) -> str:
    pinned = (folder.text(".nvmrc") or folder.text(".node-version")).strip().removeprefix("v")
    if re.match(r"\d", pinned):
        version = short(pinned)
    else:
        version = satisfying(text(inner(package, "engines", "node")), PREFERRED, 1)
    return version if "." in version else _MINORS.get(version, version)


def _out_dir(folder: Folder) -> str:
    found = re.search(
        r'^\s*"outDir"\s*:\s*"(?:\./)?([\w./-]+?)/?"', folder.text("tsconfig.json"), re.MULTILINE
    )
    return found[1] if found else "dist"


def _main(folder: Folder, package: Mapping[str, Any], framework: str) -> str:
    start = text(inner(package, "scripts", "start"))
    started = re.fullmatch(r"node\s+(?:\./)?([\w./-]+)", start.strip())
    if started:
        return started[1] if started[1].endswith(("js", "mjs", "cjs")) else f"{started[1]}.js"
    main = text(package.get("main")).removeprefix("./")
    if main and (framework == "build" or folder.has(main)):
        return main
    if framework == "build":
        return f"{_out_dir(folder)}/index.js"
    return next(
        (name for name in ("server.js", "index.js", "app.js", "src/index.js") if folder.has(name)),
        "index.js",
    )


def _port(package: Mapping[str, Any], framework: str, needs: Mapping[str, Any]) -> str:
    start = text(inner(package, "scripts", "start"))
    named = re.search(r"(?:-p|--port|PORT=)[ =]?(\d{2,5})", start)
    if named:
        return named[1]
    return "3000" if framework.startswith("next") or any(name in needs for name in _SERVERS) else ""


def _finish(framework: str, start: str, values: Mapping[str, str]) -> dict[str, str]:
    if framework == "static":
        return {"command": "", "command_note": ""}
    if framework == "next":
        return {"command": command(["node_modules/.bin/next", "start"]), "command_note": _EXEC_NOTE}
    if framework == "next-standalone":
        return {"command": command(["node", "server.js"]), "command_note": _EXEC_NOTE}
    try:
        words = shlex.split(start)
    except ValueError:
        words = []
    plain = words[:1] == ["node"] and not re.search(r"[&|;<>$`]", start)
    entry = values.get("entry") or "index.js"
    if plain and len(words) > 2:
        options = [word for word in words[1:] if word.startswith("-")]
        return {"command": command(["node", *options, entry]), "command_note": _EXEC_NOTE}
    note = _EXEC_NOTE + " npm start in its place would not pass signals on."
    return {"command": command(["node", entry]), "command_note": note}


def _bun(
    folder: Folder, package: Mapping[str, Any], locks: list[str], evidence: list[str], score: int
) -> Project:
    lock = next((name for name in locks if name.startswith("bun.")), "")
    main = text(package.get("module")) or text(package.get("main"))
    entry = main or next(
        (
            name
            for name in ("index.ts", "src/index.ts", "server.ts", "index.js")
            if folder.has(name)
        ),
        "index.ts",
    )
    return Project(
        kind="node",
        title="Bun",
        template="bun",
        evidence=tuple(evidence),
        score=score + 3,
        values=(
            ("manifests", f"package.json {lock}".strip()),
            ("frozen", " --frozen-lockfile" if lock else ""),
        ),
        choices=(
            version_choice("1.2"),
            Choice("entry", "Entry point", entry.removeprefix("./")),
            Choice(
                "port", "Port", "3000", pattern=r"[1-9]\d{0,4}", help="A number from 1 to 65535."
            ),
        ),
        finish=lambda values: {
            "command": command(["bun", "run", values["entry"]]),
            "command_note": _EXEC_NOTE,
        },
    )
