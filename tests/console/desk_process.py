"""One desk of the demo for all tests of the console: `python -m scripts.desk`, with its sandbox, on a free port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from tests.services.folder import ServiceFolder
from tests.services.ports import free_port
from tests.services.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "nestor-demo"
START_S = 60.0  # migrations and seeds on a machine under load
_STOP_S = 20.0


class ConsoleDesk:
    """A running demo. `ask` calls its API with the demo's key; `telegram` and `mail` are what its customers send."""

    def __init__(self) -> None:
        self.folder = ServiceFolder("console")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = iter(range(1, 1_000_000))
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NESTOR_")}
        command = [sys.executable, "-m", "scripts.desk", "--port", str(self.port)]
        with open(self.folder.path / "out", "wb") as out:
            self._process = subprocess.Popen(
                [*command, "--data-dir", str(self.folder.path / "var")],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.folder.track(self._process.pid)
        wait_until(self._is_up, within_s=START_S, what=f"the desk (see {self.folder.path})")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(_STOP_S)
        self.folder.untrack(self._process.pid)
        self.folder.close()

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder.path / "out").read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def number(self) -> int:
        """A number that no other test gets."""
        with self._lock:
            return next(self._numbers)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the API as the demo's key."""
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Authorization", "Bearer demo-key")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with urllib.request.urlopen(request, timeout=20) as response:
            content = response.read()
        return json.loads(content) if content else None

    def telegram(self, text: str, *, name: str = "Ada", chat: int | None = None, locale: str = "en") -> dict[str, Any]:
        """Let a customer write to the bot; returns the ticket once the desk has it and finds it by its words."""
        number = self.number()
        chat = chat or 70_000 + number
        sender = {"id": chat, "is_bot": False, "first_name": name, "language_code": locale}
        message = {
            "message_id": number,
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private"},
            "from": sender,
            "text": text,
        }
        body = json.dumps({"update_id": number, "message": message}).encode()
        request = urllib.request.Request(f"{self.url}/webhooks/telegram/demo", data=body, method="POST")
        request.add_header("X-Telegram-Bot-Api-Secret-Token", "demo-secret")
        with urllib.request.urlopen(request, timeout=20):
            pass
        ticket = self.ticket_of(text)
        query = urlencode({"q": text.split(",")[0]})
        wait_until(
            lambda: any(one["id"] == ticket["id"] for one in self.ask("GET", f"/v1/tickets?{query}")["items"]),
            within_s=20.0,
            what=f"the search for {text!r}",
        )
        return ticket

    def ticket_of(self, text: str) -> dict[str, Any]:
        """Wait for the ticket whose title begins with this text."""
        found: list[dict[str, Any]] = []

        def appears() -> bool:
            items = self.ask("GET", "/v1/tickets?sort=-created_at&limit=100")["items"]
            found.extend(one for one in items if one["title"].startswith(text[:40]))
            return bool(found)

        wait_until(appears, within_s=20.0, what=f"the ticket {text!r}")
        return found[0]
