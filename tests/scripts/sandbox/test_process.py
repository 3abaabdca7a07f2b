"""The process: killed and back with its memory, ended in time, never left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from scripts.sandbox.client import SandboxError, SandboxProcess
from tests.services.ports import free_port

ROOT = Path(__file__).parents[3]


def _send(sandbox: SandboxProcess, text: str) -> int:
    request = urllib.request.Request(
        f"{sandbox.bot_api_url}/bot1:a/sendMessage", data=f"chat_id=7&text={text}".encode()
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return int(json.load(answer)["result"]["message_id"])


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_kill_minus_nine_loses_nothing_that_was_answered_and_ids_go_on(sandbox: SandboxProcess) -> None:
    first_id = _send(sandbox, "before")
    url_before = sandbox.bot_api_url

    sandbox.kill()
    sandbox.start()

    second_id = _send(sandbox, "after")
    assert [entry["text"] for entry in sandbox.outbox()] == ["before", "after"]
    assert second_id > first_id
    assert sandbox.bot_api_url == url_before


def test_a_message_sent_before_a_restart_can_still_be_edited(sandbox: SandboxProcess) -> None:
    message_id = _send(sandbox, "before")

    sandbox.kill()
    sandbox.start()

    body = f"chat_id=7&message_id={message_id}&text=edited".encode()
    request = urllib.request.Request(f"{sandbox.bot_api_url}/bot1:a/editMessageText", data=body)
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert json.load(answer)["result"]["text"] == "edited"


def test_clear_forgets_entries_and_faults(sandbox: SandboxProcess) -> None:
    first_id = _send(sandbox, "one")
    sandbox.fail("500")
    sandbox.fail_mail("reject")

    sandbox.clear()

    assert sandbox.outbox() == []
    assert sandbox.control("GET", "/mail-faults") == {"items": []}
    assert _send(sandbox, "two") > first_id


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds_even_with_a_hanging_request(
    sandbox: SandboxProcess, number: signal.Signals
) -> None:
    sandbox.fail("hang", hang_s=60)
    port = int(sandbox.bot_api_url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port)) as hanging,
        socket.create_connection(("127.0.0.1", sandbox.smtp_port)) as idle,
    ):
        assert idle.recv(1000).startswith(b"220 ")
        hanging.sendall(b"GET /bot1:a/sendMessage?chat_id=7&text=hi HTTP/1.1\r\nHost: x\r\n\r\n")
        sandbox.wait_for_outbox(1)
        pid, started = sandbox.pid, time.monotonic()

        os.kill(pid, number)
        while _is_alive(pid):
            assert time.monotonic() - started < 2.0
            time.sleep(0.01)

    log = (sandbox.data_dir / "sandbox.log").read_text()
    assert "Traceback" not in log


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal\n"
        "from scripts.sandbox.client import SandboxProcess\n"
        f"sandbox = SandboxProcess(pathlib.Path({str(tmp_path)!r})).start()\n"
        "print(sandbox.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, check=False)
    pid, deadline = int(parent.stdout), time.monotonic() + 5

    while _is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert not (tmp_path / "ports.json").exists()


def test_a_second_sandbox_on_the_same_folder_says_why_it_does_not_start(sandbox: SandboxProcess) -> None:
    with pytest.raises(SandboxError, match="in use by another sandbox"):
        SandboxProcess(sandbox.data_dir).start()

    assert _send(sandbox, "unharmed")


def test_a_taken_port_is_a_sentence_not_a_traceback(sandbox: SandboxProcess, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "scripts.sandbox", "--data-dir", str(tmp_path)]

    second = subprocess.run(
        [*command, "--smtp-port", str(sandbox.smtp_port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert second.stderr.startswith("sandbox: cannot start:")
    assert "Traceback" not in second.stderr


def test_a_missing_package_of_the_demo_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.sandbox.client._MAIL_PACKAGE", "package_that_is_not_installed")

    with pytest.raises(
        SandboxError, match="needs the package package_that_is_not_installed; install requirements-demo"
    ):
        SandboxProcess(tmp_path).start()


def test_a_demo_without_its_package_ends_with_one_sentence(tmp_path: Path) -> None:
    program = (
        "import sys; from scripts.sandbox import client; client._MAIL_PACKAGE = 'package_that_is_not_installed';"
        "from scripts import _cli; from scripts.desk import __main__ as desk; _cli.end(desk.main)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, "--port", str(free_port()), "--data-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.strip() == (
        "nestor: the sandbox needs the package package_that_is_not_installed; install requirements-demo.txt;"
        " --no-demo starts without the sandbox"
    )
