"""An edit that replaces a file: the new file is fetched and shown, the old one stays as a version."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.views import message_views
from models.attachments import commands
from models.attachments import queries as attachments
from models.conversations import queries as conversations
from models.kernel.storage import database
from models.ports.inbound import AttachmentInfo, InboundMessage
from tests.desk import Desk

CHAT = InboundMessage(
    author_address="42",
    author_name="Ada",
    contact_address="42",
    conversation_address="42",
    body="the bill",
    external_id="42:1",
    details={"kind": "photo", "caption": True},
)


def file(key: str | None, name: str = "bill.jpg", kind: str = "image/jpeg") -> AttachmentInfo:
    return AttachmentInfo(name, kind, 10, provider_id=f"id-{key}", provider_key=key)


def told(desk: Desk, *messages: InboundMessage) -> None:
    for message in messages:
        desk.receive(message, channel="telegram", ordering_key="42")
        desk.run_due()


def shown(desk: Desk) -> Any:
    [ticket] = desk.tickets()
    with database.connection():
        rows = conversations.page(ticket.id, after_sequence=0, limit=50)
        return message_views.messages([row for row in rows if row["direction"] == "inbound"])[0]


def names(files: Any) -> list[str]:
    return [one.filename for one in files]


@pytest.mark.parametrize(
    ("kind", "media_type", "name"),
    [("photo", "image/jpeg", "m2.jpg"), ("document", "application/pdf", "m2.pdf"), ("video", "video/mp4", "m2.mp4")],
)
def test_a_replaced_file_is_shown_and_the_old_one_is_a_version_although_the_caption_is_the_same(
    desk: Desk, kind: str, media_type: str, name: str
) -> None:
    told(desk, replace(CHAT, attachments=(file("m1", "m1.jpg"),)))

    edited = replace(CHAT, edit=True, attachments=(file("m2", name, media_type),))
    told(desk, replace(edited, details={"kind": kind, "caption": True, kind: {"width": 7}}))

    message = shown(desk)
    assert names(message.attachments) == [name]
    assert [(one.body, names(one.attachments)) for one in message.versions] == [("the bill", ["m1.jpg"])]
    assert (message.body, message.edited_at is not None) == ("the bill", True)
    assert message.details["kind"] == kind
    assert message.details[kind] == {"width": 7}
    [stored] = [row for row in desk.messages(desk.ticket()) if row["direction"] == "inbound"]
    assert [one["filename"] for one in stored["attachments"]] == [name]
    assert {row["attachment_id"] for row in _fetches(desk)} == {
        str(one.id) for one in [*message.attachments, *message.versions[0].attachments]
    }


def _fetches(desk: Desk) -> list[dict[str, Any]]:
    found = [task["payload"] for task in desk.tasks("ready", "leased", "done", "dead", kind="fetch_attachment")]
    return [json.loads(one) if isinstance(one, str) else one for one in found]


def test_an_edit_with_the_same_file_makes_no_version_of_it(desk: Desk) -> None:
    told(desk, replace(CHAT, attachments=(file("m1"),)))

    told(desk, replace(CHAT, edit=True, attachments=(replace(file("m1"), provider_id="another name"),)))
    told(desk, replace(CHAT, edit=True, body="the other bill", attachments=(file("m1"),)))

    message = shown(desk)
    assert [(one.body, names(one.attachments)) for one in message.versions] == [("the bill", [])]
    assert len(message.attachments) == 1
    assert len(_fetches(desk)) == 1


def test_a_file_that_is_replaced_twice_has_two_versions_in_order(desk: Desk) -> None:
    told(desk, *(replace(CHAT, edit=n > 1, attachments=(file(f"m{n}", f"m{n}.jpg"),)) for n in (1, 2, 3)))

    message = shown(desk)

    assert names(message.attachments) == ["m3.jpg"]
    assert [names(one.attachments) for one in message.versions] == [["m1.jpg"], ["m2.jpg"]]


def test_a_file_that_comes_back_is_not_fetched_again(desk: Desk) -> None:
    told(desk, replace(CHAT, attachments=(file("m1"),)))
    uploaded = commands.upload([b"the bytes"], filename="a", content_type="image/jpeg", by="test")
    with database.connection():
        sha256 = attachments.get(uploaded)["sha256"]
    desk.command(database.execute, "UPDATE attachments SET state = 'stored', sha256 = :sha256", sha256=sha256)

    told(desk, *(replace(CHAT, edit=True, attachments=(file(key),)) for key in ("m2", "m1")))

    assert len(_fetches(desk)) == 2
    assert [one.sha256 for one in shown(desk).attachments] == [sha256]


def test_a_text_that_becomes_a_photo_has_the_photo(desk: Desk) -> None:
    told(desk, replace(CHAT, details={"kind": "text"}))

    told(desk, replace(CHAT, edit=True, attachments=(file("m1", "m1.jpg"),)))

    message = shown(desk)
    assert names(message.attachments) == ["m1.jpg"]
    assert [(one.body, one.attachments) for one in message.versions] == [("the bill", [])]


def test_an_edit_that_lists_no_files_leaves_them(desk: Desk) -> None:
    told(desk, replace(CHAT, attachments=(file("m1", "m1.jpg"),)))

    told(desk, replace(CHAT, edit=True, body="the right bill"))

    assert names(shown(desk).attachments) == ["m1.jpg"]


def part(number: int, key: str, *, edit: bool = False, caption: str = "") -> InboundMessage:
    return replace(
        CHAT,
        edit=edit,
        body=caption or "[photo]",
        external_id=f"42:{number}",
        group_key="42:album",
        attachments=(file(key, f"{key}.jpg"),),
        details={"kind": "photo", **({"caption": True} if caption else {})},
    )


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_edit_of_one_part_of_an_album_replaces_only_its_picture(desk: Desk, number: int) -> None:
    told(desk, part(1, "a", caption="the bill"), part(2, "b"), part(3, "c"))

    told(desk, part(number, "new", edit=True, caption="the bill" if number == 1 else ""))

    message = shown(desk)
    expected = [f"{key}.jpg" for key in ("a", "b", "c")]
    old = expected[number - 1]
    expected[number - 1] = "new.jpg"
    assert names(message.attachments) == expected
    assert message.body == "the bill"
    assert [(one.body, names(one.attachments)) for one in message.versions] == [("the bill", [old])]
    [stored] = [row for row in desk.messages(desk.ticket()) if row["direction"] == "inbound"]
    assert [one["filename"] for one in stored["attachments"]] == expected


def test_a_part_that_arrives_after_an_edit_of_another_is_listed_behind_it(desk: Desk) -> None:
    told(desk, part(1, "a", caption="the bill"), part(1, "new", edit=True, caption="the bill"), part(2, "b"))

    assert names(shown(desk).attachments) == ["new.jpg", "b.jpg"]


def test_an_edit_that_arrives_late_replaces_nothing(desk: Desk) -> None:
    at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    newer = replace(CHAT, edit=True, sent_at=at, attachments=(file("m3", "m3.jpg"),))
    older = replace(CHAT, edit=True, sent_at=at - timedelta(minutes=1), attachments=(file("m2", "m2.jpg"),))
    told(desk, replace(CHAT, attachments=(file("m1", "m1.jpg"),)), newer, older)

    message = shown(desk)

    assert names(message.attachments) == ["m3.jpg"]
    assert len(message.versions) == 1


def test_a_replaced_file_is_erased_with_its_message(desk: Desk) -> None:
    told(desk, replace(CHAT, attachments=(file("m1"),)), replace(CHAT, edit=True, attachments=(file("m2"),)))
    message = shown(desk)

    desk.command(commands.erase, [message.id])

    with database.connection():
        rows = attachments.with_replaced([message.id])[message.id]
    assert [(row["state"], row["filename"]) for row in rows] == [("erased", "erased")] * 2
    assert desk.rows("SELECT part_id FROM attachments WHERE part_id IS NOT NULL") == []
