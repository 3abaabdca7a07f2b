"""Files through the whole embedded desk, as `./scripts/run` starts it: processes, sockets, the sandbox's mail catcher
and Bot API.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.services.ports import free_port
from tests.services.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
_start_s, _deliver_s, _stop_s = 60.0, 30.0, 20.0
PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(300_000)
PDF = b"%PDF-1.7\n" + os.urandom(2_000_000)


class RunningDesk:
    """A desk on a port of its own, with the demo."""

    def __init__(self, port: int, data_dir: Path) -> None:
        self.url, self.data_dir = f"http://127.0.0.1:{port}", data_dir
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = "Bearer demo-key"

    def ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self.session.request(method, self.url + path, timeout=30, **more)
        assert answer.ok, answer.text
        return answer.json()

    def inbound(self, event_id: str) -> dict[str, Any]:
        """The message that an event became."""
        wait_until(
            lambda: self.ask("GET", f"/v1/inbox/{event_id}")["status"] != "stored",
            within_s=_deliver_s,
            what="the event processed",
        )
        event = self.ask("GET", f"/v1/inbox/{event_id}")
        assert event["status"] == "processed", event
        found: dict[str, Any] = self.ask("GET", f"/v1/tickets/{event['ticket_id']}/messages/{event['message_id']}")
        return found

    def bytes_of(self, attachment_id: str) -> bytes:
        """By the link, as a browser follows it."""
        url = self.ask("GET", f"/v1/attachments/{attachment_id}")["url"]
        answer = requests.get(url, timeout=30)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment;")
        return answer.content

    def outbox(self, channel: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/sandbox/outbox?channel={channel}")["items"]
        return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    data_dir, port = tmp_path_factory.mktemp("desk"), free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    command = [sys.executable, "-m", "scripts.desk", "--port", str(port), "--data-dir", str(data_dir)]
    log = (data_dir.parent / "supervisor.log").open("wb")
    with log, subprocess.Popen(command, cwd=ROOT, env=kept, stdout=log, stderr=log) as supervisor:
        desk = RunningDesk(port, data_dir)
        try:
            wait_until(lambda: _answers(desk, supervisor), within_s=_start_s, what="the desk")
            yield desk
        finally:
            supervisor.send_signal(signal.SIGTERM)
            supervisor.wait(_stop_s)


def _answers(desk: RunningDesk, supervisor: subprocess.Popen[bytes]) -> bool:
    assert supervisor.poll() is None, "the desk ended by itself"
    try:
        return requests.get(f"{desk.url}/healthz/deep", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def mail(*files: tuple[str, str, bytes]) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = (
        "Grace <grace@example.com>",
        "desk@example.test",
        "The printer",
    )
    made["Message-ID"] = f"<{os.urandom(8).hex()}@example.com>"
    made.set_content("See the picture.")
    for name, kind, content in files:
        main, _, sub = kind.partition("/")
        made.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return made.as_bytes()


def test_a_mails_files_come_out_as_they_went_in_and_lie_below_the_data_folder(running: RunningDesk) -> None:
    event = running.ask(
        "POST",
        "/webhooks/email/demo",
        data=mail(("печать.png", "image/png", PNG), ("plan.pdf", "application/pdf", PDF)),
        headers={"Authorization": "Bearer demo-secret", "Content-Type": "message/rfc822"},
    )

    message = running.inbound(event["event_id"])

    picture, plan = message["attachments"]
    assert (picture["filename"], picture["sniffed_type"]) == ("печать.png", "image/png")
    assert running.bytes_of(picture["id"]) == PNG
    assert running.bytes_of(plan["id"]) == PDF
    digest = hashlib.sha256(PNG).hexdigest()
    assert len(list((running.data_dir / "blobs").rglob(f"{digest}-*"))) == 1


def test_an_upload_leaves_in_the_mail_that_answers(running: RunningDesk) -> None:
    ticket = running.ask("POST", "/v1/tickets", json={"title": "Plan", "requester": {"email": "grace@example.com"}})
    file = running.ask(
        "POST", "/v1/attachments?filename=plan.pdf", data=PDF, headers={"Content-Type": "application/pdf"}
    )

    running.ask(
        "POST",
        f"/v1/tickets/{ticket['id']}/messages",
        json={"kind": "reply", "body": "Here is the plan.", "attachments": [file["id"]]},
    )

    def sent() -> list[dict[str, Any]]:
        return [one for one in running.outbox("email") if "Here is the plan." in json.dumps(one)]

    wait_until(lambda: sent() != [], within_s=_deliver_s, what="the mail")
    [carried] = _attachments(sent()[0])
    assert carried["filename"] == "plan.pdf"
    assert carried["sha256"] == hashlib.sha256(PDF).hexdigest()


def _attachments(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Of a caught mail, wherever the outbox nests it."""
    if "attachments" in entry:
        found: list[dict[str, Any]] = entry["attachments"]
        return found
    return next((_attachments(value) for value in entry.values() if isinstance(value, dict)), [])
