"""Which ticket a message belongs to: its thread if its sender takes part, its chat, or a new one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from models.kernel.storage import database
from models.ports.inbound import InboundMessage
from models.ticket_actions import commands as tickets
from models.tickets.tables import Ticket
from queues import runner
from tests.desk import Desk, gapless
from tests.services.waiting import wait_until

EVE = "Eve <eve@evil.example>"


def _mailed(desk: Desk, text: str = "It burns.", **more: str) -> Ticket:
    desk.receive_email(text, message_id="<first@example.com>", **more)  # type: ignore[arg-type]
    desk.run_due()
    return desk.ticket()


def test_a_reply_by_reference_joins_its_ticket(desk: Desk) -> None:
    ticket = _mailed(desk)
    desk.reply(ticket, "Water it.")
    desk.run_due()

    desk.receive_email("Thanks!", subject="something else", in_reply_to=desk.sent[-1].message.external_id)
    desk.run_due()

    assert desk.bodies(desk.ticket()) == ["It burns.", "Thanks!"]


def test_a_reply_to_ones_own_earlier_mail_joins_its_ticket(desk: Desk) -> None:
    ticket = _mailed(desk)

    desk.receive_email("And it smokes.", in_reply_to="<first@example.com>")
    desk.run_due()

    assert desk.bodies(desk.reload(ticket)) == ["It burns.", "And it smokes."]
    assert len(desk.tickets()) == 1


def test_a_senders_case_does_not_matter(desk: Desk) -> None:
    ticket = _mailed(desk)

    desk.receive_email("Thanks!", sender="ADA@Example.COM", in_reply_to="<first@example.com>")
    desk.run_due()

    assert len(desk.bodies(desk.reload(ticket))) == 2


def test_a_strangers_reply_opens_a_ticket_of_its_own_that_names_the_other(desk: Desk) -> None:
    ticket = _mailed(desk)
    desk.reply(ticket, "The password is hidden under the mat.")
    desk.run_due()

    desk.receive_email("Which password?", sender=EVE, in_reply_to=desk.sent[-1].message.external_id)
    desk.run_due()

    first, second = desk.tickets()
    assert desk.bodies(first) == ["It burns."]
    assert desk.bodies(second) == ["Which password?"]
    [related] = desk.events(second, "ticket_related")
    assert related["payload"]["ticket_id"] == str(first.id)
    assert "does not take part" in related["payload"]["reason"]
    desk.reply(desk.reload(first), "Ada, are you there?")
    desk.run_due()
    assert desk.sent[-1].address == "ada@example.com"


def test_a_reply_to_a_closed_ticket_opens_a_new_one_that_names_it(desk: Desk) -> None:
    ticket = _mailed(desk)
    assert desk.transition(ticket, "resolve") == ()
    assert desk.transition(ticket, "close", role="manager") == ()

    desk.receive_email("It burns again.", in_reply_to="<first@example.com>")
    desk.run_due()

    first, second = desk.tickets()
    assert first.state == "closed"
    assert desk.bodies(second) == ["It burns again."]
    [related] = desk.events(second, "ticket_related")
    assert related["payload"] == {"ticket_id": str(first.id), "reason": "the ticket it answers is closed"}


def test_an_id_that_two_tickets_could_claim_stays_with_the_first(desk: Desk) -> None:
    _mailed(desk)
    desk.receive_email("A copy.", sender=EVE, message_id="<first@example.com>")
    desk.run_due()

    desk.receive_email("More.", in_reply_to="<first@example.com>")
    desk.run_due()

    assert desk.bodies(desk.tickets()[0]) == ["It burns.", "More."]


def test_a_mail_that_its_answer_overtook_joins_the_answers_ticket(desk: Desk) -> None:
    desk.receive_email("And it smokes.", message_id="<second@example.com>", in_reply_to="<first@example.com>")
    desk.run_due()

    desk.receive_email("It burns.", message_id="<first@example.com>")
    desk.run_due()

    assert desk.bodies(desk.ticket()) == ["And it smokes.", "It burns."]


def test_a_stranger_joins_nothing_by_giving_a_mail_the_id_that_somebody_referred_to(desk: Desk) -> None:
    desk.receive_email("And it smokes.", message_id="<second@example.com>", in_reply_to="<first@example.com>")
    desk.run_due()

    desk.receive_email("Let me in.", sender=EVE, message_id="<first@example.com>")
    desk.run_due()
    desk.receive_email("Third.", in_reply_to="<second@example.com>")
    desk.run_due()

    assert [desk.bodies(t) for t in desk.tickets()] == [["And it smokes.", "Third."], ["Let me in."]]


def test_a_stranger_takes_over_no_id_of_a_message_that_we_have(desk: Desk) -> None:
    ticket = _mailed(desk)
    desk.reply(ticket, "Water it.")
    desk.run_due()
    ours = desk.sent[-1].message.external_id
    assert ours is not None

    forged = desk.receive_email("I am the desk.", sender=EVE, message_id=ours)
    desk.run_due()
    desk.receive_email("Thanks!", in_reply_to=ours)
    desk.run_due()

    # Nothing proves that the mail is an echo of ours, so it is the stranger's message; the id stays ours.
    assert desk.inbox(forged)["status"] == "processed"
    assert [desk.bodies(t) for t in desk.tickets()] == [["It burns.", "Thanks!"], ["I am the desk."]]


def test_a_stranger_takes_over_no_id_of_a_message_that_another_sent(desk: Desk) -> None:
    desk.receive_email("It burns.", message_id="<first@example.com>")
    desk.run_due()

    desk.receive_email("I am Ada.", sender=EVE, message_id="<first@example.com>")
    desk.run_due()
    desk.receive_email("It smokes.", in_reply_to="<first@example.com>")
    desk.run_due()

    assert [desk.bodies(t) for t in desk.tickets()] == [["It burns.", "It smokes."], ["I am Ada."]]


def test_the_mail_itself_goes_before_another_that_only_referred_to_it(desk: Desk) -> None:
    # given Bob's mail to Ada and the desk, which Ada's answer overtook
    bob = "Bob <bob@example.com>"
    desk.receive_email("I agree with Bob.", in_reply_to="<bob@example.com>")
    desk.run_due()
    desk.receive_email("The lift is stuck.", sender=bob, message_id="<bob@example.com>")
    desk.run_due()

    desk.receive_email("It moves again.", sender=bob, in_reply_to="<bob@example.com>")
    desk.run_due()

    assert [desk.bodies(t) for t in desk.tickets()] == [
        ["I agree with Bob."],
        ["The lift is stuck.", "It moves again."],
    ]


def test_a_chat_has_one_current_ticket_until_that_is_closed(desk: Desk) -> None:
    for text in ("One.", "Two."):
        desk.receive_telegram(text, chat=42)
        desk.run_due()
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")
    desk.receive_telegram("Three.", chat=42)
    desk.run_due()
    reopened = desk.reload(ticket)
    desk.transition(ticket, "resolve")
    desk.transition(ticket, "close", role="manager")

    desk.receive_telegram("Four.", chat=42)
    desk.receive_telegram("Elsewhere.", chat=43)
    desk.run_due()

    assert reopened.state == "open"
    assert [desk.bodies(t) for t in desk.tickets()] == [["One.", "Two.", "Three."], ["Four."], ["Elsewhere."]]


def test_two_first_messages_of_a_chat_at_once_open_one_ticket(desk: Desk) -> None:
    # Without an ordering key two workers may process them at the same instant; the chat's row decides.
    for text in ("One.", "Two.", "Three."):
        message = InboundMessage("7", "Ada", "7", text, conversation_address="7", external_id=f"7:{text}")
        desk.receive(message, channel="telegram")

    desk.in_threads(*[_running(task_id) for task_id in desk.due_tasks()])
    desk.run_due()

    assert sorted(desk.bodies(desk.ticket())) == ["One.", "Three.", "Two."]


def test_mails_of_one_new_sender_at_once_make_one_requester(desk: Desk) -> None:
    for number in range(4):
        desk.receive(InboundMessage("ada@example.com", "Ada", "ada@example.com", f"{number}"))

    desk.in_threads(*[_running(task_id) for task_id in desk.due_tasks()])
    desk.run_due()

    assert len(desk.tickets()) == 4
    assert len({ticket.requester_id for ticket in desk.tickets()}) == 1
    assert desk.rows("SELECT count(*) AS n FROM requesters") == [{"n": 1}]


def test_messages_of_one_chat_keep_their_order_however_many_workers_there_are(desk: Desk) -> None:
    texts = [f"Line {number}." for number in range(8)]
    for text in texts:
        desk.receive_telegram(text, chat=42)

    def worker() -> None:
        desk.run_due()

    desk.in_threads(*[worker] * 3)
    desk.run_due()

    assert desk.bodies(desk.ticket()) == texts
    assert gapless([event["sequence"] for event in desk.events(desk.ticket())])


def test_an_edit_changes_the_message_and_keeps_the_previous_text(desk: Desk) -> None:
    desk.receive_telegram("The pritner burns.", chat=42, message_id=5)
    desk.run_due()

    desk.receive_telegram("The printer burns.", chat=42, message_id=5, edit=True)
    desk.run_due()

    ticket = desk.ticket()
    assert desk.bodies(ticket) == ["The printer burns."]
    [edited] = desk.events(ticket, "message_edited")
    assert edited["payload"]["previous_body"] == "The pritner burns."
    [message] = [m for m in desk.messages(ticket) if m["direction"] == "inbound"]
    assert message["edited_at"] is not None


@pytest.mark.parametrize("end", ["closed", "followed_by_another"])
def test_an_edit_of_a_closed_tickets_message_changes_it_there_and_opens_nothing(desk: Desk, end: str) -> None:
    desk.receive_telegram("Old.", chat=42, message_id=5)
    desk.run_due()
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")
    desk.transition(ticket, "close", role="manager")
    if end == "followed_by_another":
        desk.receive_telegram("New.", chat=42)
        desk.run_due()
    before = [desk.bodies(t) for t in desk.tickets()]

    desk.receive_telegram("Mended.", chat=42, message_id=5, edit=True)
    desk.run_due()

    assert [desk.bodies(t) for t in desk.tickets()] == [["Mended."], *before[1:]]
    assert desk.reload(ticket).state == "closed"


def test_an_edit_of_a_message_that_we_never_saw_is_kept_as_a_message(desk: Desk) -> None:
    desk.receive_telegram("Edited before we came.", chat=42, message_id=5, edit=True)
    desk.run_due()

    assert desk.bodies(desk.ticket()) == ["Edited before we came."]


def test_a_reply_mail_names_what_it_answers_and_the_thread(desk: Desk) -> None:
    ticket = _mailed(desk)
    for number in range(12):
        desk.reply(ticket, f"Answer {number}.")
        desk.run_due()

    message = desk.sent[-1].message
    assert message.in_reply_to == "<first@example.com>"
    assert message.references[0] == "<first@example.com>"
    assert len(message.references) <= 10
    assert message.external_id not in message.references
    assert message.subject == f"Re: Printer [#{ticket.number}]"


@pytest.mark.parametrize("database_engine", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.parametrize("channel", ["telegram", "email"])
def test_a_message_that_comes_while_its_ticket_is_being_closed_opens_a_new_one(desk: Desk, channel: str) -> None:
    def receive(text: str, in_reply_to: str | None = None) -> None:
        if channel == "telegram":
            desk.receive_telegram(text, chat=42)
        else:
            message_id = None if in_reply_to else "<first@example.com>"
            desk.receive_email(text, message_id=message_id, in_reply_to=in_reply_to)

    receive("First.")
    desk.run_due()
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")
    manager = desk.person("manager")
    receive("Second.", in_reply_to="<first@example.com>")
    [task_id] = desk.due_tasks()
    worker = threading.Thread(target=runner.run_task, args=(task_id,))

    with database.transaction():
        tickets.transition(ticket.id, "close", fields=None, comment=None, role="manager", actor=manager)
        worker.start()
        wait_until(
            lambda: bool(database.run("SELECT 1 AS x FROM pg_locks WHERE NOT granted")),
            within_s=10,
            what="the worker waiting for the ticket",
        )
    worker.join(10)

    assert [desk.bodies(t) for t in desk.tickets()] == [["First."], ["Second."]]


def _running(task_id: int) -> Callable[[], str]:
    return lambda: runner.run_task(task_id)
