"""A person's mail keeps its effects whatever systems add to it; only its automatic answer depends on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from models.desk_mail import links
from models.tickets.tables import Ticket
from queues.channels.email.judging.automatic import DESK_HEADER, desk_id
from tests.desk import Desk
from tests.models.inbound.conftest import Change, another_mailbox
from tests.models.inbound.test_author_proof import mail

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)

OUR_LIST = ["List-ID: <support.org.example>", "Precedence: list"]
OF_SYSTEMS = [
    OUR_LIST,
    ["Precedence: bulk"],
    ["X-Loop: desk@elsewhere.example"],
    ["List-Unsubscribe: <https://news.example/u>"],
    ["X-BeenThere: all@lists.example", "X-Mailman-Version: 2.1.39"],
    ["Auto-Submitted: auto-generated"],
    ["X-Auto-Response-Suppress: All"],
    ["Precedence: junk", "X-Cron-Env: <SHELL=/bin/sh>"],
]
OF_ROBOTS = [
    ["Auto-Submitted: auto-replied"],
    ["Return-Path: <>"],
    ["X-Autoreply: yes"],
    ["Precedence: auto_reply"],
    ["Subject: Automatic reply: Printer", "Precedence: bulk"],
    ["Subject: Automatic reply: Printer", "Auto-Submitted: auto-generated"],
    ["Subject: Out of office", "List-ID: <desk.example.test>"],
]


def solved(desk: Desk) -> Ticket:
    """A solved ticket of Ada, whose mail was acknowledged."""
    mail(desk, "From: Ada <ada@firma.example>", "Subject: Printer", "Message-ID: <first@firma.example>")
    ticket = desk.ticket()
    desk.transition(ticket, "resolve")
    desk.run_due()
    return ticket


def again(desk: Desk, *headers: str, sender: str = "ada@firma.example", text: str = "Still broken.") -> dict[str, Any]:
    """A later mail that answers the desk's acknowledgement."""
    subject = [] if any(one.startswith("Subject:") for one in headers) else ["Subject: Re: Printer"]
    answered = f"In-Reply-To: {desk.sent[0].message.external_id}"
    return mail(desk, f"From: {sender}", *subject, answered, *headers, text=text)


@pytest.mark.parametrize("headers", OF_SYSTEMS)
def test_a_persons_protest_reopens_a_solved_ticket_whatever_systems_add_to_it(desk: Desk, headers: list[str]) -> None:
    ticket = solved(desk)

    again(desk, *headers)

    assert desk.reload(ticket).state == "open"
    assert desk.messages(ticket)[-1]["by_machine"] in (False, 0)


@pytest.mark.parametrize("headers", OF_ROBOTS)
def test_a_robots_answer_reopens_nothing(desk: Desk, headers: list[str]) -> None:
    ticket = solved(desk)

    again(desk, *headers)

    assert desk.reload(ticket).state == "solved"
    assert desk.bodies(ticket)[-1] == "Still broken."


@pytest.mark.parametrize("headers", OF_SYSTEMS)
def test_a_persons_mail_moves_the_contact_and_names_readers_whatever_systems_add_to_it(
    desk: Desk, headers: list[str]
) -> None:
    ticket = solved(desk)

    again(desk, *headers, "Reply-To: home@firma.example", "Cc: Bo <bo@firma.example>")
    desk.reply(ticket, "We come tomorrow.")
    desk.run_due()

    assert desk.reload(ticket).contact_address == "ada@firma.example"  # an unjudged mail moves it to no other address
    assert [one["address"] for one in desk.rows("SELECT address FROM ticket_participants")] == ["bo@firma.example"]


@pytest.mark.parametrize(
    "headers",
    [
        OUR_LIST,
        ["List-ID: Support <desk.example.test>", "List-Unsubscribe: <https://groups.example/u>"],
        ["List-Post: <mailto:desk@example.test>", "Precedence: bulk"],
        ["X-BeenThere: desk@example.test", "X-Loop: desk@example.test"],
        ["Mailing-list: list desk@example.test; contact desk+owners@example.test", "List-Help: <https://x.example>"],
    ],
)
def test_a_first_mail_through_a_list_to_the_desk_is_acknowledged(desk: Desk, headers: list[str]) -> None:
    mail(desk, "From: Ada <ada@firma.example>", "Subject: Printer", *headers)

    [acknowledgement] = desk.sent
    assert acknowledgement.address == "ada@firma.example"
    assert acknowledgement.message.automatic


def test_a_group_that_is_an_alias_of_the_mailbox_is_a_way_to_the_desk(desk: Desk, account: Change) -> None:
    account("email.demo", aliases=["Support@Org.example"])

    mail(desk, "From: ada@firma.example", "Subject: Printer", *OUR_LIST, "Cc: all@lists.example")

    assert [sent.address for sent in desk.sent] == ["ada@firma.example"]


