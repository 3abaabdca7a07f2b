"""The first automatic mail to an unproved address repeats nothing that a stranger wrote."""

from __future__ import annotations

import pytest

from tests.desk import Desk
from tests.models.inbound.conftest import Change
from tests.models.inbound.test_author_proof import PASS, TRUSTED, mail

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

WORDS = "Your account is locked, visit http://evil.test"


def written(desk: Desk) -> str:
    """All that a reader of the last mail sees."""
    message = desk.sent[-1].message
    return f"{message.recipient_name}\n{message.subject}\n{message.body}\n{message.author_name}"


@pytest.mark.parametrize(
    "headers",
    [
        [f'From: "{WORDS}" <target@victim.test>'],
        ["From: target@victim.test", f"Subject: {WORDS}"],
        [f'From: "{WORDS}" <me@evil.test>', "Reply-To: target@victim.test", f"Subject: {WORDS}"],
        ["From: no-reply@evil.test", f'Reply-To: "{WORDS}" <target@victim.test>'],
    ],
)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_an_acknowledgement_to_an_unproved_address_has_no_words_of_the_stranger(
    desk: Desk, headers: list[str], language: str
) -> None:
    mail(desk, *headers, f"Content-Language: {language}", text=WORDS)

    assert desk.sent[-1].address == "target@victim.test"
    assert str(desk.ticket().number) in desk.sent[-1].body
    assert "locked" not in written(desk)
    assert "evil" not in written(desk)
    assert "http" not in written(desk)


def test_a_proved_author_who_names_another_address_gets_no_words_carried_there(desk: Desk, account: Change) -> None:
    account("email.demo", authserv_ids=[TRUSTED])

    mail(desk, PASS, f'From: "{WORDS}" <me@corp.test>', "Reply-To: target@victim.test", f"Subject: {WORDS}")

    assert desk.sent[-1].address == "target@victim.test"
    assert "locked" not in written(desk)


def test_a_proved_author_is_greeted_by_name_and_subject(desk: Desk, account: Change) -> None:
    account("email.demo", authserv_ids=[TRUSTED])

    mail(desk, PASS, "From: Vera <vera@corp.test>", "Subject: Printer")

    assert desk.sent[-1].message.recipient_name == "Vera"
    assert desk.sent[-1].body.startswith("Hello Vera,")
    assert desk.sent[-1].message.subject == f"Re: Printer [#{desk.ticket().number}]"


def test_an_agents_answer_has_the_subject_of_the_thread(desk: Desk) -> None:
    mail(desk, "From: Vera <vera@corp.test>", "Subject: Printer")

    desk.reply(desk.ticket(), "Water it.")
    desk.run_due()

    assert desk.sent[-1].message.subject == f"Re: Printer [#{desk.ticket().number}]"
    assert desk.sent[-1].message.recipient_name == "Vera"


def test_a_chat_is_greeted_by_name(desk: Desk) -> None:
    desk.receive_telegram("It burns.", name="Ada")
    desk.run_due()

    assert desk.sent[-1].body.startswith("Hello Ada,")
