"""Two desks that mail each other stop within the caps, whatever the way between them does to their mails.

Each desk is a process with its own database, key and clock; their mails are built, sent by SMTP, taken by the webhook
and parsed as in production.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from models.kernel import limits
from tests.end_to_end import mailboxes
from tests.end_to_end.conftest import OURS, THEIRS
from tests.end_to_end.post_office import (
    PostOffice,
    Road,
    as_a_list_of_its_own,
    as_news,
    through_a_list,
    without_anything_to_know_it_by,
    without_telling_headers,
)

TOO_MANY = "too many automatic messages to this address"
DAY_S = 86_400.0
ADA = "ada@elsewhere.example"


def looks(office: PostOffice) -> tuple[dict[str, Any], dict[str, Any]]:
    """What people see of our desk and of theirs; nothing waits or was given up."""
    ours, theirs = (office.desks[address].ask("look") for address in (OURS, THEIRS))
    assert ours["open_tasks"] == theirs["open_tasks"] == 0
    return ours, theirs


def nothing_follows(office: PostOffice) -> None:
    """Neither at once nor after a day."""
    for desk in office.desks.values():
        desk.ask("advance", seconds=DAY_S)
    assert office.carry() == 0


def test_an_acknowledgement_is_not_acknowledged(office: PostOffice) -> None:
    office.desks[OURS].ask("open", email=THEIRS)

    assert office.carry() == 1

    ours, theirs = looks(office)
    assert (ours["tickets"], theirs["tickets"]) == (1, 1)
    assert theirs["deliveries"] == {}
    nothing_follows(office)


def test_an_agents_answer_joins_what_the_acknowledgement_opened_and_that_is_all(office: PostOffice) -> None:
    office.desks[OURS].ask("open", email=THEIRS)
    office.desks[OURS].ask("reply", body="Do you know this printer?")

    assert office.carry() == 2

    ours, theirs = looks(office)
    assert (ours["inbox"], theirs["tickets"], theirs["inbound"]) == ({}, 1, 2)
    assert theirs["deliveries"] == {}
    nothing_follows(office)


@pytest.mark.parametrize("hop_s", [1.0, 2_000.0], ids=["fast", "slow"])
def test_without_telling_headers_the_ids_of_the_thread_end_it(office: PostOffice, hop_s: float) -> None:
    office.road, office.hop_s = without_telling_headers, hop_s
    office.desks[OURS].ask("open", email=THEIRS)

    assert office.carry() == 2  # each desk acknowledges once, as neither can know better

    ours, theirs = looks(office)
    assert (ours["tickets"], theirs["tickets"]) == (1, 1)
    nothing_follows(office)


def test_without_anything_to_know_it_by_the_cap_of_an_address_ends_it_visibly(office: PostOffice) -> None:
    office.road = without_anything_to_know_it_by
    office.desks[OURS].ask("open", email=THEIRS)

    carried = office.carry()

    ours, theirs = looks(office)
    burst = limits.acknowledgements_burst
    assert carried == 2 * burst
    assert ours["deliveries"] == theirs["deliveries"] == {"sent": burst}
    assert (ours["tickets"], theirs["tickets"]) == (burst + 1, burst)
    [reason] = ours["withheld"]
    assert reason.startswith(TOO_MANY)
    nothing_follows(office)


@pytest.mark.parametrize("hop_s", [limits.acknowledgement_every_s / 2, 2_000.0])
def test_a_slow_road_does_not_outwit_the_cap(office: PostOffice, hop_s: float) -> None:
    """Each desk has a mail of the other just when the next acknowledgement may go again; the day's cap ends that."""
    office.road, office.hop_s = without_anything_to_know_it_by, hop_s
    office.desks[OURS].ask("open", email=THEIRS)

    carried = office.carry()

    ours, theirs = looks(office)
    most = limits.automatic_messages_burst + math.ceil(carried * hop_s / limits.automatic_message_every_s)
    for desk in (ours, theirs):
        assert limits.automatic_messages_burst <= desk["deliveries"]["sent"] <= most
    assert carried * hop_s < 2 * DAY_S
    assert [reason for reason in ours["withheld"] + theirs["withheld"] if reason.startswith(TOO_MANY)]
    nothing_follows(office)


@pytest.mark.parametrize("road", [None, without_telling_headers])
def test_a_desk_that_writes_to_itself_receives_its_mail_once(office: PostOffice, road: Road | None) -> None:
    office.road = road
    office.desks[OURS].ask("open", email=OURS)

    assert office.carry() == 1

    ours, _ = looks(office)
    assert (ours["tickets"], ours["inbox"]) == (1, {"ignored": 1})
    assert ours["reasons"] == ["a message of our own"]


def test_a_mail_of_ours_that_nothing_marks_any_more_is_kept_and_never_answered(office: PostOffice) -> None:
    """Only its From names the desk, as that of a colleague's mail program does."""
    office.road = without_anything_to_know_it_by
    office.desks[OURS].ask("open", email=OURS)

    assert office.carry() == 1

    ours, _ = looks(office)
    assert (ours["tickets"], ours["inbox"]) == (2, {"processed": 1})
    assert ours["deliveries"] == {"sent": 1}
    nothing_follows(office)


@pytest.mark.parametrize("list_address", [OURS, "all@list.example"], ids=["our list", "another list"])
def test_a_machine_that_answers_through_a_list_as_a_person_would_is_capped(
    office: PostOffice, list_address: str
) -> None:
    """A list that is ours is a way to the desk, so its headers do not end the loop; the caps do."""
    office.mailboxes[ADA] = mailboxes.says_that_nobody_is_there(ADA)
    office.road = through_a_list(list_address)
    office.desks[OURS].ask("open", email=ADA)

    office.carry()

    ours, _ = looks(office)
    burst = limits.acknowledgements_burst
    assert (ours["tickets"], ours["deliveries"]) == (burst + 1, {"sent": burst})
    assert len(ours["withheld"]) == 1
    nothing_follows(office)


