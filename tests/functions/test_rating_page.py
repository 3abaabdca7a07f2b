"""The page that the rating link of a mail opens: for people, without scripts, and only a press rates."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest
from falcon import testing

from models.kernel import clock, limits, settings
from models.kernel.storage import database
from models.ticket_workflow import ratings
from models.tickets.tables import Ticket
from tests.desk import Desk
from tests.functions.callers import Caller, problem, sqlite_only

pytestmark = sqlite_only
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Page(HTMLParser):
    """The form, the buttons and the texts of a page, as a browser without scripts reads them."""

    def __init__(self, result: testing.Result) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        assert result.headers["content-type"] == "text/html; charset=utf-8"
        self.policy = result.headers["content-security-policy"]
        self.feed(result.text)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def asked(desk: Desk, *, locale: str = "en") -> tuple[Ticket, str]:
    """A resolved incident whose requester got the rating link; the ticket and the link's path."""
    ticket = desk.create_ticket("Mail <b>is</b> down", type="incident", email="ada@example.com")
    with database.transaction():
        database.execute("UPDATE requesters SET locale = :locale", locale=locale)
    desk.transition(ticket, "investigate")
    desk.transition(ticket, "resolve", fields={"root_cause": "A cable was cut by a digger."})
    desk.advance(days=5)
    desk.run_due()
    [path] = [
        found[1] for body in desk.sent_bodies() if (found := re.search(r"http://[^/\s]+(/v1/rating_pages/\S+)", body))
    ]
    return ticket, path


def press(stranger: Caller, path: str, page: Page, **fields: str) -> testing.Result:
    [form] = page.all("form")
    assert (form["method"], form["accept-charset"]) == ("post", "utf-8")
    action = urljoin(path, str(form["action"]))
    return stranger.ask("POST", action, raw=urlencode(fields), headers=FORM)


def scores(desk: Desk, ticket: Ticket) -> list[Any]:
    return [
        (one["payload"]["payload"]["score"], one["payload"]["comment"]) for one in desk.events(ticket, "ticket_rated")
    ]


def test_the_link_opens_a_page_and_a_press_rates(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)

    page = Page(stranger.get(path))
    assert f"request #{ticket.number}" in page.text
    assert [one["value"] for one in page.all("button")] == ["1", "2", "3", "4", "5"]
    assert scores(desk, ticket) == []
    done = press(stranger, path, page, score="4", comment="Quick & kind")
    after = Page(stranger.get(urljoin(path, done.headers["location"])))

    assert done.status_code == 303
    assert scores(desk, ticket) == [(4, "Quick & kind")]
    assert "Your rating is 4 of 5" in after.text
    assert "Quick & kind" in after.text
    assert [one["value"] for one in after.all("button") if one["aria-pressed"] == "true"] == ["4"]


def test_a_later_press_replaces_the_rating_and_the_life_cycle_hears_of_each(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)
    page = Page(stranger.get(path))

    press(stranger, path, page, score="1", comment="")
    press(stranger, path, page, score="5", comment="Better now")
    press(stranger, path, page, score="5", comment="Better now")

    assert scores(desk, ticket) == [(1, None), (5, "Better now")]


def test_the_page_runs_nothing_and_shows_the_title_as_text(stranger: Caller, desk: Desk) -> None:
    _, path = asked(desk)

    result = stranger.get(path)
    page = Page(result)

    assert page.all("script") == page.all("b") == page.all("link") == page.all("img") == []
    assert "Mail <b>is</b> down" in page.text
    assert "default-src 'none'" in page.policy
    assert "form-action 'self'" in page.policy
    assert "unsafe" not in page.policy
    assert result.headers["referrer-policy"] == "no-referrer"
    assert result.headers["cache-control"] == "no-store"
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]


@pytest.mark.parametrize(
    ("locale", "lang", "told"),
    [
        ("ru", "ru", "Как мы справились"),
        ("de-AT", "de", "Wie haben wir"),
        ("fr", "fr", "Comment"),
        ("xx", "en", "How did"),
    ],
)
def test_the_page_is_in_the_language_of_the_requester(
    stranger: Caller, desk: Desk, locale: str, lang: str, told: str
) -> None:
    _, path = asked(desk, locale=locale)

    page = Page(stranger.get(path))

    assert page.all("html")[0]["lang"] == lang
    assert told in page.text


@pytest.mark.parametrize("score", ["", "0", "6", "five", "4.5", "٤"])
def test_a_press_without_a_number_says_so_and_keeps_the_comment(stranger: Caller, desk: Desk, score: str) -> None:
    ticket, path = asked(desk)

    result = press(stranger, path, Page(stranger.get(path)), score=score, comment="It works again.")
    page = Page(result)

    assert result.status_code == 422
    assert "Press one of the numbers from 1 to 5." in page.text
    assert "It works again." in page.text
    assert scores(desk, ticket) == []


