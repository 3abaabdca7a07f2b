"""A ticket that an agent opens for a customer begins with the agent's words; a caller that passes on the customer's
words gets the customer an acknowledgement.
"""

from __future__ import annotations

import pytest

from tests.desk import Desk
from tests.functions.callers import Caller, sqlite_only

pytestmark = sqlite_only

WANTED = {
    "title": "Your order 5521",
    "description": "We have a question about your order.",
    "requester": {"name": "Ida", "email": "ida@firma.example"},
}


def test_an_agents_ticket_for_a_customer_begins_with_the_agents_mail_and_no_acknowledgement(
    agent: Caller, desk: Desk
) -> None:
    made = agent.made("/v1/tickets", WANTED)
    desk.run_due()

    [message] = agent.everything(f"/v1/tickets/{made['id']}/messages")
    assert (message["direction"], message["author"]["kind"], message["automatic"]) == ("outbound", "agent", None)
    [sent] = desk.sent
    assert (sent.address, sent.message.automatic) == ("ida@firma.example", False)
    assert sent.message.subject == f"Your order 5521 [#{made['number']}]"
    assert sent.message.in_reply_to is None
    assert agent.read(f"/v1/tickets/{made['id']}")["state"] == "waiting_on_requester"


def test_the_customers_answer_to_an_agents_first_mail_joins_the_ticket(agent: Caller, desk: Desk) -> None:
    made = agent.made("/v1/tickets", WANTED)
    desk.run_due()

    desk.receive_email("Go on.", sender="ida@firma.example", in_reply_to=desk.sent[0].message.external_id)
    desk.run_due()
    agent.made(f"/v1/tickets/{made['id']}/messages", {"kind": "reply", "body": "Thank you."})
    desk.run_due()

    assert len(agent.everything(f"/v1/tickets/{made['id']}/messages")) == 3
    assert desk.sent[-1].message.subject == f"Re: Your order 5521 [#{made['number']}]"


def test_a_ticket_without_words_tells_the_customer_its_number(agent: Caller, desk: Desk) -> None:
    made = agent.made("/v1/tickets", {"title": "To call", "requester": {"email": "ida@firma.example"}})
    desk.run_due()

    assert [sent.message.automatic for sent in desk.sent] == [True]
    assert f"[#{made['number']}]" in str(desk.sent[0].message.subject)


@pytest.mark.parametrize("by_agent", [False, True])
def test_the_first_mail_of_the_desk_has_no_re_whoever_opened_the_ticket(
    agent: Caller, machine: Caller, desk: Desk, by_agent: bool
) -> None:
    """An agent may log what a customer said on the telephone."""
    caller, more = (agent, {"description_by": "requester"}) if by_agent else (machine, {})

    made = caller.made("/v1/tickets", WANTED | more)
    desk.run_due()
    agent.made(f"/v1/tickets/{made['id']}/messages", {"kind": "reply", "body": "We look into it."})
    desk.run_due()

    first, second = (sent.message for sent in desk.sent)
    mark = f"Your order 5521 [#{made['number']}]"
    assert (first.automatic, first.subject) == (True, mark)
    assert (second.automatic, second.subject) == (False, f"Re: {mark}")


def test_a_mail_is_answered_with_re(desk: Desk) -> None:
    desk.receive_email(subject="Printer")
    desk.run_due()
    desk.reply(desk.ticket())
    desk.run_due()

    assert desk.sent[-1].message.subject == f"Re: Printer [#{desk.ticket().number}]"


def test_a_key_can_open_a_ticket_with_an_agents_words(machine: Caller, desk: Desk) -> None:
    machine.made("/v1/tickets", WANTED | {"description_by": "agent"})
    desk.run_due()

    assert [sent.message.automatic for sent in desk.sent] == [False]
