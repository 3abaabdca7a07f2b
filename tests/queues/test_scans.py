"""The malware scanner: nobody gets, and no message carries, a file that it has not released."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from models.attachments import scans
from models.kernel import limits, settings
from models.kernel.storage import database
from scripts.diag import scanner as diag
from scripts.diag.part import Part
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.conftest import (  # noqa: F401 -- fixtures
    agent,
    as_role,
    gateway,
    machine,
    process_is_set_up,
    stranger,
)
from tests.queues.clamd import Clamd
from tests.services.clamav import EICAR
from tests.services.ports import free_port

CLEAN = b"%PDF-1.7 an invoice"


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    with Clamd() as made:
        yield made


@pytest.fixture
def scanning(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Names the scanner of the desk from now on."""

    def use(url: str, **more: str) -> None:
        monkeypatch.setenv("SCANNER_URL", url)
        for name, value in more.items():
            monkeypatch.setenv(name.upper(), value)
        settings.current.cache_clear()

    return use


@pytest.fixture(autouse=True)
def settings_are_read_again() -> Iterator[None]:
    yield
    settings.current.cache_clear()


def upload(caller: Caller, content: bytes, name: str = "report.pdf") -> dict[str, Any]:
    headers = {"Content-Type": "application/pdf"}
    found: dict[str, Any] = caller.made(f"/v1/attachments?filename={name}", raw=content, headers=headers)
    return found


def answer(caller: Caller, ticket: dict[str, Any], *files: dict[str, Any]) -> Any:
    body = {"kind": "reply", "body": "Here it is.", "attachments": [one["id"] for one in files]}
    return caller.post(f"/v1/tickets/{ticket['id']}/messages", body)


def read(caller: Caller, file: dict[str, Any]) -> tuple[str | None, str | None, bool]:
    """The verdict, its detail, and whether there is a link."""
    found = caller.read(f"/v1/attachments/{file['id']}")
    return found["scan"], found["scan_detail"], found["url"] is not None


def diagnosed() -> Part:
    """The scanner's part of `scripts.diag`."""
    part = Part("scanner")
    with database.connection():
        diag.look(part)
    return part


@sqlite_only
def test_without_a_scanner_files_are_not_scanned_and_are_available(agent: Caller, desk: Desk) -> None:  # noqa: F811
    file = upload(agent, EICAR)

    assert read(agent, file) == (None, None, True)
    assert desk.tasks(kind="scan_file") == []


def test_a_file_is_held_back_until_the_scanner_releases_it(
    agent: Caller,  # noqa: F811
    machine: Caller,  # noqa: F811
    stranger: Caller,  # noqa: F811
    desk: Desk,
    clamd: Clamd,
    scanning: Callable[..., None],
) -> None:
    before = upload(agent, CLEAN)
    link = agent.read(f"/v1/attachments/{before['id']}")["url"].partition("/files/")[2]
    scanning(clamd.url)
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    file = upload(agent, CLEAN)
    assert read(agent, file) == ("pending", None, False)
    assert stranger.get(f"/files/{link}").status_code == 404
    assert answer(agent, ticket, file).status_code == 201

    desk.run_due()
    desk.advance(seconds=limits.scan_wait_s + 1)
    desk.run_due()

    assert read(agent, file) == ("clean", None, True)
    assert stranger.get(f"/files/{link}").content == CLEAN
    assert [[one.filename for one in sent.message.attachments] for sent in desk.sent][-1] == ["report.pdf"]
    assert clamd.scanned == [CLEAN]


@sqlite_only
def test_an_infected_file_has_no_link_and_no_reply_carries_it(
    agent: Caller,  # noqa: F811
    machine: Caller,  # noqa: F811
    desk: Desk,
    clamd: Clamd,
    scanning: Callable[..., None],
) -> None:
    scanning(clamd.url)
    ticket = machine.ticket(requester={"email": "ada@example.test"})
    early, late = upload(agent, EICAR), upload(agent, EICAR, "again.pdf")
    assert answer(agent, ticket, early).status_code == 201

    desk.run_due()
    desk.advance(seconds=limits.scan_wait_s + 1)
    desk.run_due()

    assert read(agent, early) == ("infected", "Eicar-Test-Signature", False)
    found = problem(answer(agent, ticket, late), 422)["errors"]
    assert found == [{"path": "/attachments/0", "message": "again.pdf: the malware scanner found Eicar-Test-Signature"}]
    assert [one for sent in desk.sent for one in sent.message.attachments] == []
    [delivery] = [
        one for one in machine.read(f"/v1/tickets/{ticket['id']}/deliveries")["items"] if one["state"] == "failed"
    ]
    assert delivery["last_error"] == "not sent: report.pdf: the malware scanner found Eicar-Test-Signature"
    assert len(clamd.scanned) == 1


