"""An agent who tries the operations on definitions, organisations, requesters and notices with ill intent."""

from __future__ import annotations

from typing import Any

import pytest

from models.definitions import store
from models.kernel.storage import database
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.test_visibility import hide

pytestmark = sqlite_only

LABEL = {"en": "Label", "ru": "Надпись"}
FIELDS = {
    "about": {"kind": "ticket", "label": LABEL},
    "limit": {"kind": "number", "label": LABEL, "see": ["manager"], "edit": ["manager"]},
    "plan": {"kind": "text", "label": LABEL, "edit": ["manager"]},
}


@pytest.fixture
def hidden(desk: Desk, machine: Caller) -> Any:
    """A ticket that the manager does not see, and models of requesters and organisations with guarded fields."""
    with database.transaction():
        for kind in ("requester", "organisation"):
            store.publish(
                "model", f"entity.{kind}", {"entity": kind, "fields": FIELDS, "label": LABEL}, source="t", by="t"
            )
    store.forget()
    ticket = machine.ticket("Zanzibar")
    hide(desk, members=("agent",))
    machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", {"team": "hr"}, headers={"If-Match": "*"})
    return ticket


@pytest.mark.parametrize("kind", ["requesters", "organisations"])
def test_fields_of_people_are_no_oracle_about_hidden_tickets(hidden: Any, as_user: Any, kind: str) -> None:
    manager = as_user("manager")

    said = []
    for reference in (str(hidden["number"]), "987654"):
        refused = manager.post(f"/v1/{kind}", {"name": "Acme", "fields": {"about": reference}})
        said.append(problem(refused, 422)["errors"][0]["message"].replace(reference, "X"))

    assert said[0] == said[1]


@pytest.mark.parametrize("kind", ["requesters", "organisations"])
def test_guarded_fields_of_people_are_neither_shown_nor_set_nor_guessed(
    machine: Caller, hidden: Any, as_user: Any, kind: str
) -> None:
    agent, manager = as_user("agent"), as_user("manager")
    made = machine.made(f"/v1/{kind}", {"name": "Acme", "fields": {"limit": 90_210, "plan": "gold"}})
    path = f"/v1/{kind}/{made['id']}"

    shown = agent.read(path)["fields"]
    guesses = [
        agent.ask("PATCH", path, {"fields": {"limit": guess}}, headers={"If-Match": "*"}).status_code
        for guess in (90_210, 1)
    ]
    changed = agent.ask("PATCH", path, {"fields": {"plan": "lead"}}, headers={"If-Match": "*"})

    assert shown == {"plan": "gold"}
    assert guesses == [422, 422]
    problem(changed, 422)
    assert manager.read(path)["fields"] == {"limit": 90_210, "plan": "gold"}


@pytest.mark.parametrize("kind", ["requesters", "organisations"])
def test_a_field_that_names_a_hidden_ticket_can_be_sent_back(
    machine: Caller, hidden: Any, as_user: Any, kind: str
) -> None:
    made = machine.made(f"/v1/{kind}", {"name": "Acme", "fields": {"about": str(hidden["number"])}})

    sent_back = as_user("manager").ask(
        "PATCH",
        f"/v1/{kind}/{made['id']}",
        {"fields": {"about": hidden["id"], "plan": "gold"}},
        headers={"If-Match": "*"},
    )

    assert sent_back.json["fields"] == {"about": hidden["id"], "plan": "gold"}


ESCAPES = ["../../etc/passwd", "/etc/passwd", "../models/kernel/settings.py", "file:///etc/passwd"]


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("operation", ["check", "plan"])
def test_a_bundle_reads_no_file_of_the_machine(as_user: Any, operation: str, path: str) -> None:
    agent = as_user("agent")
    source = f"include: [{path}]\nworkflow: stolen\n"

    result = agent.post(f"/v1/definition_bundles/{operation}", {"files": {"stolen/workflow.yaml": source}})

    assert result.status_code in (200, 422), result.text
    assert "root:" not in result.text
    assert "SECRET_KEY" not in result.text


def test_a_bundle_publishes_no_channel_account_even_for_an_admin(machine: Caller) -> None:
    source = "channel: email\naccount: mine\naddress: mine@evil.test\nsmtp_url: {secret: mine}\n"

    refused = machine.post("/v1/definition_bundles", {"files": {"channels/email.mine.yaml": source}, "reason": "x"})

    assert "published from files" in problem(refused, 422)["errors"][0]["message"]


@pytest.mark.parametrize("role", ["agent", "manager", "accountant"])
def test_who_may_not_manage_definitions_publishes_and_starts_nothing(as_role: Any, desk: Desk, role: str) -> None:
    caller = as_role(role)
    before = desk.rows("SELECT count(*) AS n FROM definitions")

    tried = [
        caller.post("/v1/definition_bundles", {"files": {"desk.yaml": "desk: Mine\n"}, "reason": "x"}),
        caller.post("/v1/workflows/support/migrations", {"to_version": 1}),
        caller.post("/v1/workflows/support/replays", {}),
        caller.ask("PUT", "/v1/workflows/support/version_in_force", {"version": 1, "reason": "x"}),
    ]

    assert {one.status_code for one in tried} == {403}
    assert desk.rows("SELECT count(*) AS n FROM definitions") == before


def test_the_notice_settings_of_a_colleague_are_not_shown_to_an_agent(desk: Desk, as_user: Any) -> None:
    agent, other = as_user("agent"), desk.person("manager").id

    problem(agent.get(f"/v1/users/{other}/notice_settings"), 403)
    assert agent.ask("PUT", f"/v1/users/{other}/notice_settings", {}).status_code in (404, 405)
