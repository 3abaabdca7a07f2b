"""An outgoing webhook tells its receiver no more than its owner may see."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.subscriptions import commands
from models.subscriptions.queries import Subscription
from models.teams import commands as teams
from models.ticket_actions import commands as tickets
from tests.desk import Desk
from tests.queues.subscriber import states
from tests.servers import HttpReceiver

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
LABEL = {"en": "HR", "ru": "Кадры"}


def subscribe_as(desk: Desk, receiver: HttpReceiver, role: str, *event_types: str) -> Subscription:
    found = desk.command(
        commands.create,
        url=receiver.url,
        event_types=list(event_types or ["ticket_created"]),
        description="CRM",
        include_bodies=True,
        private=True,
        actor=desk.person(role),
        owner_id=UUID(str(desk.person(role).id)),
    )
    assert isinstance(found, Subscription)
    return found


def told(receiver: HttpReceiver) -> list[dict[str, Any]]:
    return [json.loads(got.body)["data"]["payload"] for got in receiver.got]


@pytest.fixture
def hr(desk: Desk) -> None:
    with database.transaction():
        teams.declare("hr", LABEL, "members")
        teams.set_members("hr", [UUID(str(desk.person("agent").id))], expected_version=None)


@pytest.mark.parametrize(("role", "calls"), [("admin", 2), ("agent", 2), ("manager", 1)])
def test_a_receiver_gets_the_events_of_tickets_that_its_owner_sees(
    desk: Desk, receiver: HttpReceiver, hr: None, role: str, calls: int
) -> None:
    subscription = subscribe_as(desk, receiver, role)

    desk.create_ticket("Printer")
    desk.create_ticket("Salary", team="hr")
    desk.run_due()

    assert len(receiver.got) == calls
    assert states(desk, subscription) == ["delivered"] * calls


def test_an_owner_who_is_dismissed_tells_nothing_more(desk: Desk, receiver: HttpReceiver) -> None:
    subscription = subscribe_as(desk, receiver, "manager")
    with database.transaction():
        database.execute("UPDATE users SET active = :no WHERE id = :id", no=False, id=desk.person("manager").id)

    desk.create_ticket("Printer")
    desk.run_due()

    assert receiver.got == []
    assert states(desk, subscription) == []


def test_a_receiver_gets_the_fields_that_its_owner_sees(desk: Desk, receiver: HttpReceiver) -> None:
    model = {
        "type": "complaint",
        "label": LABEL,
        "fields": {
            "salary": {"kind": "number", "label": LABEL, "see": ["manager"]},
            "room": {"kind": "text", "label": LABEL},
        },
    }
    with database.transaction():
        store.publish("model", "complaint", model, source="test", by="test")
    store.forget()
    subscribe_as(desk, receiver, "agent", "ticket_created", "ticket_updated")

    ticket = desk.create_ticket("x", type="complaint", fields={"salary": 90_210, "room": "4"})
    desk.run_due()
    desk.command(
        tickets.update,
        ticket.id,
        {"fields": {"salary": 90_211, "room": "5"}},
        expected_version=None,
        actor=desk.person("manager"),
        role="manager",
    )
    desk.run_due()

    assert "9021" not in str([got.body for got in receiver.got])
    assert [one.get("fields") or one["changes"] for one in told(receiver)] == [
        {"room": "4"},
        {"fields.room": {"from": "4", "to": "5"}},
    ]
