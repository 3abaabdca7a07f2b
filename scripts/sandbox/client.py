"""Start, read and program the sandbox from Python; standard library only, so that anything may import it.

with SandboxProcess() as sandbox: sandbox.fail("429", method="sendMessage", chat_id=7, retry_after=2) ...
assert [entry["text"] for entry in sandbox.outbox("telegram")] == ["Hello"]
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from scripts.sandbox import limits
from scripts.sandbox.json_object import JsonObject

Entry = JsonObject
_ROOT = Path(__file__).resolve().parents[2]
_MAIL_PACKAGE = "aiosmtpd"  # of requirements-demo.txt; the production image does not have it


class SandboxError(Exception):
    """The sandbox did not start, or refused a control request; the text says why."""


class SandboxClient:
    """Talks to the control port of a sandbox that runs already."""

    def __init__(self, control_url: str) -> None:
        self.control_url = control_url.rstrip("/")

    def outbox(self, channel: str | None = None, *, since: int = 0) -> list[Entry]:
        """All remembered entries after `since`, oldest first."""
        entries: list[Entry] = []
        while True:
            query: JsonObject = {"since": since, "limit": limits.OUTBOX_PAGE_MAX}
            if channel is not None:
                query["channel"] = channel
            page = self.control("GET", f"/outbox?{urlencode(query)}")
            entries += page["items"]
            since = page["next_since"]
            if len(page["items"]) < limits.OUTBOX_PAGE_MAX:
                return entries

    def wait_for_outbox(self, count: int, channel: str | None = None, *, timeout_s: float = 10.0) -> list[Entry]:
        """The entries once there are at least `count`; raises SandboxError after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while len(entries := self.outbox(channel)) < count:
            if time.monotonic() > deadline:
                kinds = [entry.get("method") or entry.get("subject") for entry in entries]
                raise SandboxError(f"expected {count} entries within {timeout_s:g} s, got {len(entries)}: {kinds}")
            time.sleep(limits.POLL_INTERVAL_S)
        return entries

    def fail(
        self,
        kind: str,
        *,
        method: str | None = None,
        chat_id: int | str | None = None,
        times: int = 1,
        **details: Any,
    ) -> None:
        """Program the Bot API; details: retry_after, hang_s, description, migrate_to_chat_id."""
        self.control("POST", "/faults", {"kind": kind, "method": method, "chat_id": chat_id, "times": times, **details})

    def fail_mail(self, kind: str, *, stage: str = "data", times: int = 1, **details: Any) -> None:
        """Program the SMTP server; details: code, text, recipient, delay_s."""
        self.control("POST", "/mail-faults", {"kind": kind, "stage": stage, "times": times, **details})

    def configure(self, **settings: Any) -> None:
        """Change rate_limits, tokens, unknown_chats."""
        self.control("PATCH", "/settings", settings)

    def queue_update(self, update: JsonObject, *, bot_id: int | None = None) -> int:
        """Let getUpdates return this update; returns its update_id."""
        path = "/updates" if bot_id is None else f"/updates?bot_id={bot_id}"
        return int(self.control("POST", path, update)["update_id"])

    def person(self, action: str, chat_id: int, *, bot_id: int, **details: Any) -> list[Entry]:
        """Let a person do something in a chat with the bot; returns the updates, which also wait for getUpdates.

        message (text, reply_to, message_thread_id), files (kind, file_ids, caption, filename), edit (message_id, text),
        press (message_id, data or label), react (message_id, emojis), block, unblock. `user_id` and `name` tell who, in
        a group.
        """
        body = {"action": action, "chat_id": chat_id, "bot_id": bot_id, **details}
        updates: list[Entry] = self.control("POST", "/people", body)["updates"]
        return updates

    def make_forum(self, chat_id: int) -> None:
        """Give a group topics: only there do createForumTopic and its like work."""
        self.control("POST", "/forums", {"chat_id": chat_id})

    def store_file(self, content: bytes, *, filename: str, content_type: str = "application/octet-stream") -> str:
        """Make a file that getFile and the download know; returns the file_id to put into an update."""
        path = f"/files?{urlencode({'filename': filename})}"
        return str(self._request("POST", path, content, content_type)["file_id"])

    def clear(self) -> None:
        """Forget entries and faults; sequences and message ids go on."""
        for path in ("/outbox", "/faults", "/mail-faults"):
            self.control("DELETE", path)

    def control(self, method: str, path: str, body: JsonObject | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        return self._request(method, path, content, "application/json")

    def _request(self, method: str, path: str, content: bytes | None, content_type: str) -> Any:
        url = self.control_url + path
        request = urllib.request.Request(url, data=content, method=method)  # noqa: S310 - http, ours
        if content is not None:
            request.add_header("Content-Type", content_type)
        # An HTTP proxy in the environment must not see requests to this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=limits.CONTROL_TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode("utf-8", "replace")
            raise SandboxError(f"{method} {path} answered {error.code}: {text}") from None
        except urllib.error.URLError as error:
            raise SandboxError(f"no sandbox at {self.control_url}: {error.reason}") from error


class SandboxProcess(SandboxClient):
    """A sandbox in a process of its own, on free ports; it ends with us, even if we are killed.

    Without `data_dir` it keeps its files in a temporary folder that `stop` removes.
    """

    def __init__(
        self, data_dir: Path | None = None, *, rate_limits: bool = False, python: str = sys.executable
    ) -> None:
        super().__init__("http://127.0.0.1:0")
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._data_dir = data_dir
        self._rate_limits = rate_limits
        self._python = python
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = {"bot_port": 0, "smtp_port": 0, "control_port": 0}

    @property
    def bot_api_url(self) -> str:
        """TELEGRAM_API_URL. A Bot's base_url is this + "/bot", its base_file_url this + "/file/bot"."""
        return f"http://127.0.0.1:{self._ports['bot_port']}"

    @property
    def smtp_url(self) -> str:
        return f"smtp://127.0.0.1:{self.smtp_port}"

    @property
    def smtp_port(self) -> int:
        return self._ports["smtp_port"]

    @property
    def pid(self) -> int:
        if self._process is None:
            raise SandboxError("the sandbox does not run")
        return self._process.pid

    @property
    def data_dir(self) -> Path:
        if self._data_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="nestor-sandbox-")
            self._data_dir = Path(self._temporary.name)
        return self._data_dir

    def start(self) -> "SandboxProcess":
        """Start and wait until all ports listen; after `kill` or `stop` the same ports are taken again."""
        if self._process is not None:
            raise SandboxError("the sandbox runs already")
        if self._python == sys.executable and importlib.util.find_spec(_MAIL_PACKAGE) is None:
            raise SandboxError(f"the sandbox needs the package {_MAIL_PACKAGE}; install requirements-demo.txt")
        self.data_dir.mkdir(parents=True, exist_ok=True)
        ports_file = self.data_dir / "ports.json"
        ports_file.unlink(missing_ok=True)
        command = [self._python, "-m", "scripts.sandbox", "--data-dir", str(self.data_dir.resolve())]
        command += ["--ports-file", str(ports_file.resolve()), "--exit-with-stdin"]
        for name, port in self._ports.items():
            command += [f"--{name.replace('_', '-')}", str(port)]
        if self._rate_limits:
            command.append("--rate-limits")
        log_path = self.data_dir / "sandbox.log"
        with log_path.open("ab") as log_file:
            # Its own session: Ctrl-C at a terminal reaches us, and we end it in order.
            self._process = subprocess.Popen(
                command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=log_file,
                stderr=log_file,
                start_new_session=True,
            )
        try:
            ports = self._wait_for_ports(ports_file, log_path)
        except BaseException:
            self.kill()
            raise
        self._ports = {name: int(ports[name]) for name in self._ports}
        self.control_url = f"http://127.0.0.1:{self._ports['control_port']}"
        return self

    def stop(self) -> None:
        """End it (SIGTERM, then SIGKILL when it takes too long) and remove a temporary data folder."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(limits.STOP_S_MAX * 2)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._finish()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._data_dir = None

    def kill(self) -> None:
        """kill -9; the data folder stays, `start` brings it back."""
        if self._process is not None:
            self._process.kill()
            self._finish()

    def _finish(self) -> None:
        assert self._process is not None
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None

    def _wait_for_ports(self, ports_file: Path, log_path: Path) -> JsonObject:
        assert self._process is not None
        deadline = time.monotonic() + limits.START_S_MAX
        while not ports_file.exists():
            if self._process.poll() is not None:
                raise SandboxError(f"the sandbox ended at once; its log says: {_tail(log_path)}")
            if time.monotonic() > deadline:
                raise SandboxError(f"the sandbox did not listen within {limits.START_S_MAX:g} s; see {log_path}")
            time.sleep(limits.POLL_INTERVAL_S)
        ports: JsonObject = json.loads(ports_file.read_text())
        return ports

    def __enter__(self) -> "SandboxProcess":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, os.path.getsize(path) - 2_000))
        return file.read().decode("utf-8", "replace").strip() or "(nothing)"
