"""Refused answers to notices are reported to the notice's reader, at most once a day, and never in a circle."""

from __future__ import annotations

import pytest

from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.models.inbound.conftest import Change
from tests.models.inbound.test_notice_answers import TRUSTED, answer, refusals, written
from tests.models.notices.reading import assign, mails_to

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


@pytest.fixture
def ticket(desk: Desk, account: Change) -> Ticket:
    """A ticket that is assigned to the agent, at a mailbox behind a relay that judges senders."""
    account("email.demo", authserv_ids=[TRUSTED], on_unproved="accept")
    desk.receive_email("The printer burns.", headers={"Authentication-Results": f"{TRUSTED}; dmarc=pass"})
    desk.run_due()
    assign(desk, desk.ticket())
    desk.run_due()
    return desk.ticket()


def test_a_flood_of_forged_answers_is_no_flood_of_notices(desk: Desk, ticket: Ticket) -> None:
    for number in range(12):
        answer(desk, proof=None, message_id=f"<{number}@evil.test>", notice=0)

    assert written(desk, ticket) == []
    assert len(refusals(desk)) == 1


def test_refusals_are_reported_again_on_the_next_day(desk: Desk, ticket: Ticket) -> None:
    answer(desk, proof=None, message_id="<1@evil.test>", notice=0)
    desk.advance(hours=25)
    answer(desk, proof=None, message_id="<2@evil.test>", notice=0)

    assert len(refusals(desk)) == 2


def test_a_program_that_answers_each_mail_of_the_desk_gets_one_notice_of_a_refusal(desk: Desk, ticket: Ticket) -> None:
    """No header of its answers says that a program writes them, and each notice of a refusal is a mail to it."""
    for turn in range(6):
        answer(desk, "I am away.", proof=None, message_id=f"<{turn}@example.test>")
        desk.advance(hours=30)

    assert len(refusals(desk)) == 1
    assert len([one for one in mails_to(desk) if "was not taken" in one.body]) == 1
