"""A question for a person or a ticket tells a requester nothing about people and tickets that they do not know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.models.inbound.dialogues import begun, offered, press, says
from tests.models.inbound.story import CHAT, notices, told
from tests.models.notices.reading import user

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def of_somebody_else(desk: Desk) -> Ticket:
    other = replace(CHAT, author_address="43", contact_address="43", conversation_address="43", external_id="43:1")
    known = {one.id for one in desk.tickets()}
    told(desk, other)
    return next(one for one in desk.tickets() if one.id not in known)


def answers_to(desk: Desk, *texts: str) -> list[str]:
    """The desk's words about each answer, with the answer left out."""
    found = []
    for text in texts:
        says(desk, text)
        found.append(notices(desk)[-1].replace(text, "X"))
    return found


def test_a_ticket_of_somebody_else_and_one_that_does_not_exist_have_the_same_answer(desk: Desk, publish: Any) -> None:
    publish(requires=["about"])
    other = of_somebody_else(desk)
    ticket = begun_with(desk)

    there, nowhere, by_id = answers_to(desk, str(other.number), "987654", str(other.id))

    assert there == nowhere
    assert by_id.startswith(there[:40])
    assert desk.reload(ticket).state == "draft"


def begun_with(desk: Desk) -> Ticket:
    """The requester's own ticket, in a desk that has others."""
    known = {one.id for one in desk.tickets()}
    desk.receive(CHAT, channel="telegram")
    desk.run_due()
    ticket = next(one for one in desk.tickets() if one.id not in known)
    offered(desk, ticket)
    press(desk, "Submit")
    return ticket


def test_a_requesters_own_ticket_is_found(desk: Desk, publish: Any) -> None:
    publish(requires=["about"])
    ticket = begun(desk)

    says(desk, f"#{ticket.number}")

    assert desk.reload(ticket).fields == {"about": str(ticket.id)}


def test_a_user_and_an_address_that_nobody_has_have_the_same_answer(desk: Desk, publish: Any) -> None:
    publish(requires=["boss"])
    begun(desk)

    there, nowhere = answers_to(desk, "admin@example.test", "nobody@example.test")

    assert there == nowhere


def test_a_user_who_wrote_to_the_requester_is_found(desk: Desk, publish: Any) -> None:
    publish(requires=["boss"])
    ticket = begun(desk)

    says(desk, "agent@example.test")

    assert desk.reload(ticket).fields == {"boss": str(user(desk).id)}
