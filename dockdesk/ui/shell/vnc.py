"""Keeps Qt's VNC screen on this computer.

Qt's platform listens on every interface and asks for no password: whoever reaches the port has the user's containers.
It can't be told otherwise, so its listening socket is replaced by one on the loopback interface before anything is
accepted; what has knocked on the old one until then is turned away by the kernel. From elsewhere one comes in through
ssh: `ssh -L 5900:127.0.0.1:5900 host`. Source: qtbase, src/plugins/platforms/vnc/qvnc.cpp.
"""

from __future__ import annotations

import os
import socket

from PySide6.QtCore import QCoreApplication

from dockdesk.core.errors import LocalError

LOOPBACK = "127.0.0.1"


def listen_on_loopback(port: int) -> None:
    """Replace the listening TCP socket of this process by one on 127.0.0.1:``port``.

    Call it once QApplication is made and before its loop runs. Raises LocalError where that is not possible; the
    program must not go on then.
    """
    # Qt begins to listen with its first posted event. Sent this way nothing is read from any file meanwhile.
    QCoreApplication.sendPostedEvents()
    listeners = [fd for fd in _open_files() if _is_open_listener(fd)]
    if not listeners:
        raise LocalError("The VNC screen could not be made safe", "Its socket was not found")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as safe:
        safe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            safe.bind((LOOPBACK, port))
            safe.listen(5)
        except OSError as error:
            raise LocalError(
                f"Port {port} can't be used",
                error.strerror or str(error),
                "Give another: --vnc PORT",
            ) from error
        safe.setblocking(False)
        os.dup2(safe.fileno(), listeners[0], inheritable=False)
    for fd in listeners[1:]:
        with socket.socket(fileno=os.dup(fd)) as other:
            other.shutdown(socket.SHUT_RDWR)


def _open_files() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd")]


def _is_open_listener(fd: int) -> bool:
    """Whether a file is a TCP socket that takes connections from any interface."""
    try:
        copy = os.dup(fd)
    except OSError:
        return False  # it was the folder's own, closed meanwhile
    try:
        found = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return False
    with found:
        if found.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        try:
            if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return False
        except OSError:
            return False
        return found.getsockname()[0] in ("0.0.0.0", "::")
