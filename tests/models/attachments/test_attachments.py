"""A file's way from an event into a message, and out again with an answer."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from models.attachments import commands, queries
from models.blobs import commands as blobs
from models.kernel import limits
from models.kernel.errors import Invalid, TooLarge
from models.kernel.storage import database
from models.ports.inbound import AttachmentInfo, InboundMessage
from models.ports.outbound import accepted
from tests.desk import Desk

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 100

PNG_SHA256 = hashlib.sha256(PNG).hexdigest()


def mail(*attachments: AttachmentInfo, **more: Any) -> InboundMessage:
    plain = InboundMessage("ada@example.com", "Ada", "ada@example.com", "See the file.", attachments=attachments)
    return replace(plain, **more)


def info(content: bytes | None = PNG, name: str = "burns.png", **more: Any) -> AttachmentInfo:
    size = len(content) if content is not None else 0
    return AttachmentInfo(name, more.pop("content_type", "image/png"), size, content=content, **more)


def files_of(desk: Desk, message_id: Any) -> list[dict[str, Any]]:
    with database.connection():
        return [dict(row) for row in queries.of_messages([UUID(str(message_id))]).get(UUID(str(message_id)), [])]


def first_inbound(desk: Desk) -> dict[str, Any]:
    return next(m for m in desk.messages(desk.ticket()) if m["direction"] == "inbound")


def upload(desk: Desk, content: bytes = PNG, *, by: str = "user:1", name: str = "plan.png") -> UUID:
    return commands.upload([content], filename=name, content_type="image/png", by=by)


def test_a_files_bytes_are_kept_and_found_by_its_message(desk: Desk) -> None:
    desk.receive(mail(info()))

    desk.run_due()

    message = first_inbound(desk)
    [file] = files_of(desk, message["id"])
    assert (file["state"], file["filename"], file["sniffed_type"]) == ("stored", "burns.png", "image/png")
    assert file["sha256"] == hashlib.sha256(PNG).hexdigest()
    with blobs.open_key(file["object_key"]) as stream:
        assert stream.read() == PNG


def test_the_same_file_twice_lies_once(desk: Desk) -> None:
    desk.receive(mail(info(), info(name="again.png")))
    desk.receive(mail(info(name="and-again.png"), author_address="mira@example.com"))

    desk.run_due()

    assert len(desk.rows("SELECT id FROM attachments")) == 3
    assert len(desk.rows("SELECT sha256 FROM blobs")) == 1


def test_an_event_that_is_read_twice_has_its_files_once(desk: Desk) -> None:
    event_id = desk.receive(mail(info()))
    desk.run_due()

    with database.transaction():
        database.execute("UPDATE tasks SET state = 'ready', due_at = NOW() WHERE kind = 'ingest_event'")
    desk.run_due()

    assert desk.inbox(event_id)["status"] == "processed"
    assert len(desk.rows("SELECT id FROM attachments")) == 1


def test_a_file_over_the_accounts_bound_is_named_and_the_message_is_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "bytes_max", lambda account: 100)
    desk.receive(mail(info(), info(b"small", name="small.txt", content_type="text/plain")))

    desk.run_due()

    message = first_inbound(desk)
    large, small = files_of(desk, message["id"])
    assert (large["state"], large["filename"], large["sha256"]) == ("too_large", "burns.png", None)
    assert "received event" in large["reason"]
    assert small["state"] == "stored"


def test_a_file_without_bytes_says_so(desk: Desk) -> None:
    desk.receive(mail(info(None)))

    desk.run_due()

    message = first_inbound(desk)
    [file] = files_of(desk, message["id"])
    assert (file["state"], file["reason"]) == ("failed", "its bytes were not in the event")


def test_an_upload_goes_out_with_the_answer(desk: Desk) -> None:
    desk.receive(mail())
    desk.run_due()
    ticket = desk.ticket()
    file = upload(desk)

    message_id = desk.reply(ticket)
    with database.transaction():
        commands.use([file], ticket_id=ticket.id, message_id=message_id, by="user:1")
    desk.run_due()

    [sent] = [call.message for call in desk.sent if call.body == "Water it."]
    [attached] = sent.attachments
    assert (attached.filename, attached.content_type, attached.read()) == ("plan.png", "image/png", PNG)
    [message] = [m for m in desk.messages(ticket) if m["id"] == message_id]
    assert len(message["attachments"]) == 1


def test_bytes_that_a_provider_has_are_named_to_it_and_to_no_other(desk: Desk) -> None:
    """Telegram takes a file_id in place of the bytes; another account's is of no use."""
    chat = mail(author_address="42", contact_address="42", conversation_address="42")
    desk.receive(chat, channel="telegram")
    desk.receive(mail())
    desk.run_due()
    by_channel = {ticket.channel: ticket for ticket in desk.tickets()}
    desk.answers.append(replace(accepted("42:1"), file_ids=((PNG_SHA256, "file-id-1"), ("0" * 64, "unknown"))))

    for channel in ("telegram", "telegram", "email"):
        ticket, file = by_channel[channel], upload(desk)
        message_id = desk.reply(ticket, f"To {channel}.")
        with database.transaction():
            commands.use([file], ticket_id=ticket.id, message_id=message_id, by="user:1")
        desk.run_due()

    named = [call.message.attachments[0].provider_id for call in desk.sent if call.body.startswith("To ")]
    assert named == [None, "file-id-1", None]


