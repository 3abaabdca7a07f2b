"""Who may do what with a ticket by mail or chat: copies, forged numbers, machines, edits, our own mailboxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import Participant, ReactionChange, Receipt, Receipts
from tests.desk import Desk
from tests.models.inbound.story import CHAT, MAIL, opened, told


def test_a_copy_that_did_not_arrive_is_reported_and_the_requesters_mail_stays_sent(desk: Desk) -> None:
    ticket = opened(desk, replace(MAIL, copies=(Participant("Grace", "grace@example.com"),)), "email")
    desk.reply(ticket, "Water it.")
    desk.answers.append(lambda m: replace(outbound.accepted(m.external_id), provider_id="prov-1"))
    desk.run_due()

    told(
        desk,
        Receipts((Receipt("prov-1", "bounced", "Grace@example.com", "no such user", permanent=True),)),
        "email",
    )
    told(desk, Receipts((Receipt("prov-1", "delivered", "ada@example.com"),)), "email")

    delivery = next(d for d in desk.deliveries(ticket) if d["provider_id"] == "prov-1")
    assert (delivery["state"], delivery["receipt"]) == ("sent", "delivered")
    [event] = desk.events(ticket, "copy_not_delivered")
    assert event["payload"]["recipient"] == "Grace@example.com"


GRACE = replace(
    MAIL,
    author_address="grace@example.com",
    author_name="Grace",
    contact_address="grace@example.com",
    external_id="<g@example.com>",
    references=("<1@example.com>",),
    copies=(Participant("Ada", "ada@example.com"),),
)


def test_who_only_got_a_copy_does_not_draw_the_answers_to_themselves(desk: Desk) -> None:
    ticket = opened(desk, replace(MAIL, copies=(Participant("Grace", "grace@example.com"),)), "email")

    told(desk, replace(GRACE, body="Me, too."), "email")
    desk.reply(ticket, "Water it.")
    desk.run_due()

    answer = desk.sent[-1].message
    assert answer.address == "ada@example.com"
    assert answer.copies == (("Grace", "grace@example.com"),)


def test_a_vacation_responder_does_not_draw_the_answers_to_itself(desk: Desk) -> None:
    ticket = opened(desk, replace(MAIL, copies=(Participant("Grace", "grace@example.com"),)), "email")

    told(desk, replace(GRACE, body="I am away.", automatic="auto_reply"), "email")
    desk.reply(ticket, "Water it.")
    desk.run_due()

    assert desk.sent[-1].address == "ada@example.com"


def test_an_edit_of_a_message_that_we_never_saw_changes_no_answer_to_it(desk: Desk) -> None:
    ticket = opened(desk, replace(CHAT, references=("42:0",)))

    reaction = told(desk, ReactionChange("42:0", "42", "Ada", ("👍",)))
    told(desk, replace(CHAT, edit=True, body="Other words.", external_id="42:0"))

    # What was never seen is new.
    assert desk.bodies(desk.reload(ticket)) == ["It burns.", "Other words."]
    assert desk.events(ticket, "message_edited") == []
    assert reaction["status"] == "ignored"


def test_who_a_mail_names_that_came_by_a_number_alone_gets_no_answers(desk: Desk) -> None:
    ticket = opened(desk, MAIL, "email")
    forged = replace(
        MAIL,
        body="Any news?",
        external_id="<forged@x>",
        subject_number=ticket.number,
        copies=(Participant("M", "mallory@evil.example"),),
    )

    told(desk, forged, "email")
    desk.reply(ticket, "The password is ...")
    desk.run_due()

    assert desk.sent[-1].message.copies == ()
    assert desk.rows("SELECT 1 FROM ticket_participants") == []


def test_a_mail_of_another_mailbox_of_ours_opens_no_ticket_and_gets_no_copies(desk: Desk) -> None:
    own = replace(MAIL, author_address="desk@example.test", contact_address="desk@example.test")
    copied = replace(MAIL, external_id="<2@x>", copies=(Participant("", "DESK@example.test"),))

    shown = told(desk, own, "email")
    told(desk, copied, "email")
    desk.reply(desk.ticket(), "Hello")
    desk.run_due()

    assert (shown["status"], shown["reason"]) == ("ignored", "a message of our own")
    assert desk.sent[-1].message.copies == ()


def test_a_sender_does_not_rewrite_what_the_desk_said(desk: Desk) -> None:
    ticket = opened(desk)
    desk.reply(ticket, "Water it.")
    desk.run_due()
    outcome = desk.sent[-1].outcome
    assert outcome is not None

    told(desk, replace(CHAT, edit=True, body="Burn it.", external_id=outcome.external_id))

    assert "Water it." in desk.bodies(ticket, "outbound")


# SQLite's writer is alone: nothing can be read twice at once.
@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
@pytest.mark.postgresql
def test_a_mail_to_two_mailboxes_that_is_read_twice_at_once_is_one_ticket(desk: Desk) -> None:
    from models.channels import accounts
    from models.inbound import recording
    from models.inbox.commands import load

    events = [desk.receive(replace(MAIL, external_id="<both@x>"), event_key=f"k{n}") for n in range(2)]
    with database.transaction():
        demo = accounts.find("email", "demo")
    others = [demo, replace(demo, name="second")]

    def read(number: int) -> None:
        with database.transaction():
            recording.record(load(events[number]), others[number], replace(MAIL, external_id="<both@x>"))

    desk.in_threads(lambda: read(0), lambda: read(1))

    assert len(desk.tickets()) == 1


def test_an_older_wording_does_not_replace_a_newer_one(desk: Desk) -> None:
    from datetime import UTC, datetime

    ticket = opened(desk)
    newer, older = datetime(2026, 1, 1, 12, 5, tzinfo=UTC), datetime(2026, 1, 1, 12, 1, tzinfo=UTC)

    told(desk, replace(CHAT, edit=True, body="Second.", sent_at=newer))
    told(desk, replace(CHAT, edit=True, body="First.", sent_at=older))

    assert desk.bodies(desk.reload(ticket)) == ["Second."]
