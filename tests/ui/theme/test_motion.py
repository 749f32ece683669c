"""Reduced motion, asked of a settings portal on a message bus of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon")
pytest.importorskip("jeepney")

# A portal that knows one setting, given as namespace, key, type and value. It says when it is there, and changes the
# setting to the second value when it is told to on its standard input.
PORTAL = """
import sys
import threading
from jeepney import DBusAddress, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

namespace, key, kind, now, later = sys.argv[1:]
value = lambda text: int(text) if kind == "u" else text == "true"
bus = open_dbus_connection(bus="SESSION")
bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.portal.Desktop"))
address = DBusAddress(
    "/org/freedesktop/portal/desktop", interface="org.freedesktop.portal.Settings"
)

def change():
    sys.stdin.readline()
    body = (namespace, key, (kind, value(later)))
    bus.send(new_signal(address, "SettingChanged", "ssv", body))

threading.Thread(target=change, daemon=True).start()
print("there", flush=True)
while True:
    message = bus.receive()
    if message.header.message_type is not MessageType.method_call:
        continue
    if list(message.body) == [namespace, key]:
        bus.send(new_method_return(message, "v", (("v", (kind, value(now))),)))
    else:
        bus.send(new_error(message, "org.freedesktop.portal.Error.NotFound", "s", ("none",)))
"""

CLIENT = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from dockdesk.ui.theme.motion import SystemMotion

app = QApplication([])
motion = SystemMotion()
motion.changed.connect(lambda: print(motion.reduced, flush=True))
motion.start()
QTimer.singleShot(60_000, app.quit)
app.exec()
"""


@pytest.fixture
def bus() -> Iterator[dict[str, str]]:
    """The environment of a session with a message bus of its own."""
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    yield {**os.environ, "DBUS_SESSION_BUS_ADDRESS": daemon.stdout.readline().strip()}
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


@pytest.mark.parametrize(
    "setting",
    [
        ("org.freedesktop.appearance", "reduced-motion", "u", "1", "0"),
        ("org.gnome.desktop.interface", "enable-animations", "b", "false", "true"),
    ],
)
def test_the_portal_is_asked_and_heard(bus: dict[str, str], setting: tuple[str, ...]) -> None:
    portal = subprocess.Popen(
        [sys.executable, "-c", PORTAL, *setting],
        env=bus,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    client = None
    try:
        assert portal.stdout is not None
        assert portal.stdout.readline().strip() == "there"
        client = subprocess.Popen(
            [sys.executable, "-c", CLIENT],
            env=bus,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert client.stdout is not None
        assert client.stdout.readline().strip() == "True"
        assert portal.stdin is not None
        portal.stdin.write("change\n")
        portal.stdin.flush()
        assert client.stdout.readline().strip() == "False"
    finally:
        for process in (client, portal):
            if process is not None:
                process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()
