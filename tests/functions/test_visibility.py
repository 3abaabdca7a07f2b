"""Which tickets a caller sees: every operation about a ticket answers 404 to those who may not see it, and no list,
search, count or notice shows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.gateway.app import operations
from functions.http.operations import Operation
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.storage import database
from models.notices import commands as notices
from models.teams import commands as teams
from models.tickets.ticket_change import TicketChange
from models.undo import commands as undo
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only
from tests.functions.files import upload

# What a path names when the operation is about a ticket. The delivery of a webhook is about an event, which its owner
# sees (tests/queues/test_webhook_owners.py). Paid tasks of all teams are for accountants (test_paid_tasks.py).
ABOUT_TICKETS = {"ticket", "message", "attachment", "delivery", "event", "notice", "undo"}
# Bodies of the writing operations, so that they reach the ticket.
BODIES: dict[str, Any] = {
    "PATCH /v1/tickets/{ticket}": {"title": "Changed"},
    "POST /v1/tickets/{ticket}/transitions": {"transition": "start"},
    "POST /v1/tickets/{ticket}/splits": {"messages": ["00000000-0000-7000-8000-000000000000"], "title": "Split"},
    "POST /v1/tickets/{ticket}/links": {"kind": "blocks", "ticket": "00000000-0000-7000-8000-000000000000"},
    "PUT /v1/tickets/{ticket}/requester": {"requester_id": "00000000-0000-7000-8000-000000000000"},
    "PUT /v1/tickets/{ticket}/contact": {"channel": "email", "address": "ada@example.com"},
    "POST /v1/tickets/{ticket}/merges": {"into": "00000000-0000-7000-8000-000000000000"},
    "PUT /v1/tickets/{ticket}/assignment": {"assignee_id": None},
    "PUT /v1/tickets/{ticket}/presence": {"doing": "viewing"},
    "POST /v1/tickets/{ticket}/time_entries": {"minutes": 5},
    "PUT /v1/tickets/{ticket}/time_entries/{entry}": {"minutes": 5},
    "POST /v1/tickets/{ticket}/deletion": {},
    "POST /v1/tickets/{ticket}/spam": {},
    "PUT /v1/tickets/{ticket}/read": {},
    "PUT /v1/tickets/{ticket}/snooze": {"until_answer": True},
    "POST /v1/tickets/{ticket}/signals": {"signal": "arrived"},
    "POST /v1/tickets/{ticket}/messages": {"kind": "note", "body": "Read this."},
    "PATCH /v1/tickets/{ticket}/messages/{message}": {"body": "Changed"},
    "POST /v1/tickets/{ticket}/approvals/{approval}/votes": {"vote": "approve"},
    "PUT /v1/tickets/{ticket}/messages/{message}/send_at": {"send_at": None},
    "POST /v1/tickets/{ticket}/escalations": {"team": "support", "reason": "Help."},
    "PUT /v1/tickets/{ticket}/draft": {"body": "Hello"},
    "POST /v1/tickets/{ticket}/side_conversations": {"to": "supplier@parts.example", "body": "Look."},
    "POST /v1/tickets/{ticket}/side_conversations/{side_conversation}/messages": {"body": "Look again."},
}
# Lists that show something of tickets. The test looks for the hidden ticket in each.
LISTS = {
    "GET /v1/tickets",
    "GET /v1/search",
    "GET /v1/deliveries",
    "GET /v1/scheduled_messages",
    "GET /v1/inbox",
    "GET /v1/me/notices",
}
# The parameters by which a list shows the tickets of others.
PARAMETERS: dict[str, Any] = {
    "GET /v1/scheduled_messages": {"author": "all"},
    "GET /v1/search": {"q": "Zanzibar"},
}
# Operations without a ticket in path or answer. A new operation belongs here, into LISTS, or has a ticket in its path.
WITHOUT_TICKETS = re.compile(
    r"GET /\.well-known/.*|[A-Z]+ /v1/(auth|me(?!/notices)|users|api_keys|requesters|channels|teams|workflows|model"
    r"|definition_bundles|workflow_migrations|workflow_replays"
    r"|organisations|saved_replies"
    r"|organisations|bulk_changes|imports|tags"
    r"|organisations|saved_replies|macros"
    r"|organisations"
    r"|priorities|views"  # tests/functions/test_views.py
    r"|webhooks|ratings|rating_pages|tasks|paid_tasks|audit|roles|permissions|colleagues|sessions)"
)
# Tested in test_file_links.py, test_changes.py and test_numbers.py.
ELSEWHERE = {
    "GET /files/{token}",
    "GET /v1/changes",
    "GET /v1/numbers",
    "GET /v1/numbers/{number}",
    "GET /v1/numbers/{number}/csv",
    "GET /v1/numbers/satisfaction/ratings",
}
MAKES_ONE = {"POST /v1/tickets", "POST /v1/attachments"}


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def names_in(operation: Operation) -> set[str]:
    return set(re.findall(r"{(\w+)}", operation.path))


def about_tickets() -> list[Operation]:
    return [
        operation
        for operation in operations().all
        if names_in(operation) & ABOUT_TICKETS and not operation.path.startswith(("/v1/webhooks", "/v1/paid_tasks"))
    ]


@dataclass
class Hidden:
    """A ticket of the team `hr`, whose only member is the seeded agent, with one of everything."""

    ids: dict[str, str]
    number: int
    desk: Desk
    admin: Caller
    member: Caller
    # A manager, who has more permissions than an agent and is in no hidden team.
    outsider: Caller

    def path(self, operation: Operation) -> str:
        return re.sub(r"{(\w+)}", lambda match: self.ids[match[1]], operation.path)

    def ask(self, caller: Caller, operation: Operation) -> Any:
        more = {"headers": {"If-Match": "*"}} if operation.etag else {}
        body = BODIES.get(name_of(operation), None if operation.body is None else {})
        return caller.ask(operation.method, self.path(operation), body, **more)


def hide(desk: Desk, *, members: tuple[str, ...] = ("agent",)) -> None:
    """Declare the team `hr`, whose tickets only members see."""
    with database.transaction():
        teams.declare("hr", {"en": "HR", "ru": "Кадры"}, "members")
        teams.set_members("hr", [UUID(str(desk.person(role).id)) for role in members], expected_version=None)


@pytest.fixture
def hidden(desk: Desk, machine: Caller, as_user: Any) -> Hidden:
    inbox_id = desk.receive_telegram("My salary is wrong, Zanzibar.")
    desk.run_due()
    ticket = desk.ticket()
    hide(desk)
    path = f"/v1/tickets/{ticket.id}"
    machine.ask("PATCH", path, {"team": "hr"}, headers={"If-Match": "*"})
    file = upload(machine)
    note = machine.made(f"{path}/messages", {"kind": "note", "body": "The plan.", "attachments": [file["id"]]})
    machine.made(f"{path}/messages", {"kind": "reply", "body": "We look at it."})
    later = (clock.now() + timedelta(days=1)).isoformat()
    machine.made(f"{path}/messages", {"kind": "reply", "body": "Zanzibar is paid.", "send_at": later})
    desk.run_due()
    outsider = desk.person("manager")
    with database.transaction():
        change = TicketChange.of(ticket.id, actor=outsider)
        notices.add(change, UUID(str(outsider.id)), rule="told", text="Zanzibar")
        change.save()
        undo_id = undo.remember("merge", {}, actor=outsider, ticket_id=ticket.id)
    [notice] = desk.rows("SELECT id FROM notices WHERE rule = 'told'")
    ids = {
        "ticket": str(ticket.id),
        "message": note["id"],
        "side_conversation": machine.made(
            f"{path}/side_conversations", {"to": "supplier@parts.example", "body": "Zanzibar?"}
        )["side_conversation"]["id"],
        "entry": machine.made(f"{path}/time_entries", {"minutes": 5})["id"],
        "attachment": file["id"],
        "delivery": str(desk.deliveries(ticket)[0]["id"]),
        "event": str(inbox_id),
        "notice": str(notice["id"]),
        "undo": str(undo_id),
        "approval": "00000000-0000-7000-8000-000000000000",
        "user": "me",
        "tag": "urgent",
        "reply": "00000000-0000-7000-8000-000000000000",
        "macro": "00000000-0000-7000-8000-000000000000",
        "kind": "blocks",
        "other": str(ticket.id),
    }
    return Hidden(ids, ticket.number, desk, machine, as_user("agent"), as_user("manager"))


def test_every_operation_is_about_a_ticket_or_known_to_show_none() -> None:
    unknown = {
        name_of(operation)
        for operation in operations().all
        if operation not in about_tickets() and not WITHOUT_TICKETS.match(name_of(operation))
    }

    assert unknown - LISTS - MAKES_ONE - ELSEWHERE == set()


def test_every_operation_about_a_hidden_ticket_answers_404_to_an_outsider(hidden: Hidden) -> None:
    before = hidden.desk.rows("SELECT version, event_sequence FROM tickets")

    # The outsider is a manager. The permission to purge is an admin's, and its refusal says nothing about a ticket.
    known = [one for one in about_tickets() if one.needs is not Permission.tickets_purge]
    answers = {name_of(one): hidden.ask(hidden.outsider, one) for one in known}

    for name, answer in answers.items():
        assert answer.status_code == 404, f"{name}: {answer.status_code} {answer.text}"
    assert hidden.desk.rows("SELECT version, event_sequence FROM tickets") == before


def test_a_hidden_ticket_and_one_that_does_not_exist_have_the_same_answer(hidden: Hidden) -> None:
    there = problem(hidden.outsider.get(f"/v1/tickets/{hidden.number}"), 404)
    nowhere = problem(hidden.outsider.get("/v1/tickets/987654321"), 404)

    assert there["detail"].replace(str(hidden.number), "N") == nowhere["detail"].replace("987654321", "N")
    assert there.keys() == nowhere.keys()


def test_members_and_those_who_see_all_read_what_outsiders_do_not(hidden: Hidden) -> None:
    for operation in about_tickets():
        if operation.method != "GET" or "notice" in names_in(operation) or operation.path.endswith("/draft"):
            continue
        for caller in (hidden.member, hidden.admin):
            answer = hidden.ask(caller, operation)
            assert answer.status_code == 200, f"{name_of(operation)}: {answer.status_code} {answer.text}"


def test_no_list_shows_a_hidden_ticket(hidden: Hidden) -> None:
    shown = hidden.desk.create_ticket("Printer")
    hidden.desk.index()

    for name in sorted(LISTS):
        path = name.partition(" ")[2]
        found = hidden.outsider.everything(path, **PARAMETERS.get(name, {}))
        secrets = (hidden.ids["ticket"], hidden.ids["event"], hidden.ids["delivery"], "Zanzibar")
        assert not [secret for secret in secrets if secret in str(found)], name
        assert hidden.admin.everything(path, **PARAMETERS.get(name, {})) or name == "GET /v1/me/notices", name
    assert [one["number"] for one in hidden.outsider.everything("/v1/tickets")] == [shown.number]


@pytest.mark.parametrize(
    "query", [{"q": "Zanzibar"}, {"team": "hr"}, {"sort": "number"}, {"updated_since": "2020-01-01T00:00:00Z"}]
)
@sqlite_only
def test_no_filter_finds_a_hidden_ticket(hidden: Hidden, query: dict[str, str]) -> None:
    hidden.desk.index()

    assert hidden.outsider.everything("/v1/tickets", limit=2, **query) == []
    assert [one["number"] for one in hidden.member.everything("/v1/tickets", limit=2, **query)] == [hidden.number]


@sqlite_only
def test_the_assignee_sees_the_ticket_of_another_team(hidden: Hidden, desk: Desk) -> None:
    path = f"/v1/tickets/{hidden.ids['ticket']}"
    outsider = str(desk.person("manager").id)

    hidden.admin.ask("PUT", f"{path}/assignment", {"assignee_id": outsider})
    assert hidden.outsider.read(path)["number"] == hidden.number

    hidden.admin.ask("PUT", f"{path}/assignment", {"assignee_id": None})
    problem(hidden.outsider.get(path), 404)


@sqlite_only
def test_a_follower_sees_the_ticket_until_the_end_of_following(hidden: Hidden, desk: Desk) -> None:
    path, user = f"/v1/tickets/{hidden.ids['ticket']}", str(desk.person("manager").id)

    for _ in range(2):
        followers = hidden.member.ask("PUT", f"{path}/followers/{user}")
        assert [one["user"]["id"] for one in followers.json["items"]] == [user]
    assert hidden.outsider.read(f"{path}/messages")["items"]
    for _ in range(2):
        assert hidden.member.ask("DELETE", f"{path}/followers/{user}").status_code == 204

    problem(hidden.outsider.get(path), 404)
    told = [one["event_type"] for one in hidden.member.everything(f"{path}/events")]
    assert [one for one in told if one.startswith("follower")] == ["follower_added", "follower_removed"]


@sqlite_only
def test_a_mentioned_person_sees_the_ticket_and_has_a_notice(hidden: Hidden, desk: Desk) -> None:
    path, user = f"/v1/tickets/{hidden.ids['ticket']}", str(desk.person("manager").id)

    note = hidden.member.made(f"{path}/messages", {"kind": "note", "body": "Look, please.", "mentions": [user]})

    assert note["details"]["mentions"] == [user]
    assert hidden.outsider.read(path)["number"] == hidden.number
    texts = [one["text"] for one in hidden.outsider.everything("/v1/me/notices")]
    assert f"Olga Agent mentioned you in ticket #{hidden.number}." in texts


@sqlite_only
def test_nobody_who_cannot_read_tickets_is_mentioned_or_follows(hidden: Hidden) -> None:
    path = f"/v1/tickets/{hidden.ids['ticket']}"
    nobody = "00000000-0000-7000-8000-000000000000"

    problem(hidden.member.ask("PUT", f"{path}/followers/{nobody}"), 422)
    problem(hidden.member.post(f"{path}/messages", {"kind": "note", "body": "x", "mentions": [nobody]}), 422)
    problem(hidden.member.post(f"{path}/messages", {"kind": "reply", "body": "x", "mentions": [nobody]}), 422)


@sqlite_only
def test_a_link_to_a_hidden_ticket_is_not_listed(hidden: Hidden, desk: Desk) -> None:
    shown = desk.create_ticket("Printer")
    with database.transaction():
        database.execute(
            "INSERT INTO ticket_links (from_id, to_id, kind, created_at) VALUES (:one, :two, 'child', NOW())",
            one=shown.id,
            two=UUID(hidden.ids["ticket"]),
        )

    assert hidden.outsider.read(f"/v1/tickets/{shown.id}/links")["items"] == []
    assert len(hidden.member.read(f"/v1/tickets/{shown.id}/links")["items"]) == 1


@sqlite_only
def test_a_ticket_of_an_open_team_and_one_without_a_team_are_everyones(desk: Desk, as_user: Any) -> None:
    hide(desk)
    alone, support = desk.create_ticket("Alone"), desk.create_ticket("Support", team="support")

    numbers = {one["number"] for one in as_user("manager").everything("/v1/tickets")}

    assert numbers == {alone.number, support.number}


@sqlite_only
def test_an_export_has_the_visible_tickets_and_says_so(hidden: Hidden, desk: Desk) -> None:
    ticket = desk.reload(desk.tickets()[0])
    desk.receive_telegram("The printer is on fire.")
    path = f"/v1/requesters/{ticket.requester_id}/export"

    found, everything = hidden.outsider.read(path), hidden.admin.read(path)

    assert (found["scope"], everything["scope"]) == ("visible_tickets", "all")
    assert (found["tickets"], found["messages"], found["deliveries"]) == ([], [], [])
    assert "Zanzibar" not in str(found)
    assert [one["number"] for one in everything["tickets"]] == [hidden.number]
    assert "Zanzibar" in str(everything["messages"])
    assert found["identities"] == everything["identities"]


@sqlite_only
def test_an_api_key_sees_what_its_owner_sees(hidden: Hidden, desk: Desk, gateway: Any) -> None:
    def key_of(role: str) -> Caller:
        body = {"name": f"a key of the {role}", "role": "agent", "owner_id": str(desk.person(role).id)}
        return Caller(gateway, hidden.admin.made("/v1/api_keys", body)["key"])

    path = f"/v1/tickets/{hidden.ids['ticket']}"

    assert key_of("agent").read(path)["number"] == hidden.number
    problem(key_of("manager").get(path), 404)
    # The role of the key lacks tickets_see_all, and its owner is no member.
    problem(key_of("admin").get(path), 404)
