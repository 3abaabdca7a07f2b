"""Files over the API: uploaded for an answer, listed with their messages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from models.blobs import stores
from models.blobs.store import BlobStoreAway
from models.kernel import limits
from models.kernel.storage import database
from models.ports.inbound import AttachmentInfo, InboundMessage
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, Caller, paths, problem
from tests.functions.files import HTML, PNG, signed_in, upload


@pytest.fixture
def caller(gateway: Any) -> Caller:
    return Caller(gateway, DEMO_KEY)


# -- uploads ---------------------------------------------------------------------------------------------------


def test_an_upload_goes_out_with_an_answer_and_is_listed_in_it(desk: Desk, caller: Caller) -> None:
    ticket = caller.ticket(requester={"email": "ada@example.com"})
    made = upload(caller)

    message = caller.made(
        f"/v1/tickets/{ticket['id']}/messages",
        {"kind": "reply", "body": "The plan.", "attachments": [made["id"]]},
    )
    desk.run_due()

    [listed] = message["attachments"]
    assert (listed["id"], listed["filename"], listed["state"]) == (made["id"], "plan.png", "stored")
    [sent] = [call.message for call in desk.sent if call.body == "The plan."]
    assert [file.read() for file in sent.attachments] == [PNG]


def test_an_upload_shows_the_type_of_its_bytes(caller: Caller) -> None:
    made = upload(caller, HTML, name="cute.png", kind="image/png")

    assert (made["content_type"], made["sniffed_type"]) == ("image/png", "text/html")
    assert (made["state"], made["size_bytes"]) == ("uploaded", len(HTML))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="plan of fire.pdf"', "plan of fire.pdf"),
        ("attachment; filename=plan.pdf", "plan.pdf"),
        ("attachment; filename=\"x.pdf\"; filename*=UTF-8''%D0%BF%D0%BB%D0%B0%D0%BD.pdf", "план.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\plan.pdf"', "plan.pdf"),
        ("attachment; filename*=UTF-8''exe%E2%80%AEfdp.exe", "exe fdp.exe"),
        ('attachment; filename="..."', "file"),
        ("attachment", "file"),
    ],
)
def test_a_name_is_read_and_made_harmless(caller: Caller, header: str, name: str) -> None:
    made = caller.made("/v1/attachments", raw=PNG, headers={"Content-Disposition": header})

    assert made["filename"] == name


def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    desk: Desk, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "upload_bytes_max", 10)

    refused = caller.post("/v1/attachments", raw=PNG)

    problem(refused, 413, "too_large")
    assert desk.rows("SELECT id FROM attachments") == []


def test_an_empty_file_and_a_form_are_refused(caller: Caller) -> None:
    for more in (
        {"raw": b""},
        {"raw": b"--x--", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    ):
        assert paths(problem(caller.post("/v1/attachments", **more), 422, "invalid")) == ["/file"]


def test_uploading_needs_the_permission_to_answer(gateway: Any) -> None:
    problem(Caller(gateway).post("/v1/attachments", raw=PNG), 401)
    problem(signed_in(gateway, "accountant").post("/v1/attachments", raw=PNG), 403)


def test_an_upload_is_its_owners_alone_until_it_is_sent(gateway: Any, caller: Caller) -> None:
    ticket, agent = caller.ticket(requester={"email": "ada@example.com"}), signed_in(gateway, "agent")
    made = upload(caller)
    body = {"kind": "note", "body": "Look.", "attachments": [made["id"]]}
    place = f"/v1/tickets/{ticket['id']}/messages"

    seen = agent.get(f"/v1/attachments/{made['id']}")
    stolen = agent.post(place, body)
    caller.made(place, body)
    twice = caller.post(place, body)

    problem(seen, 404)
    assert paths(problem(stolen, 422)) == ["/attachments/0"]
    assert paths(problem(twice, 422)) == ["/attachments/0"]
    assert agent.read(f"/v1/attachments/{made['id']}")["message_id"]
    kinds = [message["kind"] for message in caller.read(place)["items"]]
    assert kinds.count("note") == 1, "a refused message is not there"


def test_too_many_uploads_for_one_message_are_refused(caller: Caller) -> None:
    ticket = caller.ticket()
    ids = [str(UUID(int=number)) for number in range(limits.attachments_per_message_max + 1)]

    refused = caller.post(f"/v1/tickets/{ticket['id']}/messages", {"kind": "note", "body": "x", "attachments": ids})

    assert paths(problem(refused, 422)) == ["/attachments"]


def test_an_upload_that_nobody_sends_is_gone_after_a_day(desk: Desk, caller: Caller) -> None:
    made, sent = upload(caller), upload(caller, b"sent")
    ticket = caller.ticket()
    caller.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "note", "body": "x", "attachments": [sent["id"]]})
    from queues import sweep

    sweep.ensure_housekeeping()
    desk.advance(seconds=limits.unused_blobs_kept_s + 4000)
    desk.run_due()

    left = {str(row["id"]) for row in desk.rows("SELECT id FROM attachments")}
    assert left == {sent["id"]}
    assert [row["sha256"] for row in desk.rows("SELECT sha256 FROM blobs")] == [sent["sha256"]]
    problem(caller.get(f"/v1/attachments/{made['id']}"), 404)


def test_a_blob_store_that_is_away_is_503_and_leaves_nothing(
    desk: Desk, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: object, key: str, file: object) -> None:
        raise BlobStoreAway()

    monkeypatch.setattr(type(stores.current()), "put", away)

    problem(caller.post("/v1/attachments", raw=PNG), 503, "blob_store_away")
    assert desk.rows("SELECT id FROM attachments") == []


def test_a_conversations_files_are_read_in_one_statement(
    desk: Desk, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        info = AttachmentInfo(f"{number}.png", "image/png", 1, content=PNG + bytes([number]))
        desk.receive(
            InboundMessage("42", "Ada", "42", f"{number}", conversation_address="42", attachments=(info, info)),
            channel="telegram",
        )
    desk.run_due()
    asked: list[str] = []
    run = database.run

    def counted(statement: str, *values: Any, **named: Any) -> list[dict[str, Any]]:
        asked.append(statement)
        return run(statement, *values, **named)

    monkeypatch.setattr(database, "run", counted)

    page = caller.read(f"/v1/tickets/{desk.ticket().id}/messages")

    listed = [file["filename"] for message in page["items"] for file in message["attachments"]]
    assert listed == ["0.png", "0.png", "1.png", "1.png", "2.png", "2.png"]
    assert len([statement for statement in asked if "FROM attachments" in statement]) == 1