def test_a_comment_beyond_the_limit_is_refused_on_the_page(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)

    result = press(stranger, path, Page(stranger.get(path)), score="3", comment="x" * (limits.comment_chars_max + 1))

    assert result.status_code == 422
    assert "Please shorten it" in Page(result).text
    assert scores(desk, ticket) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_is_not_valid_says_so_to_people(stranger: Caller, desk: Desk, method: str) -> None:
    result = stranger.ask(
        method, "/v1/rating_pages/nothing", **({"raw": "score=5", "headers": FORM} if method == "POST" else {})
    )

    assert result.status_code == 404
    assert "This link is not valid" in Page(result).text


def test_a_form_of_another_kind_is_refused(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)

    problem(stranger.post(path, {"score": 5}), 415)

    assert scores(desk, ticket) == []


def test_a_browser_gets_the_page_at_the_link_of_earlier_mails_and_a_program_gets_json(
    stranger: Caller, desk: Desk
) -> None:
    ticket, path = asked(desk)
    earlier = path.replace("rating_pages", "ratings")
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

    page = Page(stranger.get(earlier, headers=browser))
    press(stranger, earlier, page, score="2", comment="")

    assert stranger.read(earlier)["score"] == 2
    assert stranger.read(earlier, headers={"Accept": "application/json"})["ticket_number"] == ticket.number


def closed(desk: Desk, ticket: Ticket) -> None:
    with database.transaction():
        database.execute(
            "UPDATE tickets SET category = 'closed', closed_at = :at WHERE id = :id", at=clock.now(), id=ticket.id
        )


def test_a_rating_link_ends_some_time_after_the_ticket_was_closed(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)
    page = Page(stranger.get(path))
    closed(desk, ticket)
    desk.advance(days=29)
    press(stranger, path, page, score="4", comment="")

    desk.advance(days=2)
    opened, pressed = stranger.get(path), press(stranger, path, page, score="1", comment="")

    assert (opened.status_code, pressed.status_code) == (404, 404)
    assert "The time for this rating is over" in Page(opened).text
    earlier = path.replace("rating_pages", "ratings")
    problem(stranger.get(earlier), 404, "rating_ended")
    problem(stranger.post(earlier, {"score": 1}), 404, "rating_ended")
    assert scores(desk, ticket) == [(4, None)]


def test_a_rating_link_of_a_ticket_that_is_not_closed_does_not_end(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)
    with database.transaction():
        database.execute("UPDATE tickets SET closed_at = NULL WHERE id = :id", id=ticket.id)
    desk.advance(days=90)

    assert stranger.get(path).status_code == 200


def test_the_days_of_a_rating_link_are_a_setting(stranger: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket, path = asked(desk)
    closed(desk, ticket)
    monkeypatch.setenv("RATING_DAYS", "1")
    settings.current.cache_clear()
    desk.advance(days=2)

    assert stranger.get(path).status_code == 404


def test_the_same_rating_again_writes_nothing(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)
    earlier = path.replace("rating_pages", "ratings")

    first, again = (stranger.post(earlier, {"score": 3, "comment": "Fine"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert scores(desk, ticket) == [(3, "Fine")]
    assert len(desk.rows("SELECT 1 FROM tasks WHERE kind = 'advance_ticket' AND payload LIKE '%rated%'")) == 1


def test_a_rating_changes_ten_times_and_stays_then(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)
    page = Page(stranger.get(path))
    for number in range(11):
        press(stranger, path, page, score=str(number % 5 + 1), comment="")

    last = press(stranger, path, page, score="2", comment="")

    assert len(scores(desk, ticket)) == 10
    assert last.status_code == 422
    assert "It stays as it is" in Page(last).text
    problem(stranger.post(path.replace("rating_pages", "ratings"), {"score": 1}), 409, "rating_is_final")


def test_a_press_in_a_chat_keeps_the_comment_and_a_second_one_writes_nothing(stranger: Caller, desk: Desk) -> None:
    ticket, path = asked(desk)
    stranger.post(path.replace("rating_pages", "ratings"), {"score": 3, "comment": "Fine"})
    [row] = desk.rows("SELECT id FROM ratings WHERE ticket_id = :id", id=ticket.id)

    for _ in range(2):
        with database.transaction():
            ratings.rate_by_id(row["id"], 5)

    assert scores(desk, ticket) == [(3, "Fine"), (5, "Fine")]