@pytest.mark.parametrize(
    "headers",
    [
        ["List-Id: <news.shop.example>", "List-Unsubscribe: <https://news.example/u>"],
        ["List-Id: <news.shop.example>", "Precedence: bulk"],
        ["Precedence: list", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"],
        ["Auto-Submitted: auto-generated"],
        ["X-Auto-Response-Suppress: All", "List-ID: <desk.example.test>"],
        ["X-Loop: desk@elsewhere.example"],
    ],
)
def test_news_and_mail_that_asks_for_no_answer_opens_a_ticket_and_is_not_acknowledged(
    desk: Desk, headers: list[str]
) -> None:
    mail(desk, "From: Shop <news@shop.example>", "Subject: Offers", *headers)

    assert desk.ticket().state == "new"
    assert desk.sent == []


def test_a_list_that_takes_the_answers_for_itself_does_not_get_them(desk: Desk) -> None:
    mail(
        desk,
        "From: ada@firma.example",
        "Reply-To: all@lists.example",
        "List-Post: <mailto:all@lists.example>",
        "Subject: x",
    )

    desk.reply(desk.ticket(), "We come tomorrow.")
    desk.run_due()

    assert desk.sent[-1].address == "ada@firma.example"


@pytest.mark.parametrize("sender", ["postmaster@firma.example", "bounces+17@firma.example"])
def test_a_person_may_have_the_address_of_a_postmaster(desk: Desk, sender: str) -> None:
    event = mail(desk, f"From: {sender}", "Subject: Our new mail server", text="Please tell us your address range.")

    assert event["status"] == "processed"
    assert desk.sent == []


OURS = "From: Desk <desk@example.test>"


def test_a_colleagues_mail_from_the_desks_address_is_a_message_and_is_not_answered(desk: Desk) -> None:
    event = mail(desk, OURS, "Subject: A note to us", text="The customer called.")

    assert event["status"] == "processed"
    assert desk.bodies(desk.ticket()) == ["The customer called."]
    assert desk.sent == []


def test_a_form_of_the_desks_site_brings_its_visitors_mail_and_is_not_answered(desk: Desk) -> None:
    event = mail(desk, OURS, "Reply-To: Ada <ada@firma.example>", "Subject: Contact", text="Do you ship abroad?")

    assert (event["status"], desk.ticket().contact_address) == ("processed", "ada@firma.example")
    assert desk.sent == []


def test_a_mail_from_another_mailbox_of_the_desk_is_a_message_and_is_not_answered(desk: Desk) -> None:
    another_mailbox("sales", "sales@example.test")

    event = mail(desk, "From: Sales <sales@example.test>", "Subject: Yours", text="This one is for you.")

    assert event["status"] == "processed"
    assert desk.sent == []


def test_an_echo_of_our_mail_is_known_by_its_id_or_its_mark(desk: Desk) -> None:
    solved(desk)
    by_id = mail(desk, OURS, f"Message-ID: {desk.sent[0].message.external_id}", "Subject: Re: Printer")
    by_mark = mail(desk, OURS, f"{DESK_HEADER}: {desk_id('desk@example.test')}", "Subject: Re: Printer")

    assert [(one["status"], one["reason"]) for one in (by_id, by_mark)] == [("ignored", "a message of our own")] * 2
    assert len(desk.tickets()) == 1


def test_an_echo_from_another_mailbox_of_the_desk_is_known_by_its_mark(desk: Desk) -> None:
    another_mailbox("sales", "sales@example.test")

    event = mail(desk, "From: sales@example.test", f"{DESK_HEADER}: {desk_id('sales@example.test')}", "Subject: x")

    assert (event["status"], event["reason"]) == ("ignored", "a message of our own")


SHAPED_AS_OURS = f"<nestor.1.{'0' * 32}.{'0' * 16}@example.test>"
FOREIGN = [
    ("a stranger made an id in the desk's form", "Ada <ada@firma.example>", SHAPED_AS_OURS, ()),
    ("the desk's form and address", "Desk <desk@example.test>", SHAPED_AS_OURS, ()),
    ("an id of the desk's own mails with a wrong MAC", "ada@firma.example", SHAPED_AS_OURS.replace(".1.", ".0."), ()),
    (
        "a stranger copied the mark of the desk",
        "Ada <ada@firma.example>",
        "<1@firma.example>",
        ("our mark",),
    ),
]


@pytest.mark.parametrize(("case", "sender", "message_id", "more"), FOREIGN, ids=[one[0] for one in FOREIGN])
def test_a_mail_that_only_looks_like_an_echo_is_a_message(
    desk: Desk, case: str, sender: str, message_id: str, more: tuple[str, ...]
) -> None:
    marks = [f"{DESK_HEADER}: {desk_id('desk@example.test')}" for _ in more]

    event = mail(desk, f"From: {sender}", f"Message-ID: {message_id}", "Subject: Printer", *marks, text="It burns.")

    assert event["status"] == "processed", case
    assert desk.bodies(desk.ticket()) == ["It burns."]


def test_a_stranger_who_copies_the_id_of_our_mail_is_not_ignored(desk: Desk) -> None:
    solved(desk)

    copied = f"Message-ID: {desk.sent[0].message.external_id}"
    event = mail(desk, "From: Bob <bob@other.example>", copied, "Subject: Hello", text="I am no echo.")

    assert event["status"] == "processed"
    assert desk.bodies(desk.tickets()[-1]) == ["I am no echo."]


def test_an_echo_of_a_mail_of_the_desk_itself_is_known_by_the_mac_in_its_id(desk: Desk) -> None:
    mail_id = UUID(int=7)
    echo = f"Message-ID: <nestor.0.{mail_id.hex}.{links.message_mark(mail_id)}@example.test>"

    event = mail(desk, OURS, echo, "Subject: Your link")

    assert (event["status"], event["reason"]) == ("ignored", "a message of our own")
