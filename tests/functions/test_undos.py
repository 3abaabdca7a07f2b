"""An act can be undone once and for an hour, by people who see its tickets and have its permission."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from models.events.commands import Actor
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.storage import database
from models.tasks import commands as tasks
from models.tasks.payloads import CollectGarbage
from models.undo import commands, limits, restorers
from models.undo.restorers import Restorer
from models.undo.row_types import UndoRow
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

_KIND = "painting"


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> list[UndoRow]:
    """Declare a kind of act whose restorer notes what it restores."""
    found: list[UndoRow] = []

    def run(undo: UndoRow, actor: Actor) -> list[str]:
        if undo["act"].get("refused"):
            raise commands.UndoRefused("the paint is dry")
        found.append(undo)
        return ["the frame was changed since"]

    module = ModuleType("painting")
    module.RESTORER = Restorer(Permission.messages_manage, run)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "painting", module)
    monkeypatch.setitem(restorers.MODULES, _KIND, "painting")
    return found


def painted(desk: Desk, **act: Any) -> UUID:
    """Remember an act on a new ticket; return the id of its undo."""
    ticket = desk.create_ticket("Printer")
    with database.transaction():
        return commands.remember(_KIND, {"colour": "red", **act}, actor=desk.person("agent"), ticket_id=ticket.id)


def test_an_act_is_restored_once_with_what_was_kept(desk: Desk, machine: Caller, restored: list[UndoRow]) -> None:
    undo_id = painted(desk)

    answer = machine.made(f"/v1/undos/{undo_id}")

    assert answer["kept"] == ["the frame was changed since"]
    assert answer["undone_at"] is not None
    assert [one["act"] for one in restored] == [{"colour": "red"}]
    problem(machine.post(f"/v1/undos/{undo_id}"), 409, "already_undone")
    assert len(restored) == 1


@sqlite_only
def test_an_undo_after_its_hour_is_refused_and_forgotten_a_day_later(
    desk: Desk, machine: Caller, restored: list[UndoRow]
) -> None:
    undo_id = painted(desk)
    ticket = desk.ticket()
    assert [one["id"] for one in machine.read(f"/v1/tickets/{ticket.id}/undos")["items"]] == [str(undo_id)]

    desk.advance(seconds=limits.undo_s)

    refusal = problem(machine.post(f"/v1/undos/{undo_id}"), 409, "undo_expired")
    assert machine.read(f"/v1/undos/{undo_id}")["expires_at"] in refusal["detail"]
    assert machine.read(f"/v1/tickets/{ticket.id}/undos")["items"] == []
    assert restored == []


@sqlite_only
def test_a_refused_undo_changes_nothing_and_stays_possible(
    desk: Desk, machine: Caller, restored: list[UndoRow]
) -> None:
    undo_id = painted(desk, refused=True)

    refusal = problem(machine.post(f"/v1/undos/{undo_id}"), 409, "undo_refused")

    assert refusal["detail"] == "the paint is dry"
    assert machine.read(f"/v1/undos/{undo_id}")["undone_at"] is None


@sqlite_only
def test_an_undo_needs_the_permission_of_its_act(desk: Desk, as_user: Any, restored: list[UndoRow]) -> None:
    undo_id = painted(desk)

    problem(as_user("agent").post(f"/v1/undos/{undo_id}"), 403, "forbidden")

    assert restored == []
    assert as_user("manager").post(f"/v1/undos/{undo_id}").status_code == 200


@sqlite_only
def test_undos_that_are_over_are_collected(desk: Desk) -> None:
    painted(desk)

    desk.advance(seconds=limits.undo_s + limits.undo_kept_s + 1)
    with database.transaction():
        tasks.enqueue(CollectGarbage())
    desk.run_due()

    assert desk.rows("SELECT id FROM undos WHERE expires_at < :now", now=clock.now()) == []


def test_an_undo_needs_the_permissions_of_its_act(machine: Caller, gateway: Any, desk: Desk) -> None:
    path = f"/v1/tickets/{machine.ticket()['id']}"
    machine.ask("PUT", f"{path}/assignment", {"assignee_id": str(desk.person("agent").id)})
    key = {"name": "narrow", "role": "agent", "scopes": ["tickets_read", "tickets_write"]}
    narrow = Caller(gateway, machine.made("/v1/api_keys", key)["key"])
    [undo] = narrow.read(f"{path}/undos")["items"]

    problem(narrow.post(f"/v1/undos/{undo['id']}"), 403)
    assert machine.read(path)["assignee"] is not None
    assert machine.post(f"/v1/undos/{undo['id']}").status_code == 200
