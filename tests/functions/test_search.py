"""The search by HTTP: relevance, snippets, the understood query, errors, pages."""

from __future__ import annotations

import threading

import pytest

from models.kernel.errors import StatementTimeout
from models.search import finding, places
from tests.desk import Desk
from tests.functions.callers import Caller, sqlite_only


@sqlite_only
def test_the_ticket_of_a_number_comes_first_then_titles_then_messages(machine: Caller, desk: Desk) -> None:
    numbered = machine.ticket(title="Nothing")
    number = str(numbered["number"])
    titled = machine.ticket(title=f"About {number}")
    told = machine.ticket(title="Another", description=f"As in {number}, it burns.")
    desk.index()

    found = machine.read(f"/v1/search?q={number}")["items"]

    assert [one["ticket"]["id"] for one in found] == [numbered["id"], titled["id"], told["id"]]


@sqlite_only
def test_pages_by_relevance_show_each_ticket_once(machine: Caller, desk: Desk) -> None:
    for index in range(3):
        machine.ticket(title=f"Printer {index}")
        machine.ticket(title=f"Other {index}", description="The printer burns.")
    desk.index()

    whole = [one["ticket"]["id"] for one in machine.read("/v1/search?q=printer&limit=50")["items"]]
    paged = [one["ticket"]["id"] for one in machine.everything("/v1/search", q="printer", limit=2)]

    assert len(whole) == 6
    assert paged == whole


@sqlite_only
def test_a_snippet_shows_the_text_and_marks_the_words(machine: Caller, desk: Desk) -> None:
    machine.ticket(title="Question", description="<b>We</b> own many printers. The Café burns.")
    desk.index()

    [found] = machine.read("/v1/search?q=printer cafe")["items"]

    [snippet] = found["snippets"]
    assert snippet["place"] == "message"
    assert snippet["message_id"] is not None
    assert [snippet["text"][begin:end] for begin, end in snippet["marks"]] == ["printers", "Café"]


@sqlite_only
def test_the_answer_says_how_the_query_was_understood(machine: Caller) -> None:
    query = machine.read('/v1/search?q=fire "paper jam" -tag:vip,old !!! prin')["query"]

    assert query["text"] == 'fire "paper jam" -tag:vip,old prin*'
    assert query["ignored"] == ["!!!"]
    assert [(term["kind"], term["negated"]) for term in query["terms"]] == [
        ("word", False),
        ("phrase", False),
        ("operator", True),
        ("word", False),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stat:open", "did you mean state?"),
        ("nonsense:open", "expected one of the operators state, category"),
        ("state:nowhere", "expected one of requested, "),
        ("is:unanswerd", "did you mean unanswered?"),
        ("has:files", "did you mean file?"),
        ("created:yesterday", "expected a time such as 2026-01-31"),
        ("created:99999-01-01", "expected a time such as 2026-01-31"),
        ("due:2026-02-30", "expected a time such as 2026-01-31"),
        ("assignee:somebody", "expected me, none, or a user's id or e-mail address"),
        ("field.colour:red", "expected one of "),
        ("state:,", "expected a value"),
        ("a " * 41, "expected at most 40 words"),
        ("(" * 11 + "a", "expected at most 10 parentheses"),
    ],
)
@sqlite_only
def test_an_unknown_operator_or_value_is_an_error_that_lists_what_there_is(
    machine: Caller, query: str, expected: str
) -> None:
    for path in ("/v1/search", "/v1/tickets"):
        answer = machine.get(path, params={"q": query})

        assert answer.status_code == 422
        assert expected in str(answer.json), answer.text


@sqlite_only
def test_the_list_takes_the_same_query(machine: Caller, desk: Desk) -> None:
    wanted = machine.ticket(title="Printers burn", tags=["vip"])
    machine.ticket(title="Printers work")
    desk.index()

    page = machine.read("/v1/tickets?q=printer tag:vip&total=true")

    assert [one["id"] for one in page["items"]] == [wanted["id"]]
    assert page["total"] == {"count": 1, "more": False, "text": "1"}


@sqlite_only
def test_a_search_without_a_place_is_refused_with_a_time_to_try_again(
    machine: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "place_wait_s", 0.01)
    monkeypatch.setattr(places, "_free", threading.BoundedSemaphore(1))
    with places.place():
        answer = machine.get("/v1/search?q=fire")

        assert answer.status_code == 503
        assert answer.json["code"] == "search_busy"
        assert int(answer.headers["Retry-After"]) >= 1
        assert machine.get("/v1/tickets").status_code == 200
    assert machine.get("/v1/search?q=fire").status_code == 200


@sqlite_only
def test_a_search_that_takes_too_long_has_an_error_of_its_own(machine: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> None:
        raise StatementTimeout()

    monkeypatch.setattr(finding, "listed", slow)

    answer = machine.get("/v1/search?q=fire")

    assert (answer.status_code, answer.json["code"]) == (503, "search_timeout")


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_the_statements_of_a_search_have_a_time_limit(desk: Desk) -> None:
    from models.kernel.storage import database

    with pytest.raises(StatementTimeout), places.time_limit(0.05):
        database.run("SELECT pg_sleep(5)")
    with database.connection():
        assert database.run("SHOW statement_timeout") != [{"statement_timeout": "50ms"}]


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
def test_a_gathering_search_reads_no_table_from_end_to_end(desk: Desk) -> None:
    """The planner does not count the work of reading long documents: a rare word took 170 ms at 10,000 tickets."""
    from models.kernel.storage import database

    with places.time_limit(1.0, by_index=True):
        assert database.run("SHOW enable_seqscan") == [{"enable_seqscan": "off"}]
    with database.connection():
        assert database.run("SHOW enable_seqscan") == [{"enable_seqscan": "on"}]


def test_a_part_of_an_address_is_sought_by_its_rarest_trigrams(monkeypatch: pytest.MonkeyPatch) -> None:
    """All trigrams of `customer12.exam` took 14 ms at 100,000 tickets, because each address has most of them."""
    documents = {"~cus": 900, "~ust": 900, "~12_": 30, "~r12": 5, "~exa": 900, "~er1": 110}
    monkeypatch.setattr(finding, "_estimates", lambda *queries: [*documents.values(), 1_000])

    assert list(finding._rarest(list(documents))) == ["~r12", "~12_", "~er1", "~cus"]
    assert finding._rarest(["~cus"]) == ["~cus"]


@sqlite_only
def test_open_and_unread_are_facts_of_tickets(machine: Caller, agent: Caller, desk: Desk) -> None:
    desk.receive_telegram("It burns.")
    desk.run_due()
    waiting = desk.ticket()
    solved = machine.ticket("Lamp", requester={"email": "ada@example.com"})
    machine.made(f"/v1/tickets/{solved['id']}/transitions", {"transition": "resolve"})

    assert [one["number"] for one in agent.everything("/v1/tickets", q="is:open")] == [waiting.number]
    assert waiting.number in [one["number"] for one in agent.everything("/v1/tickets", q="is:unread")]
    agent.ask("PUT", f"/v1/tickets/{waiting.id}/read", {})
    assert waiting.number not in [one["number"] for one in agent.everything("/v1/tickets", q="is:unread")]
