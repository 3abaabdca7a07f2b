"""An answer to the desk's own mail opens no ticket."""

from __future__ import annotations

import pytest

from models.desk_mail import links
from models.kernel.ids import new_id
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.models.credentials.test_password_links import AGENT, requested

pytestmark = sqlite_only


def sent_mail(desk: Desk) -> tuple[str, str]:
    """The Message-ID and the reply token of a mail that the desk sent to a user."""
    requested(desk)
    message = desk.sent[-1].message
    assert message.external_id is not None
    assert message.reply_token is not None
    return message.external_id, message.reply_token


@pytest.mark.parametrize("sender", [AGENT, "stranger@example.com"])
@pytest.mark.parametrize("by", ["reference", "address"])
def test_an_answer_opens_no_ticket_and_makes_no_requester(desk: Desk, sender: str, by: str) -> None:
    message_id, token = sent_mail(desk)

    if by == "reference":
        desk.receive_email("Thanks!", sender=sender, in_reply_to=message_id)
    else:
        desk.receive_email("Thanks!", sender=sender, headers={"Delivered-To": f"desk+{token}@example.test"})
    desk.run_due()

    assert desk.rows("SELECT * FROM tickets") == []
    assert desk.rows("SELECT * FROM requesters") == []
    (event,) = desk.rows("SELECT status, reason FROM inbox")
    assert (event["status"], event["reason"]) == ("ignored", "an answer to a mail of the desk itself")
    assert len(desk.sent) == 1, "no acknowledgement"


def test_a_forged_reference_opens_a_ticket_as_usual(desk: Desk) -> None:
    """Else anybody could write mails that the desk hides."""
    message_id, token = sent_mail(desk)
    forged = message_id.replace(message_id[44:60], "0" * 16)

    desk.receive_email("The printer burns.", in_reply_to=forged)
    desk.receive_email(
        "The lamp, too.", sender="b@example.com", headers={"Delivered-To": f"desk+{token[:-1]}@example.test"}
    )
    desk.run_due()

    assert len(desk.rows("SELECT * FROM tickets")) == 2


def test_only_the_desks_own_marks_count(desk: Desk) -> None:
    mail_id = new_id()
    right = links.reply_token(mail_id)

    assert links.answered_mail((), right) == mail_id
    for wrong in (
        "",
        "mail-",
        right[:-1],
        right + "0",
        right.upper(),
        f"mail-{new_id().hex}-{links.message_mark(mail_id)}",
    ):
        assert links.answered_mail(("<nestor.0.x@y>", "nonsense"), wrong) is None
