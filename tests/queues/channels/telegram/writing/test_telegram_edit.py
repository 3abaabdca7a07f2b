"""What was sent is changed and taken back, part by part."""

from __future__ import annotations

import pytest

from models.ports.outbound import Button
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels.telegram.conftest import SendTo, attachment


def standing(sandbox: SandboxProcess) -> dict[int, str]:
    """What the chat shows now: message id -> text."""
    shown: dict[int, str] = {}
    for entry in sandbox.outbox("telegram"):
        if entry["method"].startswith("delete"):
            shown.pop(entry["message_id"])
        elif "message" in entry:
            shown[entry["message_id"]] = entry["text"]
    return shown


def ids(*external: str) -> list[int]:
    return [int(one.rpartition(":")[2]) for one in external]


def test_a_changed_text_stands_where_the_old_one_stood(send_to: SendTo, sandbox: SandboxProcess) -> None:
    sent = send_to(body="old")

    edited = send_to(operation="edit", sent_ids=sent.external_ids, body="**new**", body_format="markdown")

    assert standing(sandbox) == {ids(sent.external_id or "")[0]: "new"}
    assert (edited.kind, edited.external_ids) == ("accepted", sent.external_ids)


def test_a_longer_text_edits_what_is_there_and_sends_what_is_missing(send_to: SendTo, sandbox: SandboxProcess) -> None:
    sent = send_to(body="x" * 10)

    edited = send_to(operation="edit", sent_ids=sent.external_ids, body="y" * 5_000)

    assert edited.external_ids[0] == sent.external_id
    assert standing(sandbox) == dict(zip(ids(*edited.external_ids), ["y" * 4_096, "y" * 904], strict=True))


def test_a_shorter_text_takes_the_surplus_away(send_to: SendTo, sandbox: SandboxProcess) -> None:
    sent = send_to(body="x" * 9_000)

    edited = send_to(operation="edit", sent_ids=sent.external_ids, body="short")

    assert edited.external_ids == sent.external_ids[:1]
    assert list(standing(sandbox).values()) == ["short"]


def test_a_text_under_a_file_is_changed_there(send_to: SendTo, sandbox: SandboxProcess) -> None:
    files = (attachment("a.pdf", "application/pdf"),)
    sent = send_to(body="old", attachments=files)

    edited = send_to(operation="edit", sent_ids=sent.external_ids, body="new", attachments=files)

    assert (edited.kind, edited.external_ids) == ("accepted", sent.external_ids)
    assert sandbox.outbox("telegram")[-1]["method"] == "editMessageCaption"
    assert list(standing(sandbox).values()) == ["new"]


