"""Numbers over the API: for those who may read them, of the teams that they see, as JSON and CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from models.events.following import consumers
from models.kernel.storage import database
from models.numbers.catalogue import NUMBERS
from models.numbers.consumer import CONSUMER
from tests.desk import Desk
from tests.functions.callers import Caller, paths, problem, sqlite_only
from tests.functions.test_rating_page import FORM, asked
from tests.functions.test_visibility import hide

pytestmark = sqlite_only


def follow() -> None:
    with database.transaction():
        consumers.ensure([CONSUMER])
    while consumers.step(CONSUMER):
        pass


@pytest.mark.parametrize("number", sorted(NUMBERS))
def test_each_number_says_how_it_is_computed_and_answers_in_each_group(
    desk: Desk, machine: Caller, number: str
) -> None:
    ticket = desk.create_ticket(email="ada@example.com", team="support")
    desk.reply(ticket)
    desk.transition(ticket, "resolve")
    follow()
    [described] = [one for one in machine.read("/v1/numbers")["items"] if one["name"] == number]

    for by in described["by"]:
        table = machine.read(f"/v1/numbers/{number}", params={"by": by})
        text = machine.get(f"/v1/numbers/{number}/csv", params={"by": by})
        assert table["how"] == described["how"]
        assert table["how"].endswith(".")
        assert text.headers["content-type"].startswith("text/csv")
        rows = list(csv.DictReader(io.StringIO(text.text)))
        assert [row["key"] for row in rows] == [item["key"] or "" for item in table["items"]]


def test_a_number_shows_the_teams_that_the_caller_sees(desk: Desk, machine: Caller, as_user: Any) -> None:
    hide(desk)
    machine.ticket(team="hr")
    machine.ticket(team="support")
    follow()

    seen = as_user("manager").read("/v1/numbers/volume", params={"by": "team"})
    everything = machine.read("/v1/numbers/volume", params={"by": "team"})

    assert [one["key"] for one in seen["items"]] == ["support"]
    assert [one["key"] for one in everything["items"]] == ["hr", "support"]
    assert as_user("manager").read("/v1/numbers/backlog", params={"team": "hr"})["items"] == []


def test_a_ticket_in_the_bin_does_not_count_until_it_is_restored(desk: Desk, machine: Caller) -> None:
    ticket = machine.ticket()
    follow()

    def count() -> list[int]:
        follow()
        return [one["count"] for one in machine.read("/v1/numbers/backlog")["items"]]

    assert count() == [1]
    machine.made(f"/v1/tickets/{ticket['id']}/deletion", {})
    assert count() == []
    machine.ask("DELETE", f"/v1/tickets/{ticket['id']}/deletion")
    assert count() == [1]


def test_agents_have_no_numbers(desk: Desk, as_user: Any) -> None:
    problem(as_user("agent").get("/v1/numbers"), 403)
    problem(as_user("agent").get("/v1/numbers/volume"), 403)
    problem(as_user("agent").get("/v1/numbers/satisfaction/ratings"), 403)


def test_a_wrong_question_says_what_was_expected(desk: Desk, machine: Caller) -> None:
    problem(machine.get("/v1/numbers/happiness"), 404)
    ask = "/v1/numbers/time_in_state"
    assert paths(problem(machine.get(ask, params={"by": "agent"}), 422)) == ["?by"]
    assert paths(problem(machine.get(ask, params={"since": "2026-02-30"}), 422)) == ["?since"]
    assert paths(problem(machine.get(ask, params={"since": "2026-02-02", "until": "2026-02-01"}), 422)) == ["?since"]


def test_ratings_are_counted_and_listed_with_their_comments(desk: Desk, machine: Caller, stranger: Caller) -> None:
    ticket, path = asked(desk)
    body = "score=4&comment=Quick+and+friendly."
    assert stranger.ask("POST", path, raw=body, headers=FORM).status_code in (200, 303)
    follow()

    [line] = machine.read("/v1/numbers/satisfaction")["items"]
    [rating] = machine.everything("/v1/numbers/satisfaction/ratings", commented="true")

    assert (line["count"], line["mean"]) == (1, 4.0)
    assert (rating["ticket_number"], rating["score"]) == (ticket.number, 4)
    assert rating["comment"] == "Quick and friendly."
    assert machine.everything("/v1/numbers/satisfaction/ratings", score="5") == []
