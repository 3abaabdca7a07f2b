"""Rules and texts of a life cycle read the requester and the organisation: their fields, and the time zone of dates."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from models.publishing import catalogue, workflows
from models.workflow import checks
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.test_organisations import FIRM, LABEL, ORGANISATION, REQUESTER, change

WORKFLOW: dict[str, Any] = {
    "workflow": "support",
    "label": LABEL,
    "initial": "new",
    "states": {"new": {"category": "todo", "label": LABEL}, "done": {"category": "done", "label": LABEL}},
    "transitions": {
        "finish": {
            "from": ["new"],
            "to": "done",
            "label": LABEL,
            "who": ["agent", "manager", "admin", "automation"],
            "guard": "organisation.fields.discount < 10.0",
        }
    },
    "reactions": [
        {
            "on": "ticket_created",
            "name": "gold",
            "when": 'organisation.fields.contract == "gold"',
            "do": [{"add_tags": ["gold"]}],
            "continue": True,
        },
        {
            "on": "ticket_created",
            "name": "vip",
            "when": 'requester.fields.vip && requester.organisation == "Firm"',
            "do": [{"add_tags": ["vip"]}],
            "continue": True,
        },
        {
            "on": "ticket_created",
            "name": "unlimited",
            "when": "requester.fields.limit == null",
            "do": [{"add_tags": ["unlimited"]}],
            "continue": True,
        },
        {"on": "ticket_created", "name": "hello", "do": [{"send": "hello"}, {"note": "hello"}]},
    ],
    "templates": {"hello": {"en": "{{ ticket.created_at | datetime }}", "ru": "{{ ticket.created_at | datetime }}"}},
    "tags": ["gold", "vip", "unlimited"],
}


@pytest.fixture(autouse=True)
def published(desk: Desk) -> None:
    with database.transaction():
        store.publish("model", "entity.requester", REQUESTER, source="test", by="test")
        store.publish("model", "entity.organisation", ORGANISATION, source="test", by="test")
        store.publish("workflow", "support", WORKFLOW, source="test", by="test")
    store.forget()
    workflows.forget()


@pytest.fixture
def manager(as_user: Any) -> Caller:
    caller: Caller = as_user("manager")
    return caller


def ida(manager: Caller, **more: Any) -> Any:
    body = {"name": "Ida", "email": "ida@firma.example", "fields": {"vip": True}}
    return manager.made("/v1/requesters", {**body, **more})


def ticket_of(caller: Caller, email: str = "ida@firma.example") -> Any:
    return caller.ticket(type="question", requester={"email": email, "name": "Ida"}, description="Hello")


def test_a_rule_reads_the_fields_of_the_requester_and_of_the_organisation(manager: Caller) -> None:
    fields = {"contract": "gold", "renewal": "2027-01-31"}
    manager.made("/v1/organisations", {**FIRM, "fields": fields})
    ida(manager)

    known, new, stranger = (ticket_of(manager, f"{one}.example") for one in ("ida@firma", "bo@firma", "x@other"))

    assert [one["tags"] for one in (known, new, stranger)] == [
        ["gold", "vip", "unlimited"],
        ["gold", "unlimited"],
        ["unlimited"],
    ]


@sqlite_only
def test_a_ticket_of_nobody_has_a_requester_without_values(manager: Caller) -> None:
    assert manager.ticket(type="question")["tags"] == ["unlimited"]


@sqlite_only
def test_a_message_of_a_channel_reads_the_organisation_of_its_author(desk: Desk, manager: Caller) -> None:
    manager.made("/v1/organisations", {**FIRM, "fields": {"contract": "gold", "renewal": "2027-01-31"}})

    desk.receive_email("Ida", sender="ida@firma.example")
    desk.run_due()

    assert desk.ticket().tags == ["gold", "unlimited"]


@sqlite_only
@pytest.mark.parametrize(("zone", "shown"), [("Asia/Tokyo", "JST"), ("America/New_York", "E"), (None, "UTC")])
def test_dates_of_messages_are_in_the_requesters_zone_and_those_of_notes_in_the_desks(
    desk: Desk, manager: Caller, zone: str | None, shown: str
) -> None:
    ida(manager, time_zone=zone)

    path = f"/v1/tickets/{ticket_of(manager)['id']}/messages"

    bodies = {one["kind"]: one["body"] for one in manager.read(path)["items"] if one["author"]["kind"] == "system"}
    assert shown in bodies["reply"]
    assert "UTC" in bodies["note"]


@sqlite_only
def test_a_guarded_field_of_the_organisation_shows_nowhere(manager: Caller, agent: Caller) -> None:
    firm = manager.made("/v1/organisations", {**FIRM, "fields": {"discount": 90_210}})
    ticket = ticket_of(manager)
    path = f"/v1/tickets/{ticket['id']}"

    refusals = [caller.post(f"{path}/transitions", {"transition": "finish"}) for caller in (manager, agent)]

    assert ["90210" in problem(one, 409).__str__() for one in refusals] == [True, False]
    assert ["90210" in str(caller.read(f"{path}/why")) for caller in (manager, agent)] == [True, False]
    assert "90210" not in str(agent.read(f"/v1/organisations/{firm['id']}"))
    change(manager, f"/v1/organisations/{firm['id']}", fields={"discount": 5})
    assert agent.post(f"{path}/transitions", {"transition": "finish"}).status_code == 200


@sqlite_only
@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("requester.fields.vpi", "vpi"),
        ("organisation.fields.contract > 3", "contract"),
        ('organisation.fields.contract == "silver"', "silver"),
    ],
)
def test_a_condition_about_people_is_checked_by_their_models(desk: Desk, condition: str, told: str) -> None:
    body = deepcopy(WORKFLOW)
    body["reactions"][0]["when"] = condition

    found = catalogue.findings(checks.parse(body), catalogue.published_surroundings())

    assert any(told in f"{one.message}" for one in found), found
