#!/usr/bin/env bash
# Writes the lock files: every package that any supported Python and system needs, pinned with the hashes of its files.
# They name no host, so any mirror serves; pip refuses what does not match.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v .venv/bin/uv >/dev/null || .venv/bin/python -m pip install --quiet uv

compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-config "$@"
}

# Installing the project itself takes setuptools, since pip must not fetch an unpinned one.
build="$(mktemp --suffix=.in)"
trap 'rm -f "$build"' EXIT
echo 'setuptools>=77' >"$build"
compile "$@" pyproject.toml "$build" --output-file packaging/requirements.lock
compile "$@" pyproject.toml --group dev "$build" --constraint packaging/requirements.lock \
    --output-file packaging/requirements-dev.lock
compile "$@" --group pyproject.toml:judges --output-file packaging/judges.lock
