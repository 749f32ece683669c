#!/usr/bin/env bash
# Starts DockDesk from a clone: checks that there is a screen, installs what is missing, and hands over.
set -euo pipefail
cd "$(dirname "$0")/.."

needs=run
case " $* " in
    *" doctor "* | *" pictures "* | *" --vnc"* | *" --version "* | *" --help "* | *" -h "*) needs=plain ;;
    *)
        if [ "$(uname)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
            echo "There is no display here: 'make run ARGS=--vnc' serves the window on loopback for a VNC viewer," \
                "and 'make pictures' ('dockdesk pictures --out FOLDER') draws every pane to PNG files." >&2
            exit 1
        fi
        ;;
esac
packaging/setup.sh $needs
exec .venv/bin/dockdesk "$@"
