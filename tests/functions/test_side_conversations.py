"""Side conversations: an agent forwards messages to a third party, whose answers return as notes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models.kernel import clock
from models.kernel.storage import database
from models.kernel.text import ERASED
from models.ports.inbound import DeliveryFailure, InboundMessage
from models.privacy import erasure
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.files import upload
from tests.models.notices.reading import listed

pytestmark = sqlite_only

SUPPLIER = "supplier@parts.example"


@pytest.fixture
def path(desk: Desk) -> str:
    """Ida's ticket by mail, with Bo as a reader of a copy."""
    desk.receive_email("My part is broken.", sender="Ida <ida@firma.example>", headers={"Cc": "Bo <bo@firma.example>"})
    desk.run_due()
    return f"/v1/tickets/{desk.ticket().id}"


def start(agent: Caller, path: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = agent.made(f"{path}/side_conversations", {"to": SUPPLIER, "body": "Do you have it?"} | more)
    return made


def answer(
    desk: Desk, text: str = "Yes, two.", *, sender: str = SUPPLIER, by: str = "token", **headers: str
) -> dict[str, Any]:
    """An answer to the last mail that the desk sent."""
    mail = desk.sent[-1].message
    clues = {"Delivered-To": f"desk+{mail.reply_token}@example.test"} if by == "token" else {}
    reference = mail.external_id if by == "reference" else None
    event = desk.receive_email(
        text, sender=sender, subject=f"Re: {mail.subject}", in_reply_to=reference, headers=clues | headers
    )
    desk.run_due()
    return desk.inbox(event)


def notes(desk: Desk) -> list[tuple[str, str]]:
    return [
        (one["author_kind"], one["body"].strip()) for one in desk.messages(desk.tickets()[0]) if one["kind"] == "note"
    ]


def state(desk: Desk) -> tuple[Any, ...]:
    """The facts of the ticket that an answer of the requester or to them changes."""
    ticket = desk.tickets()[0]
    return (ticket.state, ticket.first_response_at, ticket.unanswered_since, ticket.contact_address)


def test_an_agent_forwards_a_message_and_a_file_to_a_third_party(path: str, desk: Desk, agent: Caller) -> None:
    file = upload(agent)
    agent.made(f"{path}/messages", {"kind": "note", "body": "The plan.", "attachments": [file["id"]]})
    before, first = state(desk), desk.messages(desk.ticket())[0]

    made = start(agent, path, messages=[str(first["id"])], files=[file["id"]])
    desk.run_due()

    sent = desk.sent[-1].message
    assert (sent.address, sent.copies, sent.recipient_name) == (SUPPLIER, (), "")
    assert sent.body.startswith("Do you have it?\n\n-----\nFrom: Ida\n")
    assert "My part is broken." in sent.body
    assert "ida@firma.example" not in sent.body
    assert [one.filename for one in sent.attachments] == [file["filename"]]
    assert sent.references == ()
    assert str(sent.reply_token).startswith("side-")
    assert made["message"]["kind"] == "note"
    assert made["side_conversation"]["address"] == SUPPLIER
    assert state(desk) == before


@pytest.mark.parametrize("by", ["token", "reference"])
def test_an_answer_becomes_a_note_with_a_notice_and_nothing_reaches_the_requester(
    path: str, desk: Desk, agent: Caller, by: str
) -> None:
    made = start(agent, path)
    desk.run_due()
    agent.ask("PUT", f"{path}/read", {})
    before, mails = state(desk), len(desk.sent)

    found = answer(desk, by=by)

    assert (found["status"], str(found["ticket_id"])) == ("processed", made["side_conversation"]["ticket_id"])
    assert notes(desk)[-1] == ("third_party", "Yes, two.")
    assert len(desk.tickets()) == 1
    assert (state(desk), len(desk.sent)) == (before, mails)
    assert agent.read("/v1/tickets?unread=true&fields=unread")["items"] == []
    assert [one["kind"] for one in listed(desk)][:1] == ["side_answer"]
    assert SUPPLIER not in {one["address"] for one in agent.read(f"{path}/participants")["items"]}
    assert desk.rows("SELECT 1 FROM identities WHERE address = :address", address=SUPPLIER) == []


def test_the_agent_writes_again_in_the_thread_of_the_third_party(path: str, desk: Desk, agent: Caller) -> None:
    made = start(agent, path)["side_conversation"]
    desk.run_due()
    first = desk.sent[-1].message.external_id
    answer(desk)
    [their_id] = [one["external_id"] for one in desk.messages(desk.ticket()) if one["author_kind"] == "third_party"]

    agent.made(f"{path}/side_conversations/{made['id']}/messages", {"body": "Send both."})
    desk.run_due()

    sent = desk.sent[-1].message
    assert (sent.address, sent.in_reply_to, sent.references) == (SUPPLIER, their_id, (first, their_id))
    items = agent.read(f"{path}/side_conversations/{made['id']}/messages")["items"]
    assert [one["body"].strip() for one in items] == ["Do you have it?", "Yes, two.", "Send both."]


def test_a_reply_to_the_requester_names_no_mail_of_a_side_conversation(path: str, desk: Desk, agent: Caller) -> None:
    start(agent, path)
    desk.run_due()
    answer(desk)

    agent.made(f"{path}/messages", {"kind": "reply", "body": "We have two."})
    desk.run_due()

    sent = desk.sent[-1].message
    assert (sent.address, sent.copies) == ("ida@firma.example", ())
    assert not [one for one in sent.references if "side" in one or "parts.example" in one]
    assert not str(sent.reply_token).startswith("side-")


def test_a_stranger_without_the_token_cannot_join_by_a_reference(path: str, desk: Desk, agent: Caller) -> None:
    start(agent, path)
    desk.run_due()

    answer(desk, "Let me in.", sender="eve@evil.example", by="reference")

    assert notes(desk) == [("agent", "Do you have it?")]
    assert len(desk.tickets()) == 2


def test_a_wrong_token_joins_nothing(path: str, desk: Desk, agent: Caller) -> None:
    start(agent, path)
    desk.run_due()

    desk.receive_email("Hi.", sender=SUPPLIER, headers={"Delivered-To": f"desk+side-{'0' * 32}@example.test"})
    desk.run_due()

    assert notes(desk) == [("agent", "Do you have it?")]
    assert len(desk.tickets()) == 2


def test_a_colleague_of_the_third_party_who_has_the_mail_may_answer(path: str, desk: Desk, agent: Caller) -> None:
    start(agent, path)
    desk.run_due()

    answer(desk, "I take over.", sender="boss@parts.example")

    assert notes(desk)[-1] == ("third_party", "I take over.")
    assert desk.messages(desk.ticket())[-1]["details"]["side"]["by_third_party"] is False


def test_an_automatic_answer_is_a_note_without_a_notice(path: str, desk: Desk, agent: Caller) -> None:
    start(agent, path)
    desk.run_due()
    mails = len(desk.sent)

    answer(desk, "I am on holiday.", **{"Auto-Submitted": "auto-replied"})

    assert notes(desk)[-1] == ("third_party", "I am on holiday.")
    assert listed(desk) == []
    assert len(desk.sent) == mails


def test_a_bounce_fails_the_message_and_moves_no_life_cycle(path: str, desk: Desk, agent: Caller) -> None:
    message = start(agent, path)["message"]
    desk.run_due()
    sent, before = desk.sent[-1].message, state(desk)

    failure = DeliveryFailure("5.7.1", "blocked")
    desk.receive(
        InboundMessage(
            author_address="mailer-daemon@parts.example",
            author_name="",
            contact_address="mailer-daemon@parts.example",
            body="It came back.",
            references=(str(sent.external_id),),
            failure=failure,
            automatic="bounce",
        )
    )
    desk.run_due()

    [delivery] = [one for one in desk.deliveries(desk.ticket()) if str(one["message_id"]) == message["id"]]
    assert (delivery["state"], delivery["last_error"]) == ("failed", "bounced: 5.7.1 blocked")
    assert [one["kind"] for one in listed(desk)] == ["send_failed"]
    assert [task for task in desk.tasks(kind="advance_ticket") if task["payload"].count("delivery_failed")] == []
    assert state(desk) == before


def test_a_message_can_be_held_and_taken_back(path: str, desk: Desk, agent: Caller) -> None:
    later = clock.rfc3339(clock.now() + timedelta(seconds=8))
    first = start(agent, path, send_at=later)
    made = agent.made(
        f"{path}/side_conversations/{first['side_conversation']['id']}/messages", {"body": "Hello?", "send_at": later}
    )
    mails = len(desk.sent)

    agent.ask("DELETE", f"{path}/messages/{made['id']}")
    desk.run_due()
    assert len(desk.sent) == mails
    desk.advance(seconds=10)
    desk.run_due()

    assert [sent.address for sent in desk.sent[mails:]] == [SUPPLIER]
    assert desk.ticket().first_response_at is None


@pytest.mark.parametrize("to", ["ida@firma.example", "BO@firma.example", "desk@example.test"])
def test_who_takes_part_in_the_ticket_is_no_third_party(path: str, agent: Caller, to: str) -> None:
    refused = problem(agent.post(f"{path}/side_conversations", {"to": to, "body": "x"}), 422)

    assert refused["errors"][0]["path"] == "/to"


def test_notes_and_messages_of_other_tickets_are_not_forwarded(path: str, desk: Desk, agent: Caller) -> None:
    note = agent.made(f"{path}/messages", {"kind": "note", "body": "Secret."})

    refused = problem(
        agent.post(f"{path}/side_conversations", {"to": SUPPLIER, "body": "x", "messages": [note["id"]]}), 422
    )

    assert refused["errors"][0]["path"] == "/messages/0"
    assert agent.read(f"{path}/side_conversations")["items"] == []


def test_an_answer_cannot_be_changed(path: str, desk: Desk, agent: Caller, machine: Caller) -> None:
    start(agent, path)
    desk.run_due()
    answer(desk)
    note = desk.messages(desk.ticket())[-1]["id"]

    refused = machine.ask("PATCH", f"{path}/messages/{note}", {"body": "No."}, headers={"If-Match": "*"})

    assert problem(refused, 409)["code"] == "cannot_correct"


def test_a_merge_moves_the_side_conversation_and_its_answers_and_an_undo_returns_them(
    path: str, desk: Desk, agent: Caller
) -> None:
    side = start(agent, path)["side_conversation"]
    desk.run_due()
    other = agent.made("/v1/tickets", {"title": "Parts"})

    merge = agent.made(f"{path}/merges", {"into": other["id"], "confirm": True})
    answer(desk, "In the target.")
    target = f"/v1/tickets/{other['id']}/side_conversations"

    assert [one["id"] for one in agent.read(target)["items"]] == [side["id"]]
    assert agent.read(f"{path}/side_conversations")["items"] == []
    items = agent.read(f"{target}/{side['id']}/messages")["items"]
    assert [one["body"].strip() for one in items] == ["Do you have it?", "In the target."]

    agent.made(f"/v1/undos/{merge['undo']['id']}")

    assert [one["id"] for one in agent.read(f"{path}/side_conversations")["items"]] == [side["id"]]
    assert agent.read(target)["items"] == []


def test_an_erasure_of_the_requester_empties_the_side_conversation_and_ends_it(
    path: str, desk: Desk, agent: Caller
) -> None:
    side = start(agent, path)["side_conversation"]
    desk.run_due()
    answer(desk)

    requester = desk.ticket().requester_id
    assert requester is not None
    with database.transaction():
        erasure.erase(requester, actor=desk.person("admin"))

    [row] = desk.rows("SELECT * FROM side_conversations")
    assert {row["address"], row["subject"], row["name"]} == {ERASED}
    assert {body for _, body in notes(desk)} == {ERASED}
    problem(agent.post(f"{path}/side_conversations/{side['id']}/messages", {"body": "x"}), 409)
    answer(desk, "Late.")
    assert "Late." not in [body for _, body in notes(desk)]


def test_an_erasure_of_the_third_party_empties_their_answers_in_the_tickets_of_others(
    path: str, desk: Desk, agent: Caller
) -> None:
    start(agent, path)
    desk.run_due()
    answer(desk)
    desk.receive_email("A request of my own.", sender=SUPPLIER, subject="Hello")
    desk.run_due()
    [known] = desk.rows("SELECT requester_id FROM identities WHERE address = :address", address=SUPPLIER)

    with database.transaction():
        erasure.erase(desk.tickets()[-1].requester_id or known["requester_id"], actor=desk.person("admin"))

    assert "Yes, two." not in str(desk.rows("SELECT body FROM messages"))
    assert "My part is broken." in str(desk.rows("SELECT body FROM messages"))
    assert SUPPLIER not in str(desk.rows("SELECT address FROM side_conversations"))


def test_a_repeated_request_sends_one_mail(path: str, desk: Desk, agent: Caller) -> None:
    body = {"to": SUPPLIER, "body": "Do you have it?"}
    key = {"Idempotency-Key": "the-same-request"}

    made = [agent.ask("POST", f"{path}/side_conversations", body, headers=key).json for _ in range(2)]
    desk.run_due()

    assert made[0]["side_conversation"]["id"] == made[1]["side_conversation"]["id"]
    assert [sent.address for sent in desk.sent].count(SUPPLIER) == 1


def test_the_same_answer_to_two_mailboxes_is_one_note(path: str, desk: Desk, agent: Caller) -> None:
    start(agent, path)
    desk.run_due()
    mail = desk.sent[-1].message
    for _ in range(2):
        desk.receive_email(
            "Once.",
            sender=SUPPLIER,
            message_id="<once@parts.example>",
            headers={
                "Delivered-To": f"desk+{mail.reply_token}@example.test",
                "X-Copy": str(len(desk.rows("SELECT id FROM inbox"))),
            },
        )
        desk.run_due()

    assert [body for kind, body in notes(desk) if kind == "third_party"] == ["Once."]