@sqlite_only
def test_a_scanner_that_is_away_holds_back_and_loses_nothing(
    machine: Caller,  # noqa: F811
    desk: Desk,
    scanning: Callable[..., None],
) -> None:
    scanning(f"tcp://127.0.0.1:{free_port()}")
    file = upload(machine, CLEAN)
    for _ in range(5):
        desk.run_due()
        desk.advance(minutes=10)

    state, detail, linked = read(machine, file)
    assert (state, linked) == ("pending", False)
    assert str(detail).startswith("the malware scanner is away")
    [task] = desk.tasks(kind="scan_file")
    assert (task["state"], task["attempts"]) == ("ready", 5)
    part = diagnosed()
    assert len(part.problems) == 2
    assert "files wait and are held back" in part.problems[0]
    assert "a file has waited 50 minutes" in part.problems[1]

    with Clamd() as clamd:
        scanning(clamd.url)
        desk.run_due()

        assert read(machine, file) == ("clean", None, True)
        assert diagnosed().problems == []


@sqlite_only
@pytest.mark.parametrize("own", [True, False], ids=["our limit", "the scanner's"])
def test_a_file_larger_than_the_scanner_takes_is_a_state_of_its_own(
    agent: Caller,  # noqa: F811
    desk: Desk,
    scanning: Callable[..., None],
    own: bool,
) -> None:
    with Clamd(stream_bytes_max=1_000_000 if own else 10) as clamd:
        scanning(clamd.url, scanner_bytes_max="10" if own else "1000000")
        file = upload(agent, CLEAN)
        desk.run_due()

    state, detail, linked = read(agent, file)
    assert (state, linked) == ("too_large", False)
    assert ("SCANNER_BYTES_MAX" if own else "StreamMaxLength") in str(detail)


@sqlite_only
def test_files_that_wait_are_available_after_the_scanner_was_taken_away(
    agent: Caller,  # noqa: F811
    desk: Desk,
    scanning: Callable[..., None],
) -> None:
    scanning(f"tcp://127.0.0.1:{free_port()}")
    file = upload(agent, CLEAN)
    desk.run_due()
    scanning("")
    desk.advance(minutes=10)
    desk.run_due()

    assert read(agent, file)[::2] == (None, True)


@sqlite_only
def test_a_file_of_a_mail_is_scanned_as_well(
    desk: Desk,
    clamd: Clamd,
    scanning: Callable[..., None],
    machine: Caller,  # noqa: F811
) -> None:
    scanning(clamd.url)
    mail = b"\r\n".join(
        [
            b"From: Ada <ada@example.com>",
            b"To: desk@example.test",
            b"Subject: Invoice",
            b"Message-ID: <1@example.com>",
            b"MIME-Version: 1.0",
            b"Content-Type: multipart/mixed; boundary=b",
            b"",
            b"--b",
            b"Content-Type: text/plain",
            b"",
            b"See the file.",
            b"--b",
            b"Content-Type: application/octet-stream",
            b"Content-Disposition: attachment; filename=tool.bin",
            b"",
            EICAR,
            b"--b--",
            b"",
        ]
    )
    desk.receive_raw("email", mail, content_type="message/rfc822")
    desk.run_due()

    [message] = [
        one
        for one in machine.read(f"/v1/tickets/{desk.ticket().id}/messages")["items"]
        if one["direction"] == "inbound"
    ]
    [shown] = message["attachments"]
    assert (shown["state"], shown["scan"], shown["scan_detail"]) == ("stored", "infected", "Eicar-Test-Signature")


@sqlite_only
def test_a_task_that_was_given_up_marks_the_file_and_a_retry_scans_it(
    agent: Caller,  # noqa: F811
    desk: Desk,
    clamd: Clamd,
    scanning: Callable[..., None],
) -> None:
    scanning(f"tcp://127.0.0.1:{free_port()}")
    file = upload(agent, CLEAN)
    desk.run_due()
    [sha256] = [row["sha256"] for row in desk.rows("SELECT sha256 FROM blobs")]
    desk.command(scans.record, sha256, scans.FAILED, "given up")
    assert read(agent, file) == ("failed", "given up", False)

    scanning(clamd.url)
    desk.advance(minutes=10)
    desk.run_due()

    assert read(agent, file) == ("clean", None, True)