def test_an_upload_is_used_once_and_by_its_owner_only(desk: Desk) -> None:
    ticket = desk.create_ticket(email="ada@example.com")
    file = upload(desk, by="user:1")
    first = desk.reply(ticket)

    with pytest.raises(Invalid, match="/attachments/0"), database.transaction():
        commands.use([file], ticket_id=ticket.id, message_id=first, by="user:2")
    with database.transaction():
        commands.use([file], ticket_id=ticket.id, message_id=first, by="user:1")
    second = desk.reply(ticket)
    with pytest.raises(Invalid, match="no message has yet"), database.transaction():
        commands.use([file], ticket_id=ticket.id, message_id=second, by="user:1")

    assert len(files_of(desk, first)) == 1
    assert files_of(desk, second) == []


def test_two_messages_at_once_cannot_have_one_upload(desk: Desk) -> None:
    ticket = desk.create_ticket(email="ada@example.com")
    file = upload(desk)
    messages = [desk.reply(ticket), desk.reply(ticket)]

    def use(message_id: UUID) -> bool:
        try:
            with database.transaction():
                commands.use([file], ticket_id=ticket.id, message_id=message_id, by="user:1")
        except Invalid:
            return False
        return True

    used = desk.in_threads(lambda: use(messages[0]), lambda: use(messages[1]))

    assert sorted(used) == [False, True]
    assert sum(len(files_of(desk, message_id)) for message_id in messages) == 1


def test_erasing_one_persons_file_leaves_anothers_with_the_same_bytes(desk: Desk) -> None:
    desk.receive(mail(info()))
    desk.run_due()
    mine = first_inbound(desk)
    desk.receive(mail(info(), author_address="mira@example.com"))
    desk.run_due()

    with database.transaction():
        commands.erase([mine["id"]])
    desk.advance(seconds=limits.unused_blobs_kept_s + 60)
    blobs.collect(batch_max=100)

    [row] = desk.rows("SELECT sha256 FROM attachments WHERE sha256 IS NOT NULL")
    with database.connection(), blobs.open_key(blobs.key_of(row["sha256"])) as stream:
        assert stream.read() == PNG


def test_what_only_the_erased_had_is_gone_from_the_store(desk: Desk, tmp_path: Path) -> None:
    desk.receive(mail(info()))
    desk.run_due()
    with database.transaction():
        commands.erase([first_inbound(desk)["id"]])

    desk.advance(seconds=limits.unused_blobs_kept_s + 60)
    blobs.collect(batch_max=100)

    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_an_albums_files_are_listed_in_one_message_in_order(desk: Desk) -> None:
    for number in range(3):
        part = mail(
            info(PNG + bytes([number]), name=f"{number}.png"),
            author_address="42",
            contact_address="42",
            conversation_address="42",
            external_id=f"42:{number}",
            group_key="42:album",
        )
        desk.receive(part, channel="telegram", ordering_key="42")
        desk.run_due()

    message = first_inbound(desk)
    assert [file["filename"] for file in files_of(desk, message["id"])] == ["0.png", "1.png", "2.png"]
    assert len(message["attachments"]) == 3


def test_an_upload_over_the_bound_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "upload_bytes_max", 10)

    with pytest.raises(TooLarge):
        upload(desk)

    assert desk.rows("SELECT id FROM attachments") == []
    assert desk.rows("SELECT sha256 FROM blobs") == []


def test_what_is_erased_has_no_name_and_no_bytes_any_more(desk: Desk) -> None:
    desk.receive(mail(info()))
    desk.run_due()
    message = first_inbound(desk)

    with database.transaction():
        erased = commands.erase([message["id"]])

    [file] = files_of(desk, message["id"])
    assert erased == 1
    assert (file["state"], file["filename"], file["sha256"], file["size_bytes"]) == (
        "erased",
        "erased",
        None,
        0,
    )
    message = first_inbound(desk)
    assert "burns" not in str(message["attachments"])
