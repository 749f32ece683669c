"""Says hello over HTTP, with nothing but Python's standard library."""

from __future__ import annotations

import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

HERE = Path(__file__).parent
PORT = int(os.environ.get("PORT", "8000"))
GREETING = os.environ.get("GREETING", "Hello from a container")


class Handler(BaseHTTPRequestHandler):
    visits = 0

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, "text/plain", b"ok\n")
        elif self.path == "/style.css":
            self.answer(200, "text/css", (HERE / "static" / "style.css").read_bytes())
        elif self.path == "/":
            Handler.visits += 1
            page = Template((HERE / "static" / "index.html").read_text(encoding="utf-8"))
            filled = page.safe_substitute(
                greeting=GREETING, host=socket.gethostname(), visits=Handler.visits
            )
            self.answer(200, "text/html; charset=utf-8", filled.encode())
        else:
            self.answer(404, "text/plain", b"There is nothing here.\n")

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    server = ThreadingHTTPServer(("", PORT), Handler)
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit(0))
    print(f"Listening on port {PORT}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
