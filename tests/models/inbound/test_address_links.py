"""Deep links: the chat shows a number, which is entered where the link was made; the other addresses are told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from models.identity import commands as identity
from models.inbound import address_links
from models.kernel import limits
from models.kernel.storage import database
from models.ports.inbound import Command
from models.requesters import links
from models.requesters.link_numbers import WrongNumber
from models.staff import addresses
from tests.desk import Desk
from tests.models.inbound.story import CHAT, MAIL, digits_in, notices, opened, told

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def _opens(desk: Desk, token: str, *, chat: str = "42") -> dict[str, Any]:
    return told(desk, Command("start", token, chat, "Ada", chat, chat, locale="en"))


def _owners(desk: Desk) -> int:
    rows = desk.rows(
        "SELECT count(DISTINCT requester_id) AS n FROM identities WHERE address IN ('42', 'ada@example.com')"
    )
    return int(rows[0]["n"])


@pytest.fixture
def ada(desk: Desk) -> UUID:
    ticket = opened(desk, MAIL, "email")
    assert ticket.requester_id is not None
    return ticket.requester_id


def _confirm(requester_id: UUID, token: str, number: str) -> bool:
    """Whether the number was right. The transaction commits either way, as in the gateway."""
    with database.transaction():
        try:
            address_links.confirm_for_requester(requester_id, token, number)
        except WrongNumber:
            return False
    return True


def test_opening_a_link_joins_nothing_before_its_number_is_entered_where_it_was_made(desk: Desk, ada: UUID) -> None:
    told(desk, CHAT)
    token = desk.command(links.make, ada, made_by="Olga")

    shown = _opens(desk, token)
    before = _owners(desk)
    number = digits_in(notices(desk)[-1])
    assert _confirm(ada, token, number)
    desk.run_due()

    assert "number" in shown["reason"]
    assert (before, _owners(desk)) == (2, 1)
    assert "belongs to Ada" in notices(desk)[-2]


def test_the_other_addresses_are_told_of_a_new_one(desk: Desk, ada: UUID) -> None:
    token = desk.command(links.make, ada, made_by="Olga")
    _opens(desk, token)
    _confirm(ada, token, digits_in(notices(desk)[-1]))
    desk.run_due()

    [mail] = [call for call in desk.calls if call.channel == "email" and call.message.delivery_id.startswith("notice:")]
    assert mail.address == "ada@example.com"
    assert "telegram chat was connected" in mail.body
    assert mail.message.subject == "A new address of yours"


def test_a_strangers_chat_does_not_take_over_an_opened_link(desk: Desk, ada: UUID) -> None:
    token = desk.command(links.make, ada, made_by="Olga")
    _opens(desk, token)
    number = digits_in(notices(desk)[-1])

    refused = _opens(desk, token, chat="666")
    again = _opens(desk, token)

    assert "not valid" in refused["reason"]
    assert "number" in again["reason"]
    assert digits_in(notices(desk)[-1]) == number


def test_a_link_is_confirmed_for_the_person_it_was_made_for_only(desk: Desk, ada: UUID) -> None:
    opened_by_mallory = told(desk, CHAT)
    other = desk.rows("SELECT requester_id FROM tickets WHERE id = :id", id=opened_by_mallory["ticket_id"])
    token = desk.command(links.make, ada, made_by="Olga")
    _opens(desk, token)

    assert not _confirm(UUID(str(other[0]["requester_id"])), token, digits_in(notices(desk)[-1]))


def test_a_number_is_not_guessed(desk: Desk, ada: UUID) -> None:
    token = desk.command(links.make, ada, made_by="Olga")
    assert not _confirm(ada, token, "000000"), "nobody opened the link"
    _opens(desk, token)
    number = digits_in(notices(desk)[-1])
    wrong = "000000" if number != "000000" else "000001"

    guesses = [_confirm(ada, token, wrong) for _ in range(limits.link_numbers_max)]

    assert not any(guesses)
    assert not _confirm(ada, token, number)


def test_a_link_works_once_and_for_ten_minutes(desk: Desk, ada: UUID) -> None:
    first, second = (desk.command(links.make, ada, made_by="Olga") for _ in range(2))
    _opens(desk, first)
    number = digits_in(notices(desk)[-1])

    assert _confirm(ada, first, number)
    assert not _confirm(ada, first, number)
    desk.advance(minutes=10, seconds=1)
    assert "not valid" in _opens(desk, second)["reason"]


# -- agents ------------------------------------------------------------------------------------------------------


@pytest.fixture
def olga(desk: Desk) -> UUID:
    return UUID(str(desk.person("agent").id))


def _connect(desk: Desk, user_id: UUID) -> str:
    """The token of the link by which the agent connected the chat 7001."""
    token = str(desk.command(addresses.make_link, user_id))
    _opens(desk, token, chat="7001")
    with database.transaction():
        address_links.confirm_for_user(user_id, token, digits_in(notices(desk)[-1]))
    desk.run_due()
    return token


def _owner() -> UUID | None:
    with database.connection():
        found = addresses.owner("telegram", "7001")
    return None if found is None else found.id


def test_an_agents_chat_is_connected_by_its_number(desk: Desk, olga: UUID) -> None:
    token = str(desk.command(addresses.make_link, olga))
    _opens(desk, token, chat="7001")
    before = _owner()
    with database.transaction():
        address_links.confirm_for_user(olga, token, digits_in(notices(desk)[-1]))

    assert before is None
    assert _owner() == olga


def test_another_agent_does_not_confirm_the_link(desk: Desk, olga: UUID) -> None:
    token = str(desk.command(addresses.make_link, olga))
    _opens(desk, token, chat="7001")
    number = digits_in(notices(desk)[-1])

    with database.transaction(), pytest.raises(WrongNumber):
        address_links.confirm_for_user(UUID(str(desk.person("manager").id)), token, number)


CHANGES: list[dict[str, Any]] = [{"password": "a lantern and a wombat"}, {"role": "manager"}, {"active": False}]


@pytest.mark.parametrize("change", CHANGES)
def test_an_agents_connection_ends_with_password_role_and_deactivation(
    desk: Desk, olga: UUID, change: dict[str, Any]
) -> None:
    _connect(desk, olga)

    identity.update_user(olga, change, expected_version=None, actor=desk.person("admin"))

    assert _owner() is None


@pytest.mark.parametrize("change", CHANGES)
def test_an_agents_link_ends_with_password_role_and_deactivation(
    desk: Desk, olga: UUID, change: dict[str, Any]
) -> None:
    token = str(desk.command(addresses.make_link, olga))
    _opens(desk, token, chat="7001")
    number = digits_in(notices(desk)[-1])

    identity.update_user(olga, change, expected_version=None, actor=desk.person("admin"))

    assert "not valid" in _opens(desk, token, chat="7001")["reason"]
    with database.transaction(), pytest.raises(WrongNumber):
        address_links.confirm_for_user(olga, token, number)


def test_a_change_of_name_ends_nothing(desk: Desk, olga: UUID) -> None:
    _connect(desk, olga)

    identity.update_user(olga, {"name": "Olga B."}, expected_version=None, actor=desk.person("admin"))

    assert _owner() == olga
