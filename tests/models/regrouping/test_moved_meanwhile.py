"""Messages that move between the look-up of their ticket and its lock: each act is written where the message is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models.channels import accounts
from models.conversations import queries as conversations
from models.conversations import reactions
from models.conversations import threading as threads
from models.deliveries import corrections, receipts, retries
from models.identity.rules import Permission
from models.kernel.errors import Contention, NestorError
from models.kernel.storage import database
from models.ports.inbound import Deletion, ReactionChange, Receipt
from models.regrouping import merging, splitting
from models.tasks.payloads import AdvanceTicket
from models.ticket_actions import answering, commands
from models.tickets import queries
from models.tickets.tables import Ticket
from models.undo import restorers
from models.visibility.sight import DESK
from queues import runner
from tests.desk import Desk

on_postgresql = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)


def two_mails(desk: Desk) -> Ticket:
    """A ticket that waits for its requester, and whose second mail is recorded but not yet read by the life cycle."""
    desk.receive_email("First", subject="One", message_id="<one@x.test>")
    desk.run_due()
    [ticket] = desk.tickets()
    desk.reply(ticket)
    desk.transition(ticket, "wait_for_requester")
    desk.run_due()
    desk.receive_email("Second", subject="Re: One", message_id="<two@x.test>", in_reply_to="<one@x.test>")
    [ingest] = desk.due_tasks()
    assert runner.run_task(ingest) == "done"
    return desk.reload(ticket)


def message(desk: Desk, text: str) -> UUID:
    [row] = desk.rows("SELECT id FROM messages WHERE body LIKE :text", text=f"{text}%")
    return UUID(str(row["id"]))


def split(desk: Desk, ticket: Ticket, message_id: UUID) -> UUID:
    made, _ = desk.command(splitting.split, ticket.id, splitting.Wish([message_id], "Other"), actor=desk.person())
    assert isinstance(made, UUID)
    return made


def undone(desk: Desk, undo_id: UUID) -> None:
    desk.command(restorers.restore, undo_id, actor=desk.person(), permissions=frozenset(Permission))


def before_the_first(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, act: Callable[[], object]) -> None:
    """Let another transaction act and commit before the first call of a function."""
    function, acts = getattr(module, name), [act]

    def patched(*arguments: Any, **named: Any) -> Any:
        if acts:
            in_another_transaction(acts.pop())
        return function(*arguments, **named)

    monkeypatch.setattr(module, name, patched)


def after_the_first(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, act: Callable[[], object]) -> None:
    """Let another transaction act and commit after the first call of a function."""
    function, acts = getattr(module, name), [act]

    def patched(*arguments: Any, **named: Any) -> Any:
        found = function(*arguments, **named)
        if acts:
            in_another_transaction(acts.pop())
        return found

    monkeypatch.setattr(module, name, patched)


def in_another_transaction(act: Callable[[], object]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 -- raised again in the test's thread
            errors.append(error)
        finally:
            database.proxy.obj.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30.0)
    assert not thread.is_alive(), "the other transaction waits"
    if errors:
        raise errors[0]


def reaction(desk: Desk, ticket: Ticket) -> AdvanceTicket:
    return AdvanceTicket(ticket_id=ticket.id, event="requester_message", message_id=message(desk, "Second"))


def test_a_reaction_that_runs_after_a_split_of_its_message_has_no_effect(desk: Desk) -> None:
    ticket = two_mails(desk)
    late = reaction(desk, ticket)
    made = split(desk, ticket, message(desk, "Second"))
    desk.run_due()
    other = desk.command(queries.find, str(made))
    desk.reply(other)
    desk.transition(other, "wait_for_requester")
    desk.run_due()
    before = [desk.events(ticket), desk.events(other)]

    desk.command(commands.advance, late, causation_id="late")

    assert [desk.events(ticket), desk.events(other)] == before
    assert [desk.reload(one).state for one in (ticket, other)] == ["waiting_on_requester"] * 2


@on_postgresql
def test_a_reaction_has_no_effect_when_a_split_of_its_message_commits_before_its_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = two_mails(desk)
    late = reaction(desk, ticket)
    before_the_first(monkeypatch, queries, "lock", lambda: split(desk, ticket, message(desk, "Second")))

    desk.command(commands.advance, late, causation_id="late")

    assert desk.events(ticket)[-1]["event_type"] == "ticket_split"
    assert desk.reload(ticket).state == "waiting_on_requester"


@on_postgresql
def test_the_own_ticket_of_a_message_reacts_when_the_undo_of_a_merge_commits_before_the_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, target = two_mails(desk), desk.create_ticket("Target")
    undo_id = desk.command(merging.merge, ticket.id, target.id, actor=desk.person(), sight=DESK, confirmed=True)
    late = reaction(desk, target)
    before_the_first(monkeypatch, queries, "lock", lambda: undone(desk, undo_id))

    desk.command(commands.advance, late, causation_id="late")

    assert desk.events(target)[-1]["event_type"] == "ticket_merge_undone"
    assert desk.reload(ticket).state == "open"


@on_postgresql
def test_a_reaction_is_repeated_when_its_message_moves_again_before_the_second_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, target, third = two_mails(desk), desk.create_ticket("Target"), desk.create_ticket("Third")
    actor = desk.person()
    undo_id = desk.command(merging.merge, ticket.id, target.id, actor=actor, sight=DESK, confirmed=True)
    late = reaction(desk, target)
    undone(desk, undo_id)
    again = desk.command(merging.merge, ticket.id, third.id, actor=actor, sight=DESK, confirmed=True)
    locks, lock = [], queries.lock

    def lock_and_move(ticket_id: UUID) -> Ticket:
        locks.append(ticket_id)
        if len(locks) == 2:
            monkeypatch.setattr(queries, "lock", lock)
            in_another_transaction(lambda: undone(desk, again))
        return lock(ticket_id)

    monkeypatch.setattr(queries, "lock", lock_and_move)
    refused = desk.refused(commands.advance, late, causation_id="late")

    assert isinstance(refused, Contention)
    desk.command(commands.advance, late, causation_id="late")
    assert desk.reload(ticket).state == "open"


def react(desk: Desk, ticket: Ticket) -> None:
    change = ReactionChange("<two@x.test>", "ada@example.com", "Ada", ("👍",))
    reactions.change(accounts.find("email", "demo"), change)


def take_back(desk: Desk, ticket: Ticket) -> None:
    reactions.delete(accounts.find("email", "demo"), Deletion(("<two@x.test>",)))


def correct(desk: Desk, ticket: Ticket) -> None:
    corrections.edit(message(desk, "Noted"), "Better", actor=desk.person(), can=lambda _: frozenset())


@on_postgresql
@pytest.mark.parametrize(
    ("act", "event", "text"),
    [
        (react, "reaction_changed", "Second"),
        (take_back, "message_deleted", "Second"),
        (correct, "message_edited", "Noted"),
    ],
)
def test_the_event_of_a_message_goes_into_the_ticket_to_which_it_moves_before_the_lock(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Desk, Ticket], None],
    event: str,
    text: str,
) -> None:
    ticket = two_mails(desk)
    desk.command(answering.note, ticket.id, "Noted", actor=desk.person())
    made: list[UUID] = []
    moved = message(desk, text)
    before_the_first(monkeypatch, queries, "lock", lambda: made.append(split(desk, ticket, moved)))

    refused: NestorError = desk.refused(act, desk, ticket)

    assert isinstance(refused, Contention)
    desk.command(act, desk, ticket)
    assert desk.events(ticket, event) == []
    assert len(desk.rows("SELECT 1 FROM events WHERE aggregate_id = :id AND event_type = :e", id=made[0], e=event)) == 1


@on_postgresql
def test_a_mail_joins_the_ticket_to_which_the_mail_that_it_answers_moves_before_the_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = two_mails(desk)
    desk.run_due()
    made: list[UUID] = []
    moved = message(desk, "Second")
    desk.receive_email("Third", subject="Re: One", message_id="<three@x.test>", in_reply_to="<two@x.test>")
    [ingest] = desk.due_tasks()
    after_the_first(monkeypatch, threads, "find", lambda: made.append(split(desk, ticket, moved)))

    assert runner.run_task(ingest) == "done"

    [row] = desk.rows("SELECT ticket_id FROM messages WHERE body LIKE 'Third%'")
    assert UUID(str(row["ticket_id"])) == made[0]


@on_postgresql
def test_an_edit_finds_its_message_when_it_moves_before_the_lock(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.receive_telegram("First", message_id=1)
    desk.receive_telegram("Second", message_id=2)
    desk.run_due()
    ticket = desk.ticket()
    moved = message(desk, "Second")
    desk.receive_telegram("Second thoughts", message_id=2, edit=True)
    [ingest] = desk.due_tasks()
    after_the_first(monkeypatch, threads, "ticket_of_message", lambda: split(desk, ticket, moved))

    assert runner.run_task(ingest) == "done"

    assert len(desk.rows("SELECT 1 FROM messages WHERE direction = 'inbound'")) == 2
    assert message(desk, "Second thoughts") == moved


@on_postgresql
def test_a_receipt_goes_into_the_ticket_to_which_its_message_moves_before_the_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = two_mails(desk)
    desk.run_due()
    sent = message(desk, "Water it.")
    [delivery] = desk.rows("SELECT external_id FROM deliveries WHERE message_id = :id", id=sent)
    made: list[UUID] = []
    after_the_first(monkeypatch, receipts, "_delivery_of", lambda: made.append(split(desk, ticket, sent)))
    receipt = Receipt(delivery["external_id"], "delivered")

    found = desk.command(lambda: receipts.record(accounts.find("email", "demo"), receipt))

    assert [found] == made
    assert desk.events(ticket, "delivery_delivered") == []


@on_postgresql
def test_a_retry_is_recorded_in_the_ticket_to_which_the_message_moves_before_the_lock(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = two_mails(desk)
    desk.run_due()
    sent = message(desk, "Water it.")
    with database.transaction():
        database.execute("UPDATE deliveries SET state = 'failed' WHERE message_id = :id", id=sent)
    made: list[UUID] = []
    after_the_first(monkeypatch, conversations, "get", lambda: made.append(split(desk, ticket, sent)))

    desk.command(retries.retry, sent, actor=desk.person(), of_others=True)

    assert desk.events(ticket, "message_retried") == []
    [row] = desk.rows("SELECT aggregate_id FROM events WHERE event_type = 'message_retried'")
    assert UUID(str(row["aggregate_id"])) == made[0]
