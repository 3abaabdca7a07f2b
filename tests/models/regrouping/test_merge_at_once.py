"""Merges, and other writers at the same moment; an act that ends in the middle changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models.identity.rules import Permission
from models.kernel.storage import database
from models.regrouping import linking, merging, moved_messages, requester_change, splitting, standstill
from models.tickets.ticket_change import TicketChange
from models.undo import commands as undo
from models.undo import restorers
from models.visibility.sight import DESK
from queues import runner
from tests.desk import Desk

_JOIN_S = 30.0


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it, and the connection rolls the transaction back."""


def mail_ticket(desk: Desk, subject: str) -> UUID:
    event_id = desk.receive_email(f"About {subject}", subject=subject, message_id=f"<{subject}@x.test>")
    desk.run_due()
    [row] = desk.rows("SELECT ticket_id FROM inbox WHERE id = :id", id=event_id)
    return UUID(str(row["ticket_id"]))


def rows(desk: Desk) -> dict[str, list[str]]:
    tables = ("tickets", "messages", "events", "deliveries", "message_references", "timers", "sla_clocks", "undos")
    return {
        table: sorted(repr(sorted(row.items())) for row in desk.rows(f"SELECT * FROM {table}"))
        for table in (
            *tables,
            "ticket_links",
            "ticket_participants",
            "conversations",
            "audit_entries",
            "drafts",
            "time_entries",
        )
    }


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_a_mail_that_arrives_while_the_merge_commits_joins_the_target(desk: Desk) -> None:
    source, target = mail_ticket(desk, "one"), mail_ticket(desk, "two")
    desk.receive_email("Later", subject="Re: one", in_reply_to="<one@x.test>")
    [task] = desk.due_tasks()
    done: list[Any] = []

    def ingest() -> None:
        done.append(runner.run_task(task))
        database.proxy.obj.close()

    worker = threading.Thread(target=ingest, daemon=True)
    with database.transaction():
        merging.merge(source, target, actor=desk.person(), sight=DESK)
        worker.start()
        while not database.run("SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert worker.is_alive(), "the mail did not wait for the merge"
    worker.join(_JOIN_S)

    assert done == ["done"]
    [row] = desk.rows("SELECT ticket_id FROM messages WHERE body LIKE 'Later%'")
    assert UUID(str(row["ticket_id"])) == target
    desk.run_due()
    [count] = desk.rows("SELECT count(*) AS n FROM tickets")
    assert count["n"] == 2


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (moved_messages, "move"),
        (moved_messages, "_number"),
        (standstill, "stop"),
        (TicketChange, "save"),
        (undo, "remember"),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_merge_that_ends_in_the_middle_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    source, target = mail_ticket(desk, "one"), mail_ticket(desk, "two")
    before = rows(desk)

    def end(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, name, end)
        with pytest.raises(Killed), database.transaction():
            merging.merge(source, target, actor=desk.person(), sight=DESK)

    assert rows(desk) == before
    with database.transaction():
        merging.merge(source, target, actor=desk.person(), sight=DESK)


def test_acts_that_end_before_their_record_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = mail_ticket(desk, "one"), desk.create_ticket("two", email="bob@example.com")
    actor = desk.person()
    with database.transaction():
        merged = merging.merge(two.id, one, actor=actor, sight=DESK, confirmed=True)
    third = desk.create_ticket("three")
    ids = moved_messages.ids_of(one)
    acts: dict[str, Callable[[], object]] = {
        "split": lambda: splitting.split(one, splitting.Wish(ids[:1], "x"), actor=actor),
        "link": lambda: linking.add(one, third.id, "blocks", actor=actor, sight=DESK),
        "requester": lambda: requester_change.change_requester(one, UUID(str(two.requester_id)), actor=actor),
        "undo": lambda: restorers.restore(merged, actor=actor, permissions=frozenset(Permission)),
    }
    before = rows(desk)

    def end(*_: object, **__: object) -> None:
        raise Killed

    for name, act in acts.items():
        with monkeypatch.context() as patch:
            patch.setattr("models.audit.entries.record", end)
            with pytest.raises(Killed), database.transaction():
                act()
        assert rows(desk) == before, name