def test_news_that_comes_by_a_list_is_answered_by_nobody(office: PostOffice) -> None:
    office.mailboxes[ADA] = mailboxes.says_that_nobody_is_there(ADA)
    office.road = as_news
    office.desks[OURS].ask("open", email=ADA)

    assert office.carry() == 2

    ours, _ = looks(office)
    assert (ours["tickets"], ours["deliveries"]) == (2, {"sent": 1})
    nothing_follows(office)


def test_a_list_that_sends_a_desk_its_own_mails_under_the_lists_name_is_capped(office: PostOffice) -> None:
    """The worst of all: another From, no id, and the desk is its own reader."""
    office.mailboxes["all@list.example"] = mailboxes.hands_on_to(OURS)
    office.road = as_a_list_of_its_own("all@list.example")
    office.desks[OURS].ask("open", email="all@list.example")

    office.carry()

    ours, _ = looks(office)
    assert ours["deliveries"] == {"sent": limits.acknowledgements_burst}
    [reason] = ours["withheld"]
    assert reason.startswith(TOO_MANY)
    nothing_follows(office)


def test_a_vacation_notice_is_kept_and_answered_by_nobody(office: PostOffice) -> None:
    office.mailboxes[ADA] = mailboxes.on_vacation(ADA)
    office.desks[OURS].ask("open", email=ADA)

    assert office.carry() == 2

    ours, _ = looks(office)
    assert (ours["tickets"], ours["inbound"]) == (1, 2)
    assert ours["deliveries"] == {"sent": 1}
    nothing_follows(office)


def test_a_vacation_notice_without_its_headers_is_known_by_its_words(office: PostOffice) -> None:
    office.mailboxes[ADA] = mailboxes.on_vacation(ADA)
    office.road = without_anything_to_know_it_by
    office.desks[OURS].ask("open", email=ADA)

    assert office.carry() == 2

    ours, _ = looks(office)
    assert (ours["tickets"], ours["deliveries"]) == (2, {"sent": 1})
    nothing_follows(office)


def test_a_machine_that_answers_each_mail_as_a_person_would_is_capped(office: PostOffice) -> None:
    office.mailboxes[ADA] = mailboxes.says_that_nobody_is_there(ADA)
    office.road = without_anything_to_know_it_by
    office.desks[OURS].ask("open", email=ADA)

    carried = office.carry()

    ours, _ = looks(office)
    burst = limits.acknowledgements_burst
    assert carried == 2 * burst
    assert (ours["tickets"], ours["deliveries"]) == (burst + 1, {"sent": burst})
    assert len(ours["withheld"]) == 1
    nothing_follows(office)


def test_a_bounce_of_an_acknowledgement_is_its_deliverys_failure_and_nothing_else(office: PostOffice) -> None:
    office.mailboxes[ADA] = mailboxes.bounces(ADA)
    office.desks[OURS].ask("open", email=ADA)

    assert office.carry() == 2
    office.desks[OURS].ask("open", email=ADA)
    assert office.carry() == 0  # the address rests

    ours, _ = looks(office)
    assert (ours["tickets"], ours["inbound"]) == (2, 2)  # the two questions by the API
    assert ours["deliveries"] == {"failed": 2}
    assert "5.1.1" in ours["errors"][0]
    nothing_follows(office)


def test_a_bounce_that_names_no_mail_of_ours_opens_nothing(office: PostOffice) -> None:
    office.mailboxes[ADA] = mailboxes.bounces(ADA)
    office.road = without_anything_to_know_it_by
    office.desks[OURS].ask("open", email=ADA)

    assert office.carry() == 2

    ours, _ = looks(office)
    assert (ours["tickets"], ours["inbox"]) == (1, {"ignored": 1})
    assert ours["reasons"] == ["a bounce that answers no message of ours"]
    nothing_follows(office)


def test_a_bounce_in_a_persons_words_is_capped(office: PostOffice) -> None:
    """From no postmaster, about no message, and its mailbox bounces too."""
    clerk = "mailroom@elsewhere.example"
    office.mailboxes[ADA] = office.mailboxes[clerk] = mailboxes.says_that_nobody_is_there(clerk)
    office.road = without_anything_to_know_it_by
    office.desks[OURS].ask("open", email=ADA)

    office.carry()

    ours, _ = looks(office)
    sent = Counter(recipient for _, recipient in office.carried)
    assert (sent[ADA], sent[clerk]) == (1, limits.acknowledgements_burst)
    assert len(ours["withheld"]) == 1
    nothing_follows(office)


def test_a_stranger_whose_loop_opens_tickets_is_quarantined_at_the_cap_of_an_hour(office: PostOffice) -> None:
    """A machine that writes whatever we answer: no acknowledgement causes its mails, so no cap of ours can end them."""
    desk = office.desks[OURS]

    for number in range(limits.new_tickets_per_sender_hour + 5):
        mail = mailboxes.written(ADA, OURS, f"Alarm {number}")
        desk.ask("receive", **mailboxes.handed_over(mail, ADA, OURS))

    ours, _ = looks(office)
    assert ours["tickets"] == limits.new_tickets_per_sender_hour
    assert ours["inbox"] == {"processed": limits.new_tickets_per_sender_hour, "failed": 5}
    assert all(reason.startswith("quarantined: more than 20 new tickets in an hour") for reason in ours["reasons"])
    assert ours["deliveries"] == {"sent": limits.acknowledgements_burst}
    assert len(ours["withheld"]) == limits.new_tickets_per_sender_hour - limits.acknowledgements_burst
