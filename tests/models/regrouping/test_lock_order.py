"""Acts that move messages or chats lock in the order of a receipt and of a chat message, so none deadlocks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models.channels import accounts
from models.conversations import chats
from models.deliveries import receipts
from models.identity.rules import Permission
from models.kernel.storage import database
from models.ports.inbound import Receipt
from models.regrouping import merging, requester_change, splitting
from models.tickets.tables import Ticket
from models.undo import restorers
from models.visibility.sight import DESK
from tests.desk import Desk

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)


def at_once(first: Callable[[], object], then: Callable[[], Any], act: Callable[[], object]) -> Any:
    """Let another transaction do `first`, and `then` when `act` waits for it; return the result of `then`."""
    locked, done = threading.Event(), list[Any]()

    def other() -> None:
        with database.transaction():
            first()
            locked.set()
            while not database.run("SELECT 1 FROM pg_locks WHERE NOT granted"):
                pass
            done.append(then())
        database.proxy.obj.close()

    worker = threading.Thread(target=other, daemon=True)
    worker.start()
    assert locked.wait(30.0)
    with database.transaction():
        act()
    worker.join(30.0)
    [result] = done
    return result


def undo(desk: Desk, undo_id: UUID) -> None:
    restorers.restore(undo_id, actor=desk.person(), permissions=frozenset(Permission))


@pytest.mark.parametrize("act", ["merge", "undo"])
def test_an_act_that_moves_messages_and_a_receipt_at_once_do_not_deadlock(desk: Desk, act: str) -> None:
    desk.receive_email("First", subject="One")
    desk.run_due()
    ticket, target = desk.ticket(), desk.create_ticket("Target")
    desk.reply(ticket)
    desk.run_due()
    reference = desk.deliveries(ticket)[-1]["external_id"]
    actor = desk.person()
    acts: list[Callable[[], Any]] = [
        lambda: merging.merge(ticket.id, target.id, actor=actor, sight=DESK, confirmed=True)
    ]
    if act == "undo":
        undo_id = desk.command(acts.pop())
        acts.append(lambda: undo(desk, undo_id))

    found = at_once(
        lambda: database.execute("SELECT 1 FROM deliveries WHERE external_id = :id FOR UPDATE", id=reference),
        lambda: receipts.record(accounts.find("email", "demo"), Receipt(reference, "delivered")),
        acts.pop(),
    )

    assert found == (ticket.id if act == "merge" else target.id)


def two_messages(desk: Desk) -> Ticket:
    desk.receive_telegram("First", chat=42)
    desk.receive_telegram("Second", chat=42)
    desk.run_due()
    return desk.ticket()


def merge(desk: Desk) -> Callable[[], object]:
    ticket, target = two_messages(desk), desk.create_ticket("Target")
    return lambda: merging.merge(ticket.id, target.id, actor=desk.person(), sight=DESK, confirmed=True)


def undo_of_merge(desk: Desk) -> Callable[[], object]:
    undo_id = desk.command(merge(desk))
    return lambda: undo(desk, undo_id)


def split(desk: Desk) -> Callable[[], object]:
    ticket = two_messages(desk)
    [_, last] = [one["id"] for one in desk.messages(ticket) if one["direction"] == "inbound"]
    return lambda: splitting.split(ticket.id, splitting.Wish([last], "Other"), actor=desk.person())


def other_requester(desk: Desk) -> Callable[[], object]:
    ticket, other = two_messages(desk), desk.create_ticket("Other", email="bob@example.test")
    assert other.requester_id is not None
    wanted = other.requester_id
    return lambda: requester_change.change_requester(ticket.id, wanted, actor=desk.person())


def undo_of_other_requester(desk: Desk) -> Callable[[], object]:
    undo_id = desk.command(other_requester(desk))
    return lambda: undo(desk, undo_id)


@pytest.mark.parametrize("act", [merge, undo_of_merge, split, other_requester, undo_of_other_requester])
def test_an_act_that_moves_a_chat_and_a_message_in_it_at_once_do_not_deadlock(
    desk: Desk, act: Callable[[Desk], Callable[[], object]]
) -> None:
    work = act(desk)
    account = accounts.find("telegram", "demo")

    at_once(
        lambda: database.execute("SELECT 1 FROM conversations WHERE address = '42' FOR UPDATE"),
        lambda: chats.current(account, "42"),
        work,
    )
