"""Life cycles on the real desk: what the engine decides becomes rows, messages, tasks and reasons,
on both databases.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID

import pytest

from models.events import signing
from models.kernel import addresses
from models.kernel.errors import Invalid
from models.kernel.storage import database
from models.notices import commands as notices
from models.sla.clocks import status
from models.tasks.payloads import AdvanceTicket
from models.teams import commands as teams
from models.teams import queries as team_queries
from models.ticket_actions import commands
from models.ticket_workflow import approvals, links, ratings, why
from models.ticket_workflow.acts import webhook_calls
from models.ticket_workflow.row_types import ApprovalRow
from models.tickets.tables import Ticket
from models.visibility.sight import DESK
from tests.desk import Desk


@pytest.fixture
def staffed(desk: Desk) -> Desk:
    """Agent and manager are members of every team."""
    people = [UUID(str(desk.person(role).id)) for role in ("agent", "manager")]
    with database.transaction():
        for team in team_queries.all_teams():
            teams.set_members(team["name"], people, expected_version=None)
    return desk


def incident(desk: Desk, **more: Any) -> Ticket:
    return desk.create_ticket("Mail is down", type="incident", email="ada@example.com", description="Help", **more)


def vote(desk: Desk, ticket: Ticket, transition: str, role: str, word: str = "approve") -> tuple[str, ...]:
    with database.transaction():
        return commands.vote(ticket.id, transition, word, comment=None, role=role, actor=desk.person(role))[1]


def promises(ticket: Ticket) -> dict[str, str]:
    with database.connection():
        return {clock.target: status(clock) for clock in why.promises(ticket.id)}


def test_a_type_brings_its_life_cycle_its_defaults_and_its_promises(staffed: Desk) -> None:
    ticket = incident(staffed)

    assert (ticket.workflow, ticket.state, ticket.team) == ("incident", "reported", "oncall")
    assert ticket.fields == {"severity": "minor"}
    assert ticket.assignee_id is not None
    assert promises(ticket) == {"first_response": "running", "resolution": "running"}


def test_a_wrong_field_makes_no_ticket(desk: Desk) -> None:
    with pytest.raises(Invalid, match="severity: expected one of minor, major, critical"):
        incident(desk, fields={"severity": "awful"})

    assert desk.tickets() == []


def test_an_answer_keeps_the_first_promise_and_silence_breaks_it(staffed: Desk) -> None:
    answered, forgotten = incident(staffed, priority="urgent"), incident(staffed, priority="urgent")

    staffed.reply(answered)
    staffed.advance(minutes=11)
    staffed.run_due()
    staffed.advance(minutes=5)
    staffed.run_due()

    assert promises(answered)["first_response"] == "met"
    assert promises(forgotten)["first_response"] == "breached"
    assert [e["payload"]["target"] for e in staffed.events(forgotten, "sla_warning")] == ["first_response"]
    [breach] = staffed.events(forgotten, "sla_breached")
    assert (breach["payload"]["rule"], breach["payload"]["workflow"]) == ("urgent", "incident")
    assert staffed.reload(forgotten).tags == ["escalated"]
    assert staffed.events(forgotten, "webhook_called")


def test_a_breach_is_recorded_once_however_often_its_timer_fires(staffed: Desk) -> None:
    ticket = incident(staffed, priority="urgent")
    staffed.advance(minutes=30)
    staffed.run_due()

    for _ in range(2):
        with database.transaction():
            wanted = AdvanceTicket(ticket_id=ticket.id, event="sla", target="first_response")
            commands.advance(wanted, causation_id="test")

    assert len(staffed.events(ticket, "sla_breached")) == 1


def test_an_approval_waits_for_the_team_and_the_last_vote_moves_the_ticket(staffed: Desk) -> None:
    fields = {
        "item": "Server",
        "amount": {"amount": 900_000, "currency": "EUR"},
        "cost_centre": "CC-1000",
        "justification": "Old",
    }
    ticket = staffed.create_ticket("Server", type="purchase", email="ada@example.com", fields=fields)

    assert staffed.transition(ticket, "submit", role="admin") == ()
    assert staffed.reload(ticket).state == "approval"
    [pending] = _approvals(ticket)
    assert (pending["transition"], pending["team"], pending["needed"], pending["state"]) == (
        "approve_large",
        "finance",
        2,
        "pending",
    )
    assert vote(staffed, ticket, "approve_large", "agent") == ()
    assert "you have voted already" in vote(staffed, ticket, "approve_large", "agent")
    assert staffed.reload(ticket).state == "approval"
    assert vote(staffed, ticket, "approve_large", "manager") == ()

    assert staffed.reload(ticket).state == "approved"
    [decided] = _approvals(ticket)
    assert (decided["state"], len(decided["votes"])) == ("approved", 2)
    assert not any(name.startswith("approval:") for name, _ in _timers(ticket))


def test_an_approval_expires_by_itself(staffed: Desk) -> None:
    ticket = staffed.create_ticket("CRM", type="access-request", email="ada@example.com", fields={"system": "crm"})

    staffed.advance(days=3, seconds=1)
    staffed.run_due()

    assert staffed.reload(ticket).state == "denied"
    assert [one["state"] for one in _approvals(ticket)] == ["expired"]


def test_two_who_vote_at_once_are_both_counted_and_the_ticket_moves_once(staffed: Desk) -> None:
    fields = {
        "item": "Server",
        "amount": {"amount": 900_000, "currency": "EUR"},
        "cost_centre": "CC-1000",
        "justification": "Old",
    }
    ticket = staffed.create_ticket("Server", type="purchase", email="ada@example.com", fields=fields)
    staffed.transition(ticket, "submit", role="admin")

    staffed.in_threads(
        lambda: vote(staffed, ticket, "approve_large", "agent"),
        lambda: vote(staffed, ticket, "approve_large", "manager"),
    )

    assert staffed.reload(ticket).state == "approved"
    assert sum(e["payload"]["to"] == "approved" for e in staffed.events(ticket, "ticket_state_changed")) == 1


def test_two_who_move_a_ticket_at_once_one_wins_and_the_other_reads_why(staffed: Desk) -> None:
    ticket = staffed.create_ticket()

    reasons = staffed.in_threads(
        lambda: staffed.transition(ticket, "resolve"),
        lambda: staffed.transition(ticket, "resolve", role="manager"),
    )

    assert sorted(map(bool, reasons)) == [False, True]
    assert any("the ticket is solved" in one for found in reasons for one in found)


def _approvals(ticket: Ticket) -> list[ApprovalRow]:
    with database.connection():
        return approvals.of_ticket(ticket.id)


def _timers(ticket: Ticket) -> list[Any]:
    with database.connection():
        return why.timers(ticket.id)


def test_a_look_back_is_a_ticket_of_its_own_linked_with_the_incident(staffed: Desk) -> None:
    ticket = incident(staffed, priority="urgent", fields={"root_cause": "A cable was cut."})
    staffed.transition(ticket, "investigate")
    staffed.transition(ticket, "resolve")

    staffed.run_due()

    with database.connection():
        [link] = links.of_ticket(ticket.id, DESK)
    made = next(one for one in staffed.tickets() if one.id == link["id"])
    assert (made.type, made.workflow, link["kind"]) == ("task", "task", "related")
    assert made.title == f"Review incident #{ticket.number}"
    assert made.fields == {"size": "large"}


def test_a_fee_and_a_reward_are_events_with_amount_currency_and_person(staffed: Desk) -> None:
    task = staffed.create_ticket("Count the pens", type="task", fields={"result": "Seven"})
    agent = UUID(str(staffed.person("agent").id))
    with database.transaction():
        commands.assign(task.id, agent, actor=staffed.person("manager"))
    staffed.transition(task, "hand_in")
    staffed.transition(task, "accept", role="manager")

    [fee], [reward] = staffed.events(task, "fee_charged"), staffed.events(task, "reward_granted")
    assert (fee["payload"]["amount_minor"], fee["payload"]["user"]) == (100, str(agent))
    assert (reward["payload"]["amount_minor"], reward["payload"]["currency"]) == (1000, "EUR")


def test_agents_read_their_notices_and_only_theirs(staffed: Desk) -> None:
    ticket = incident(staffed)
    with database.transaction():
        commands.assign(ticket.id, None, actor=staffed.person("manager"))
    staffed.advance(minutes=16)
    staffed.run_due()

    agent = UUID(str(staffed.person("agent").id))
    with database.connection():
        unread = notices.of_user(agent, unread=True, before=None, limit=10, sight=DESK)
        [notice] = [one for one in unread if one["text"] == f"Incident #{ticket.number} has no assignee yet"]
        assert (
            notices.of_user(UUID(str(staffed.person("admin").id)), unread=False, before=None, limit=10, sight=DESK)
            == []
        )
    with database.transaction():
        notices.mark_read(UUID(str(notice["id"])), user_id=agent, sight=DESK)
    with database.connection():
        left = notices.of_user(agent, unread=True, before=None, limit=10, sight=DESK)
    assert len(left) == len(unread) - 1
    assert notice["id"] not in {one["id"] for one in left}


def test_a_requester_rates_by_the_link_of_the_message(staffed: Desk) -> None:
    ticket = incident(staffed, fields={"root_cause": "A cable was cut."})
    staffed.transition(ticket, "investigate")
    staffed.transition(ticket, "resolve")
    staffed.advance(days=3)
    staffed.run_due()
    [asked] = [body for body in staffed.sent_bodies() if "How did we do" in body]
    token = asked.rsplit("/", 1)[1].strip()

    with database.transaction():
        kept = ratings.rate(token, 5, "Quick")
    staffed.run_due()

    assert (kept["score"], kept["comment"]) == (5, "Quick")
    assert [e["payload"]["payload"] for e in staffed.events(ticket, "ticket_rated")] == [{"score": 5}]


def test_why_shows_the_values_of_every_rule_and_the_silent_rules(staffed: Desk) -> None:
    staffed.receive_telegram()
    staffed.run_due()
    ticket = staffed.ticket()
    staffed.reply(ticket)
    staffed.receive_email(headers={"Auto-Submitted": "auto-replied"}, sender="ada@example.com")

    with database.connection():
        decisions = why.decisions(ticket.id, after=None, limit=50)

    created = next(one for one in decisions if one["event"] == "ticket_created" and one["looks"])
    [acknowledged] = [look for look in created["looks"] if look["rule"] == "acknowledge"]
    assert acknowledged["outcome"] == "acted"
    assert acknowledged["values"] == {
        "ticket.contact_channel": "telegram",
        "message.automatic": "",
        "message.author_kind": "requester",
    }
    assert (created["workflow"], created["workflow_version"]) == ("support", ticket.workflow_version)


def test_a_rule_that_stayed_silent_names_the_part_that_failed(desk: Desk) -> None:
    ticket = desk.create_ticket()

    with database.connection():
        [created] = [one for one in why.decisions(ticket.id, after=None, limit=5) if one["event"] == "ticket_created"]

    [look] = created["looks"]
    assert (look["rule"], look["outcome"]) == ("acknowledge", "silent")
    assert 'ticket.contact_channel != ""' in look["failed"]


def test_a_webhook_is_signed_as_standard_webhooks_says() -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 11, 24, tzinfo=UTC)
    told = signing.headers("evt-1", at, b"{}", signing.operator_keys("secret"))

    expected = hmac.new(b"secret", f"evt-1.{int(at.timestamp())}.".encode() + b"{}", hashlib.sha256).digest()
    assert told["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert told["webhook-id"] == "evt-1"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1", "0.0.0.0", "nonsense"],
)
def test_addresses_of_private_networks_are_not_called(address: str) -> None:
    assert not addresses.is_public(address)
    assert addresses.is_public("93.184.215.14")


def test_the_body_of_a_webhook_names_ticket_rule_and_version_and_no_message(staffed: Desk) -> None:
    ticket = incident(staffed, priority="urgent")
    staffed.advance(minutes=16)
    staffed.run_due()
    [event, *_] = staffed.events(ticket, "webhook_called")

    told = json.loads(webhook_calls.body(staffed.reload(ticket), event))

    assert told["type"] == "ticket.sla_breached"
    assert told["data"]["ticket"]["number"] == ticket.number
    assert "Help" not in json.dumps(told)
