"""What channels tell beside messages: each kind of event has its one effect, and a repeat has none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.events import catalogue
from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import (
    AttachmentInfo,
    Deletion,
    InboundMessage,
    Participant,
    ReactionChange,
    Receipt,
    ReceiptKind,
    Receipts,
)
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.models.inbound.story import CHAT, MAIL, opened, told

# -- threading -------------------------------------------------------------------------------------------------


def test_a_mail_to_the_tickets_own_address_joins_it_without_any_reference(desk: Desk) -> None:
    ticket = opened(desk, MAIL, "email")
    token = desk.rows("SELECT reply_token FROM tickets")[0]["reply_token"]

    told(desk, replace(MAIL, body="More.", external_id="<2@example.com>", reply_token=token), "email")

    assert desk.bodies(desk.reload(ticket)) == ["It burns.", "More."]


def test_a_stranger_with_the_tickets_address_opens_a_related_ticket(desk: Desk) -> None:
    first = opened(desk, MAIL, "email")
    token = desk.rows("SELECT reply_token FROM tickets")[0]["reply_token"]
    stranger = replace(
        MAIL,
        author_address="eve@evil.example",
        contact_address="eve@evil.example",
        body="Give me access.",
        external_id="<3@evil.example>",
        reply_token=token,
    )

    told(desk, stranger, "email")

    assert desk.bodies(desk.reload(first)) == ["It burns."]
    [second] = [one for one in desk.tickets() if one.id != first.id]
    assert desk.events(second, "ticket_related")[0]["payload"]["ticket_id"] == str(first.id)


def test_a_reader_of_a_copy_takes_part(desk: Desk) -> None:
    ticket = opened(desk, replace(MAIL, copies=(Participant("Grace", "grace@example.com"),)), "email")
    answer = replace(
        MAIL,
        author_address="grace@example.com",
        author_name="Grace",
        contact_address="grace@example.com",
        body="I saw it, too.",
        external_id="<4@example.com>",
        references=("<1@example.com>",),
    )

    told(desk, answer, "email")

    assert desk.bodies(desk.reload(ticket)) == ["It burns.", "I saw it, too."]


@pytest.mark.parametrize(("author", "joins"), [("ada@example.com", True), ("eve@evil.example", False)])
def test_a_number_in_the_subject_counts_only_for_who_takes_part(desk: Desk, author: str, joins: bool) -> None:
    ticket = opened(desk, MAIL, "email")
    written = replace(
        MAIL,
        author_address=author,
        contact_address=author,
        body="Any news?",
        external_id="<5@x>",
        subject_number=ticket.number,
    )

    told(desk, written, "email")

    assert len(desk.tickets()) == (1 if joins else 2)


def test_an_answer_to_an_older_question_of_the_chat_goes_to_that_question(desk: Desk) -> None:
    first = opened(desk)
    told(desk, replace(CHAT, body="Another thing.", external_id="42:2", new_ticket=True))

    told(desk, replace(CHAT, body="About the fire:", external_id="42:3", references=("42:1",)))

    assert desk.bodies(desk.reload(first)) == ["It burns.", "About the fire:"]
    assert len(desk.tickets()) == 2


def test_one_mail_to_two_mailboxes_is_one_message(desk: Desk) -> None:
    opened(desk, MAIL, "email")
    with database.transaction():
        database.execute(
            "INSERT INTO definitions (kind, name, version, body, source, sha256, published_at, published_by)"
            " SELECT kind, 'email.second', 1, body, source, sha256, published_at, published_by FROM definitions"
            " WHERE name = 'email.demo'"
        )
        database.execute("UPDATE messages SET account = 'second'")
        database.execute("UPDATE message_references SET account = 'second'")

    shown = told(desk, MAIL, "email")

    assert shown["status"] == "ignored"
    assert "came by the account second" in shown["reason"]
    assert len(desk.tickets()) == 1


# -- quarantine ------------------------------------------------------------------------------------------------


def test_a_forged_sender_is_kept_back_until_a_person_lets_it_in(desk: Desk) -> None:
    from models.inbox import commands as inbox

    event = desk.receive(replace(MAIL, verdict="fail"), channel="email")
    desk.run_due()
    kept_back = desk.inbox(event)
    desk.command(inbox.replay, event, by="Mira")
    desk.run_due()

    assert kept_back["status"] == "failed"
    assert "quarantined" in kept_back["reason"]
    assert desk.inbox(event)["status"] == "processed"
    assert len(desk.tickets()) == 1


def test_a_flood_of_new_tickets_ends_in_quarantine(desk: Desk) -> None:
    from models.kernel import limits

    for number in range(limits.new_tickets_per_sender_hour + 2):
        desk.receive(replace(MAIL, external_id=f"<{number}@flood>", body=f"Flood {number}"), channel="email")
    desk.run_due()

    assert len(desk.tickets()) == limits.new_tickets_per_sender_hour
    kept_back = desk.rows("SELECT reason FROM inbox WHERE status = 'failed'")
    assert len(kept_back) == 2
    assert all("quarantined" in row["reason"] for row in kept_back)


# -- albums, edits, reactions, deletions --------------------------------------------------------------------------


def test_the_pictures_of_an_album_are_one_message(desk: Desk) -> None:
    def part(number: int, body: str, **details: Any) -> InboundMessage:
        picture = AttachmentInfo(f"photo-{number}.jpg", "image/jpeg", 10, provider_id=f"file{number}")
        return replace(
            CHAT,
            body=body,
            external_id=f"42:{number}",
            group_key="42:album",
            attachments=(picture,),
            details=details,
        )

    desk.receive(part(1, "[photo]"), channel="telegram")
    desk.receive(part(2, "Look at this", caption=True), channel="telegram")
    desk.receive(part(3, "[photo]"), channel="telegram")
    desk.run_due()

    [message] = [one for one in desk.messages(desk.ticket()) if one["direction"] == "inbound"]
    assert message["body"] == "Look at this"
    assert (
        desk.rows("SELECT count(*) AS n FROM message_references WHERE message_id = :id", id=message["id"])[0]["n"] == 3
    )


def test_an_edit_that_changes_no_text_leaves_no_version(desk: Desk) -> None:
    ticket = opened(desk)

    told(desk, replace(CHAT, edit=True))
    told(desk, replace(CHAT, edit=True, body="It smokes."))

    assert [e["payload"]["previous_body"] for e in desk.events(ticket, "message_edited")] == ["It burns."]
    assert desk.bodies(desk.reload(ticket)) == ["It smokes."]


def test_a_reaction_is_seen_at_the_message_and_can_be_taken_away(desk: Desk) -> None:
    ticket = opened(desk)

    told(desk, ReactionChange("42:1", "42", "Ada", ("👍",)))
    told(desk, ReactionChange("42:1", "42", "Ada", ()))
    unknown = told(desk, ReactionChange("42:999", "42", "Ada", ("👍",)))

    history = [(e["payload"]["from"], e["payload"]["to"]) for e in desk.events(ticket, "reaction_changed")]
    assert history == [([], ["👍"]), (["👍"], [])]
    assert unknown["status"] == "ignored"


def test_a_message_that_its_sender_took_back_is_marked_and_kept(desk: Desk) -> None:
    ticket = opened(desk)

    told(desk, Deletion(("42:1",)))

    [message] = [one for one in desk.messages(ticket) if one["direction"] == "inbound"]
    assert message["deleted_at"] is not None
    assert message["body"] == "It burns."


# -- receipts --------------------------------------------------------------------------------------------------


def _answered_by_mail(desk: Desk) -> tuple[Ticket, str]:
    ticket = opened(desk, MAIL, "email")
    desk.reply(ticket, "Water it.")
    desk.answers.append(lambda m: replace(outbound.accepted(m.external_id), provider_id="prov-1"))
    desk.run_due()
    return ticket, "prov-1"


def test_a_delivered_receipt_is_seen_at_the_delivery(desk: Desk) -> None:
    ticket, reference = _answered_by_mail(desk)

    told(desk, Receipts((Receipt(reference, "delivered"),)), "email")
    told(desk, Receipts((Receipt(reference, "delivered"),)), "email")

    delivery = next(d for d in desk.deliveries(ticket) if d["provider_id"] == reference)
    assert (delivery["state"], delivery["receipt"]) == ("sent", "delivered")
    assert len(desk.events(ticket, "delivery_delivered")) == 1


def test_a_bounce_by_the_provider_fails_the_delivery_and_suppresses_the_address(desk: Desk) -> None:
    ticket, reference = _answered_by_mail(desk)

    told(
        desk,
        Receipts((Receipt(reference, "bounced", "ada@example.com", "no such user", "5.1.1", permanent=True),)),
        "email",
    )

    delivery = next(d for d in desk.deliveries(ticket) if d["provider_id"] == reference)
    assert delivery["state"] == "failed"
    assert desk.rows("SELECT suppressed_reason FROM identities")[0]["suppressed_reason"].startswith("bounced")
    assert desk.events(ticket, "delivery_failed")


def test_a_later_weaker_word_does_not_take_back_a_stronger_one(desk: Desk) -> None:
    ticket, reference = _answered_by_mail(desk)

    for kind in ("complained", "delivered", "deferred"):
        told(desk, Receipts((Receipt(reference, kind),)), "email")

    assert next(d for d in desk.deliveries(ticket) if d["provider_id"])["receipt"] == "complained"


def test_a_receipt_of_somebody_elses_message_is_ignored(desk: Desk) -> None:
    assert told(desk, Receipts((Receipt("<x@y>", "bounced"),)), "email")["status"] == "ignored"


@pytest.mark.parametrize(("first", "second"), [("bounced", "failed"), ("failed", "bounced")])
def test_a_receipt_of_a_delivery_that_failed_already_is_an_event_that_its_published_schema_describes(
    desk: Desk, first: ReceiptKind, second: ReceiptKind
) -> None:
    ticket, reference = _answered_by_mail(desk)
    told(desk, Receipts((Receipt(reference, first),)), "email")

    told(desk, Receipts((Receipt(reference, second, detail="no such user"),)), "email")

    event = desk.events(ticket)[-1]
    assert event["event_type"] == f"delivery_{second}"
    schema = catalogue.schema(event["event_type"], "https://desk.example")
    promised = schema["properties"]["data"]["properties"]["payload"]["required"]
    assert set(promised) <= event["payload"].keys()
    assert event["payload"]["detail"] == "no such user"
