"""Run the embedded desk until Ctrl-C."""

from __future__ import annotations

import argparse
import ipaddress
import os
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from models.kernel.errors import ConfigurationError
from models.kernel.telemetry import logs
from scripts import _cli
from scripts.desk.folder import DataFolder

if TYPE_CHECKING:  # a desk without the demo never loads it
    from scripts.sandbox.client import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
_start_timeout_s = 30.0  # migrations and seeds take a second; a slow disk gets thirty
_stop_timeout_s = 15.0  # longer than the desk's own shutdown


class Desk:
    """The supervisor: prepares, starts, waits, stops."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.folder = DataFolder(Path(options.data_dir))
        self.demo = not options.no_demo
        scheme = "https" if options.tls else "http"
        self.url = f"{scheme}://{_in_url(options.host)}:{options.port}"
        self._stopping = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None
        self._sandbox: SandboxProcess | None = None

    def run(self) -> int:
        os.umask(0o077)  # password hashes, mails and logs are this user's alone
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stopping.set())
        self._check_address()
        self.folder.take()
        if self.options.reset:
            if not self.demo:
                _confirm_reset(self.folder)
            self.folder.reset()
            _cli.progress("removed the old data")
        environment = self._environment()
        try:
            if self.demo:
                environment.update(self._start_sandbox())
            self._prepare(environment)
            code = 130 if self._stopping.is_set() else self._serve(environment)
        finally:
            self._stop()
        return code

    def _check_address(self) -> None:
        host, port = self.options.host, self.options.port
        if self.demo and not _is_loopback(host):
            raise ConfigurationError(
                f"the demo's passwords are public, so it listens on this machine only, not on {host}; use"
                " --no-demo for others"
            )
        if not _is_loopback(host) and not self.options.tls and not self.options.behind_proxy:
            raise ConfigurationError(
                f"on {host}, passwords and tickets would cross the network in clear text. Give a certificate (--tls"
                " CERT KEY), or listen on 127.0.0.1 behind a proxy that has one. If a proxy on another machine does,"
                " add --behind-proxy"
            )
        self._check_certificate()
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise ConfigurationError(
                    f"port {port} on {host} cannot be used ({error.strerror}); choose another with --port"
                ) from error

    def _check_certificate(self) -> None:
        if not self.options.tls:
            return
        cert, key = self.options.tls
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
        except OSError as error:  # ssl.SSLError is one
            raise ConfigurationError(
                f"--tls {cert} {key}: expected a certificate and its key in PEM files ({error})"
            ) from error

    def _environment(self) -> dict[str, str]:
        cert, key = self.options.tls or ("", "")
        # The desk itself does not see a proxy; only the operator knows that there is one.
        proxies = {"TRUSTED_PROXIES": "1"} if self.options.behind_proxy and "TRUSTED_PROXIES" not in os.environ else {}
        return {
            **os.environ,
            **proxies,
            "NESTOR_TLS_CERT": cert and str(Path(cert).resolve()),
            "NESTOR_TLS_KEY": key and str(Path(key).resolve()),
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self.folder.database_url,
            "BROKER_URL": "embedded://",
            "BLOB_URL": self.folder.blob_url,
            "PORT": str(self.options.port),
            "NESTOR_BIND": self.options.host,
            "PUBLIC_URL": self._public_url(),
            "SECRET_KEY": self.folder.secret_key(),
            **({"MONITOR_OPEN": "true"} if self.demo else {}),
        }

    def _public_url(self) -> str:
        """The address in links. The demo's is its own; a desk for others keeps the one of its operator."""
        return self.url if self.demo else os.environ.get("PUBLIC_URL") or self.url

    def _start_sandbox(self) -> dict[str, str]:
        from scripts.sandbox.client import SandboxError, SandboxProcess

        sandbox = SandboxProcess(self.folder.path / "sandbox")
        self._sandbox = sandbox
        try:
            sandbox.start()
        except SandboxError as error:
            raise ConfigurationError(f"{error}; --no-demo starts without the sandbox") from error
        _cli.progress("sandbox: a Telegram Bot API and a mail catcher")
        return {
            "TELEGRAM_API_URL": sandbox.bot_api_url,
            "SANDBOX_URL": sandbox.control_url,
            "TICK_TOKEN": "demo-secret",
            "NESTOR_SECRET_TELEGRAM_DEMO_TOKEN": "1000001:demo-bot-token",
            "NESTOR_SECRET_TELEGRAM_DEMO_SECRET_TOKEN": "demo-secret",
            "NESTOR_SECRET_EMAIL_DEMO_BEARER": "demo-secret",
            "NESTOR_SECRET_EMAIL_DEMO_SMTP_URL": sandbox.smtp_url,
            "NESTOR_SECRET_WEBHOOK_DEMO_BEARER": "demo-secret",
            "NESTOR_SECRET_WEBHOOK_DEMO_REPLY_URL": f"{sandbox.control_url}/hooks",
        }

    def _prepare(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "scripts.bootstrap", *(["--demo"] if self.demo else [])]
        # In a session of its own: Ctrl-C must not cut a migration, which takes a second, in two.
        done = subprocess.run(command, env=environment, check=False, start_new_session=True)
        if done.returncode != 0:
            raise ConfigurationError("the desk could not be prepared; see the line above")

    def _serve(self, environment: dict[str, str]) -> int:
        read_end, self._alive = os.pipe()  # its end tells gunicorn that this process is gone
        os.set_inheritable(read_end, True)
        log_path = self.folder.path / "desk.log"
        with open(log_path, "ab") as log:
            self._server = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gunicorn",
                    "-c",
                    str(ROOT / "scripts/desk/gunicorn_conf.py"),
                    "scripts.desk.app:create_app()",
                ],
                env={**environment, "NESTOR_PARENT_PIPE": str(read_end)},
                pass_fds=(read_end, self.folder.lock_fd),
                start_new_session=True,  # Ctrl-C is this process's; it stops the others in order
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        os.close(read_end)
        self._wait_until_up(log_path)
        if not self._stopping.is_set():
            self._tell(log_path)
        while not self._stopping.wait(0.2):
            if self._server.poll() is not None:
                self._log_end(log_path)
                print(
                    f"nestor: the desk ended by itself (code {self._server.returncode}); see {log_path}",
                    file=sys.stderr,
                )
                return 1
        print("\nstopping: letting what runs finish", flush=True)
        return 0

    def _log_end(self, log_path: Path) -> None:
        """Log the desk's end, because gunicorn's master logs nothing when a signal ends it."""
        assert self._server is not None
        with open(log_path, "a", encoding="utf-8") as log:
            logs.configure("supervisor", stream=log)
            logs.tell_end("embedded desk", self._server.pid, self._server.returncode)
            logs.configure("supervisor", "CRITICAL")

    def _wait_until_up(self, log_path: Path) -> None:
        assert self._server is not None
        deadline = time.monotonic() + _start_timeout_s
        # The certificate is for other names than the address that is asked here, and the answer holds no secret.
        context = ssl._create_unverified_context() if self.options.tls else None  # noqa: S323 -- this machine
        while not self._stopping.is_set():
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2, context=context):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError):
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise ConfigurationError(f"the desk did not start; see {log_path}") from None
                time.sleep(0.05)

    def _tell(self, log_path: Path) -> None:
        lines = [f"\nNestor runs at {self.url}   (log: {log_path}; Ctrl-C stops it)"]
        if self.demo:
            lines += [
                "",
                f"Open {self.url} in a browser: it leads to the sandbox, with a phone to write from.",
                "People: admin@ manager@ accountant@ agent@example.test, password nestor-demo. API key: demo-key.",
                "Try:",
                f"  curl -H 'X-Telegram-Bot-Api-Secret-Token: demo-secret' {self.url}/webhooks/telegram/demo -d '"
                '{"update_id":1,"message":{"message_id":1,"date":1767225600,"chat":{"id":7,"type":"private"},'
                '"from":{"id":7,"is_bot":false,"first_name":"Ada"},"text":"My printer is on fire"}}\'',
                f"  curl -H 'Authorization: Bearer demo-key' {self.url}/v1/tickets",
                f"  curl {self.url}/sandbox/outbox?channel=telegram",
                f"  {self.url}/docs describes the API.",
            ]
        else:
            lines += ["Make the first admin:", f"  {self._first_admin()}"]
        print("\n".join(lines), flush=True)

    def _first_admin(self) -> str:
        """The whole command: with the database of this desk, and from any folder."""
        settings = {"DATABASE_URL": self.folder.database_url, "PYTHONPATH": str(ROOT), "PUBLIC_URL": self._public_url()}
        return " ".join(
            [
                *(f"{name}={shlex.quote(value)}" for name, value in settings.items()),
                f'SECRET_KEY="$(cat {shlex.quote(str(self.folder.secret_key_path))})"',
                f"{shlex.quote(sys.executable)} -m scripts.users add --email you@example.org --name You --role admin",
            ]
        )

    def _stop(self) -> None:
        server = self._server
        if server is not None and server.poll() is None:
            server.terminate()
            try:
                server.wait(_stop_timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
                print("nestor: the desk did not stop in time and was killed; nothing is lost", file=sys.stderr)
        if self._sandbox is not None:
            self._sandbox.stop()


def _confirm_reset(folder: DataFolder) -> None:
    """Ask before tickets of people are deleted. Raises ConfigurationError without a terminal, or on another answer."""
    if not folder.has_data():
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"--reset with --no-demo would delete all tickets in {folder.path}, and there is no terminal to ask at;"
            " delete the folder yourself"
        )
    answer = input(f"Delete all tickets, files and users in {folder.path}? Type the word delete: ")
    if answer.strip() != "delete":
        raise ConfigurationError("nothing was deleted")


def _in_url(host: str) -> str:
    """Return the host as a URL has it: an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def main() -> int:
    parser = argparse.ArgumentParser(prog="./scripts/run", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default: 8080)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: 127.0.0.1); with the demo, a loopback address only",
    )
    parser.add_argument(
        "--data-dir",
        default=str(ROOT / "var"),
        help="folder of the database, the files, the log and the sandbox's outbox (default: var in the checkout)",
    )
    parser.add_argument("--reset", action="store_true", help="delete the data before the start")
    parser.add_argument("--no-demo", action="store_true", help="start without demo accounts and without the sandbox")
    parser.add_argument(
        "--tls",
        nargs=2,
        metavar=("CERT", "KEY"),
        help="serve HTTPS with this certificate and key (PEM files)",
    )
    parser.add_argument(
        "--behind-proxy",
        action="store_true",
        help="a proxy on another machine serves HTTPS and passes requests on; its X-Forwarded-For is trusted",
    )
    options = parser.parse_args()
    if not 1 <= options.port <= 65535:
        parser.error("--port: expected 1 to 65535")
    return Desk(options).run()


if __name__ == "__main__":
    _cli.end(main)
