"""Signatures: a reply by mail ends with its author's, or with that of the ticket's team."""

from __future__ import annotations

from typing import Any

import pytest

from models.ports.outbound import OutgoingMessage
from models.signatures import commands
from models.teams import commands as teams
from queues.channels.email.writing import bodies
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

OWN = {"texts": {"en": "{{ agent.name }}\n{{ desk.name }}", "de": "Ihre {{ agent.name }}"}}


@pytest.fixture
def ticket(agent: Caller, desk: Desk) -> str:
    made = agent.ticket(requester={"name": "Ada", "email": "ada@example.test"}, description_by="requester")
    desk.run_due()
    return f"/v1/tickets/{made['id']}"


@pytest.fixture(autouse=True)
def forget() -> Any:
    """Another test's desk may have had signatures."""
    commands.forget()
    yield
    commands.forget()


def put(caller: Caller, path: str, body: Any) -> Any:
    result = caller.ask("PUT", path, body)
    assert result.status_code == 200, result.text
    return result.json


def sent_text(desk: Desk) -> str:
    """The text of the mail that was sent last."""
    desk.run_due()
    return _bodies(desk.calls[-1].message).text


def _bodies(message: OutgoingMessage) -> bodies.Bodies:
    return bodies.bodies(message, Any)  # type: ignore[arg-type]


def reply(caller: Caller, ticket: str, **more: Any) -> Any:
    return caller.made(f"{ticket}/messages", {"kind": "reply", "body": "It is done.", **more})


def test_a_reply_by_mail_ends_with_the_signature_of_its_author(agent: Caller, desk: Desk, ticket: str) -> None:
    put(agent, "/v1/me/signature", OWN)

    shown = agent.read(f"{ticket}/signature")
    reply(agent, ticket)

    assert shown["text"].startswith("Olga Agent\n")
    assert sent_text(desk) == f"It is done.\n\n-- \n{shown['text']}\n"


def test_a_signature_is_in_the_language_of_the_requester(agent: Caller, desk: Desk, ticket: str) -> None:
    put(agent, "/v1/me/signature", OWN)
    desk.rows("UPDATE requesters SET locale = 'de' RETURNING id")

    reply(agent, ticket)

    assert sent_text(desk).endswith("-- \nIhre Olga Agent\n")


@pytest.mark.parametrize("body_format", ["markdown", "html"])
@sqlite_only
def test_a_formatted_mail_has_the_signature_in_both_bodies(
    agent: Caller, desk: Desk, ticket: str, body_format: str
) -> None:
    put(agent, "/v1/me/signature", {"texts": {"en": "**{{ agent.name }}** <b>"}, "body_format": "markdown"})

    reply(agent, ticket, body_format=body_format)
    desk.run_due()

    made = _bodies(desk.calls[-1].message)
    assert "\n-- \n" in made.text
    assert "<strong>Olga Agent</strong>" in made.html
    assert "<b>" not in made.html.partition("signature")[2]


@sqlite_only
def test_the_teams_signature_signs_for_those_without_their_own(agent: Caller, as_user: Any, desk: Desk) -> None:
    path = f"/v1/tickets/{agent.ticket(requester={'email': 'ada@example.test'}, team='it')['id']}"
    put(as_user("admin"), "/v1/teams/it/signature", {"texts": {"en": "The IT team"}})

    reply(agent, path)
    of_team = sent_text(desk)
    put(agent, "/v1/me/signature", OWN)
    reply(agent, path)

    assert of_team.endswith("-- \nThe IT team\n")
    assert "Olga Agent" in sent_text(desk)


def test_a_reply_keeps_its_signature_and_may_go_without(agent: Caller, desk: Desk, ticket: str) -> None:
    put(agent, "/v1/me/signature", OWN)
    reply(agent, ticket)
    put(agent, "/v1/me/signature", {"texts": {"en": "Another"}})
    earlier = sent_text(desk)
    reply(agent, ticket, signed=False)
    unsigned = sent_text(desk)

    assert "Olga Agent" in earlier
    assert unsigned == "It is done."


@sqlite_only
def test_a_note_and_a_chat_have_no_signature(agent: Caller, desk: Desk) -> None:
    put(agent, "/v1/me/signature", OWN)
    desk.receive_telegram("It burns.")
    desk.run_due()
    ticket = f"/v1/tickets/{agent.read('/v1/tickets')['items'][0]['id']}"

    note = agent.made(f"{ticket}/messages", {"kind": "note", "body": "x"})
    chat = reply(agent, ticket)

    assert "signature" not in note["details"]
    assert "signature" not in chat["details"]


@pytest.mark.parametrize("text", ["{{ ticket.nummer }}", "{{ event.name }}", "x" * (commands.signature_chars_max + 1)])
@sqlite_only
def test_a_wrong_signature_is_refused(agent: Caller, text: str) -> None:
    problem(agent.ask("PUT", "/v1/me/signature", {"texts": {"en": text}}), 422)
    problem(agent.get("/v1/me/signature"), 404)


@sqlite_only
def test_a_teams_signature_is_stored_by_its_members_with_a_permission(
    agent: Caller, machine: Caller, as_user: Any, desk: Desk
) -> None:
    desk.command(teams.declare, "hr", {"en": "HR"})
    body = {"texts": {"en": "HR"}}

    problem(agent.ask("PUT", "/v1/teams/hr/signature", body), 403)
    problem(as_user("manager").ask("PUT", "/v1/teams/hr/signature", body), 403)
    problem(as_user("manager").ask("DELETE", "/v1/teams/hr/signature"), 403)
    problem(machine.ask("PUT", "/v1/me/signature", body), 409)
    problem(as_user("admin").ask("PUT", "/v1/teams/nobody/signature", body), 404)


def test_a_signature_is_deleted(agent: Caller, desk: Desk, ticket: str) -> None:
    put(agent, "/v1/me/signature", OWN)

    assert [agent.ask("DELETE", "/v1/me/signature").status_code for _ in range(2)] == [204, 204]
    reply(agent, ticket)

    assert sent_text(desk) == "It is done."