def test_a_text_under_a_file_is_found_even_if_nobody_said_that_there_was_a_file(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    sent = send_to(body="old", attachments=(attachment("a.pdf", "application/pdf"),))

    edited = send_to(operation="edit", sent_ids=sent.external_ids, body="new")
    too_long = send_to(operation="edit", sent_ids=sent.external_ids, body="x" * 1_025)

    assert edited.kind == "accepted"
    assert list(standing(sandbox).values()) == ["new"]
    assert (too_long.kind, "1,024" in too_long.detail) == ("permanent", True)


def test_files_stay_when_the_text_before_them_changes(send_to: SendTo, sandbox: SandboxProcess) -> None:
    files = (attachment("a.pdf", "application/pdf"),)
    sent = send_to(body="x" * 1_025, attachments=files)

    edited = send_to(operation="edit", sent_ids=sent.external_ids, body="short", attachments=files)

    assert edited.external_ids == sent.external_ids
    assert list(standing(sandbox).values()) == ["short", ""]


@pytest.mark.parametrize("old", ["what nobody should read", ""])
def test_a_text_too_long_for_the_place_under_its_file_leaves_nothing_of_the_old_one(
    send_to: SendTo, sandbox: SandboxProcess, old: str
) -> None:
    files = (attachment("a.pdf", "application/pdf"),)
    buttons = (Button("Close", "tok"),)
    sent = send_to(body=old, attachments=files, buttons=buttons)

    edited = send_to(operation="edit", sent_ids=sent.external_ids, body="x" * 1_025, attachments=files, buttons=buttons)

    text, file = ids(*edited.external_ids)
    assert (edited.kind, [file]) == ("accepted", ids(*sent.external_ids))
    assert standing(sandbox) == {file: "", text: "x" * 1_025}
    assert "reply_markup" in sandbox.outbox("telegram")[-1]["message"]


def test_an_edit_that_fails_after_a_new_part_still_knows_the_files(send_to: SendTo, sandbox: SandboxProcess) -> None:
    files = (attachment("a.pdf", "application/pdf"),)
    sent = send_to(body="x" * 1_025, attachments=files)
    sandbox.fail("hang", method="sendMessage", hang_s=0.0)
    sandbox.fail("500", method="sendMessage")

    outcome = send_to(operation="edit", sent_ids=sent.external_ids, body="y" * 9_000, attachments=files)
    taken_back = send_to(operation="delete", sent_ids=outcome.external_ids)

    assert outcome.partly_sent
    assert (outcome.external_ids[0], outcome.external_ids[-1]) == sent.external_ids
    assert len(outcome.external_ids) == 3
    assert taken_back.kind == "accepted"
    assert standing(sandbox) == {}


def test_buttons_go_when_the_edit_has_none_and_stay_when_it_has(send_to: SendTo, sandbox: SandboxProcess) -> None:
    buttons = (Button("Close", "tok"),)
    sent = send_to(body="x", buttons=buttons)

    send_to(operation="edit", sent_ids=sent.external_ids, body="y", buttons=buttons)
    with_buttons = sandbox.outbox("telegram")[-1]["message"]
    send_to(operation="edit", sent_ids=sent.external_ids, body="y")

    assert with_buttons["reply_markup"]["inline_keyboard"] == [[{"text": "Close", "callback_data": "b:tok"}]]
    assert "reply_markup" not in sandbox.outbox("telegram")[-1]["message"]


def test_an_edit_to_the_same_is_a_success(send_to: SendTo) -> None:
    sent = send_to(body="same")

    assert send_to(operation="edit", sent_ids=sent.external_ids, body="same").kind == "accepted"


def test_everything_that_was_sent_is_taken_back_and_what_is_gone_already_is_fine(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    sent = send_to(body="x" * 5_000)

    first = send_to(operation="delete", sent_ids=sent.external_ids)
    again = send_to(operation="delete", sent_ids=sent.external_ids)
    sandbox.fail("400", method="deleteMessages", description="Bad Request: message to delete not found")
    not_found = send_to(operation="delete", sent_ids=sent.external_ids)

    assert (first.kind, again.kind, not_found.kind) == ("accepted", "accepted", "accepted")
    assert standing(sandbox) == {}


def test_what_is_too_old_to_be_taken_back_is_said_clearly(send_to: SendTo, sandbox: SandboxProcess) -> None:
    sent = send_to(body="x")
    sandbox.fail("400", method="deleteMessages", description="Bad Request: message can't be deleted for everyone")

    outcome = send_to(operation="delete", sent_ids=sent.external_ids)

    assert outcome.kind == "permanent"
    assert "48 hours" in outcome.detail


@pytest.mark.parametrize("operation", ["edit", "delete"])
@pytest.mark.parametrize("sent_ids", [(), ("700200:5",), ("nonsense",), ("700100:" + "9" * 30,)])
def test_a_message_of_no_known_id_is_not_guessed(
    send_to: SendTo, sandbox: SandboxProcess, operation: str, sent_ids: tuple[str, ...]
) -> None:
    outcome = send_to(operation=operation, sent_ids=sent_ids)

    assert outcome.kind == "permanent"
    assert sandbox.outbox("telegram") == []


def test_an_edit_that_fails_half_way_reports_the_arrived_part_only_if_a_repeat_would_double_it(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    sent = send_to(body="x" * 5_000)
    sandbox.fail("hang", method="editMessageText", hang_s=0.0)
    sandbox.fail("500", method="editMessageText")
    repeatable = send_to(operation="edit", sent_ids=sent.external_ids, body="y" * 5_000)

    sandbox.fail("hang", method="sendMessage", hang_s=0.0)
    sandbox.fail("500", method="sendMessage")
    doubled = send_to(operation="edit", sent_ids=sent.external_ids, body="z" * 13_000)

    assert (repeatable.kind, repeatable.partly_sent) == ("transient", False)
    assert doubled.partly_sent
    assert doubled.external_ids[:2] == sent.external_ids
    assert len(doubled.external_ids) == 3


def test_a_deleted_message_cannot_be_edited(send_to: SendTo) -> None:
    sent = send_to(body="x")
    send_to(operation="delete", sent_ids=sent.external_ids)

    outcome = send_to(operation="edit", sent_ids=sent.external_ids, body="y")

    assert (outcome.kind, "not found" in outcome.detail) == ("permanent", True)


def test_a_message_of_a_business_connection_is_changed_and_taken_back_through_it(
    send_to: SendTo, sandbox: SandboxProcess
) -> None:
    sent = send_to(address="700100@biz")

    edited = send_to(address="700100@biz", operation="edit", sent_ids=sent.external_ids, body="new")
    deleted = send_to(address="700100@biz", operation="delete", sent_ids=sent.external_ids)

    assert (edited.kind, deleted.kind) == ("accepted", "accepted")
    assert [entry["raw"]["business_connection_id"] for entry in sandbox.outbox("telegram")] == ["biz"] * 3
    assert sandbox.outbox("telegram")[-1]["method"] == "deleteBusinessMessages"
