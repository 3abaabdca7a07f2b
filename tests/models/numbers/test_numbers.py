"""The numbers of the desk: incremental and recomputed ones are equal, and each counts as its description says."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.events.following import consumers
from models.kernel import clock
from models.kernel.errors import NestorError
from models.kernel.storage import database
from models.numbers import following, lines
from models.numbers.consumer import CONSUMER
from models.numbers.queries import Scope
from models.ticket_actions import commands
from models.tickets.tables import Ticket
from tests.desk import Desk

TABLES = ("ticket_facts", "state_facts", "promise_facts", "daily_sums")
ALWAYS = Scope("2000-01-01", "2100-01-01")


def _follow() -> None:
    while consumers.step(CONSUMER):
        pass


@pytest.fixture
def numbers(desk: Desk) -> Desk:
    """A desk whose numbers have seen all events so far."""
    with database.transaction():
        consumers.ensure([CONSUMER])
    _follow()
    return desk


def _content() -> dict[str, list[dict[str, Any]]]:
    """All rows of the tables, in an order of their own."""
    found = {}
    for table in TABLES:
        with database.connection():
            rows = database.run(f"SELECT * FROM {table}")
        found[table] = sorted((dict(row) for row in rows), key=repr)
    return found


def _lines(number: str, by: str = "all", scope: Scope = ALWAYS) -> list[dict[str, Any]]:
    with database.connection():
        return lines.of(number, by, scope)


def _act(desk: Desk, tickets: list[Ticket], dice: random.Random) -> None:
    """One random act of people or time. Acts that the life cycle refuses change nothing."""
    ticket = dice.choice(tickets) if tickets else None
    act = dice.choice(
        ("open", "mail", "reply", "resolve", "resolve", "reopen", "start", "assign", "move", "wait", "run")
    )
    if act == "open" or ticket is None:
        tickets.append(desk.create_ticket(f"Ticket {len(tickets)}", email="ada@example.com", team="support"))
    elif act == "mail":
        desk.receive_telegram(chat=dice.randint(1, 3))
    elif act == "reply":
        desk.reply(ticket)
    elif act in ("resolve", "reopen", "start", "wait_for_requester"):
        desk.transition(ticket, act)
    elif act == "assign":
        to = dice.choice((None, desk.person("agent").id, desk.person("manager").id))
        desk.command(commands.assign, ticket.id, to, actor=desk.person(), expected_version=None)
    elif act == "move":
        changes = {"team": dice.choice(("support", None)), "priority": dice.choice(("normal", "high"))}
        desk.command(commands.update, ticket.id, changes, expected_version=None, actor=desk.person())
    elif act == "wait":
        clock.set_shift(clock.shift() + timedelta(hours=dice.randint(1, 30)))
    else:
        desk.run_due()


@settings(max_examples=3, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dice=st.randoms(use_true_random=False))
def test_numbers_of_random_histories_are_equal_when_they_are_computed_again(numbers: Desk, dice: random.Random) -> None:
    tickets: list[Ticket] = []
    for _ in range(25):
        with suppress(NestorError):
            _act(numbers, tickets, dice)
        if dice.random() < 0.3:
            consumers.step(CONSUMER)
    _follow()
    incremental = _content()

    following.recompute()
    recomputed = _content()
    _follow()

    assert incremental == recomputed == _content()
    assert incremental["ticket_facts"]


def _hours(hours: float) -> None:
    clock.set_shift(clock.shift() + timedelta(hours=hours))


def test_times_are_those_of_tickets_with_median_and_ninetieth_percentile(numbers: Desk) -> None:
    # Answers after 1 to 10 hours, resolutions an hour later.
    for hours in range(1, 11):
        ticket = numbers.create_ticket(email=f"ada{hours}@example.com", team="support")
        _hours(hours)
        numbers.reply(ticket)
        _hours(1)
        numbers.transition(ticket, "resolve")
    _follow()

    [first], [last] = _lines("first_response"), _lines("resolution", "team")

    assert first == {
        "key": "all",
        "count": 10,
        "mean": pytest.approx(5.5 * 3600, abs=5),
        "median": pytest.approx(5 * 3600, abs=5),
        "p90": pytest.approx(9 * 3600, abs=5),
    }
    assert (last["key"], last["count"]) == ("support", 10)
    assert last["median"] == pytest.approx(6 * 3600, abs=5)
    assert _lines("first_response", "agent")[0]["key"] == numbers.person().id
    states = {line["key"]: line["count"] for line in _lines("time_in_state", "state")}
    assert states["new"] == 10


def test_a_reopened_ticket_has_no_resolution_and_counts_as_backlog_again(numbers: Desk) -> None:
    ticket = numbers.create_ticket(email="ada@example.com", team="support")
    numbers.transition(ticket, "resolve")
    _follow()
    assert _lines("backlog") == []
    assert _lines("resolution")[0]["count"] == 1

    numbers.transition(ticket, "reopen")
    _hours(24 * 4)
    _follow()

    assert _lines("resolution") == []
    [line] = _lines("backlog", "team")
    assert (line["key"], line["count"], line["under_7_days"], line["under_3_days"]) == ("support", 1, 1, 0)
    [rate] = _lines("reopen_rate")
    assert (rate["reopened"], rate["resolved"], rate["share"]) == (1, 1, 1.0)


def test_a_ticket_that_moves_takes_its_daily_sums_along(numbers: Desk) -> None:
    ticket = numbers.create_ticket(email="ada@example.com", team="support")
    _follow()
    assert _lines("volume", "team")[0]["key"] == "support"

    numbers.command(commands.update, ticket.id, {"team": None}, expected_version=None, actor=numbers.person())
    _follow()

    [line] = _lines("volume", "team")
    assert (line["key"], line["created"]) == ("", 1)


def test_the_period_and_the_hidden_teams_are_left_out(numbers: Desk) -> None:
    numbers.create_ticket(email="ada@example.com", team="support")
    _follow()

    assert _lines("volume", "team", Scope("2000-01-01", "2000-12-31")) == []
    assert _lines("volume", "team", Scope("2000-01-01", "2100-01-01", hidden=("support",))) == []
    assert _lines("backlog", "all", Scope("2000-01-01", "2100-01-01", {"channel": "telegram"})) == []


def test_promises_and_the_load_of_agents_are_counted(numbers: Desk) -> None:
    kept = numbers.create_ticket(email="ada@example.com", type="incident", priority="high", team="support")
    broken = numbers.create_ticket(email="eve@example.com", type="incident", priority="high", team="support")
    numbers.reply(kept)
    numbers.command(commands.assign, kept.id, numbers.person().id, actor=numbers.person(), expected_version=None)
    _hours(24 * 10)
    numbers.run_due()
    numbers.reply(broken)
    _follow()

    found = {line["key"]: line for line in _lines("promises", "target")}
    load = {line["key"]: line for line in _lines("agent_load")}

    assert (found["first_response"]["kept"], found["first_response"]["broken"]) == (1, 1)
    assert found["first_response"]["share"] == 0.5
    assert (load[numbers.person().id]["open"], load[numbers.person().id]["replies"]) == (1, 2)


def test_a_repeat_of_the_whole_log_changes_nothing(numbers: Desk) -> None:
    ticket = numbers.create_ticket(email="ada@example.com")
    numbers.reply(ticket)
    _follow()
    before = _content()

    consumers.restart(CONSUMER)
    _follow()

    assert _content() == before
