#!/usr/bin/env bash
# Installs what one make target needs, says what, and is quick when all of it is there.
#
#   packaging/setup.sh run    the program and Qt's libraries for a window
#   packaging/setup.sh plain  the program, for use without a screen
#   packaging/setup.sh dev    the program and the tools that check it
#   packaging/setup.sh test   the same, and the engines and simulations that tests start
set -euo pipefail
cd "$(dirname "$0")/.."
readonly kind="${1:?usage: setup.sh run|plain|dev|test}"
readonly venv=.venv
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1
# dockerd and iptables live where a plain user's PATH does not look.
export PATH="$PATH:/usr/sbin:/sbin"

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# --- system packages ---

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    else sudo ${CI:+-n} "$@"; fi
}

can_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }
}

apt_install() {
    local options=(-y -q --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
    # The lists of a new machine are missing or old: look again before giving up.
    as_root apt-get install "${options[@]}" "$@" </dev/null >&2 || {
        say "looking for newer package lists"
        as_root apt-get update -q </dev/null >&2 && as_root apt-get install "${options[@]}" "$@" </dev/null >&2
    }
}

present() {
    local name="${1#*:}"
    case "$1" in
        lib:*) grep -qF -- "$name " <<<"$libraries" ;;
        cmd:*) command -v "$name" >/dev/null ;;
        static:*)
            local path
            path="$(command -v "$name")" && ! LC_ALL=C ldd "$path" >/dev/null 2>&1 ;;
    esac
}

# Prints the packages that the given lists name and this machine lacks.
missing() {
    local list need package
    for list in "$@"; do
        while read -r need package; do
            case "$need" in '' | '#'*) continue ;; esac
            present "$need" || echo "$package"
        done <"packaging/system/$list.txt"
    done | sort -u | tr '\n' ' '
}

system_packages() {
    [ "$(uname)" = Linux ] || return 0
    libraries="$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null || true)"
    local wanted
    wanted="$(missing "$@")"
    [ -n "$wanted" ] || return 0
    if ! can_install; then
        say "missing: $wanted"
        say "cannot install them: that takes apt, and root or sudo. Install what your system calls them."
        return 1
    fi
    say "installing with apt: $wanted"
    # shellcheck disable=SC2086 # a list of words
    apt_install $wanted || { say "apt could not install: $wanted"; return 1; }
}

# --- Python ---

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local name
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if new_enough "$name"; then "$name" -c 'import sys; print(sys.executable)'; return; fi
    done
    return 1
}

make_venv() {
    if [ -x $venv/bin/python ] && new_enough $venv/bin/python && $venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    local python
    if ! python="$(find_python)"; then
        can_install || fail "Python 3.11 or newer is needed and was not found."
        say "installing with apt: python3 python3-venv"
        apt_install python3 python3-venv || fail "apt could not install Python."
        python="$(find_python)" || fail "this system's Python is older than 3.11; install a newer one and set PYTHON to it."
    fi
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        local package
        package="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        can_install || fail "$python lacks its venv module; install $package."
        say "installing with apt: $package"
        apt_install "$package" || fail "apt could not install $package."
    fi
    say "making $venv with $("$python" --version)"
    rm -rf $venv
    "$python" -m venv $venv
}

stamp_of() { cat "$@" pyproject.toml dockdesk/__init__.py | cksum | tr ' ' '-'; }

python_packages() {
    local lock="packaging/$1.lock" stamp="$venv/.$1-installed"
    make_venv
    # The tools come on top of the program's own packages, so a tree that has them has all.
    local have="$venv/.requirements-dev-installed"
    if [ "$(cat "$stamp" 2>/dev/null)" = "$(stamp_of "$lock")" ] ||
        [ "$(cat "$have" 2>/dev/null)" = "$(stamp_of packaging/requirements-dev.lock)" ]; then
        return
    fi
    say "installing Python packages from $lock into $venv (about $2 MB)"
    # A person sees how far it is; a log does not want a line a package.
    local quiet=-qq
    [ ! -t 2 ] || quiet=
    $venv/bin/python -m pip install $quiet --require-hashes -r "$lock" </dev/null >&2
    $venv/bin/python -m pip install -qq --no-deps --no-build-isolation --no-index -e . </dev/null >&2
    stamp_of "$lock" >"$stamp"
}

# Other simulations of AWS: one pins a botocore that is not the tests' own, so they live apart.
judges() {
    local place="$venv/judges" lock=packaging/judges.lock
    if [ "$(cat "$place/.installed" 2>/dev/null)" = "$(cksum <"$lock")" ]; then
        return
    fi
    say "installing Python packages from $lock into $place (about 170 MB)"
    rm -rf "$place"
    $venv/bin/python -m venv "$place" &&
        "$place/bin/python" -m pip install -qq --require-hashes -r "$lock" </dev/null >&2 &&
        cksum <"$lock" >"$place/.installed"
}

# --- what each target needs ---

case "$kind" in
    run)
        system_packages qt xcb || say "going on without them; the window may not open"
        python_packages requirements 300
        ;;
    plain)
        system_packages qt || say "going on without them"
        python_packages requirements 300
        ;;
    dev)
        python_packages requirements-dev 420
        ;;
    test)
        system_packages qt || fail "the tests need Qt's libraries."
        if ! system_packages engines; then
            [ -z "${CI:-}" ] || fail "in CI the tests with real engines must run."
            say "going on: tests that need an engine that is not here are skipped"
        fi
        python_packages requirements-dev 420
        if ! judges; then
            [ -z "${CI:-}" ] || fail "in CI the sandbox must be judged."
            say "going on: tests that compare the sandbox with other simulations are skipped"
        fi
        ;;
    *) fail "unknown target: $kind" ;;
esac
