"""The page of a ticket in a browser: read, reply, take back, hold, retry, move, merge; with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.console import customers
from tests.console.conftest import ready
from tests.console.desk_process import ConsoleDesk

Open = Callable[..., Any]
LOOKS = (("light", "en", "desk"), ("dark", "ru", "phone"))


def bodies(desk: ConsoleDesk, ticket: dict[str, Any], author: str = "agent") -> list[str]:
    found = customers.messages(desk, ticket)
    return [one["body"] for one in found if one["author"]["kind"] == author and one["deleted_at"] is None]


def test_a_reply_appears_at_once_and_can_be_taken_back(open_page: Open, console_desk: ConsoleDesk) -> None:
    ticket = console_desk.telegram("The printer on floor three prints blank pages")
    page = ready(open_page(), f"/t/{ticket['number']}")

    page.keyboard.press("r")
    page.keyboard.type("Please open the front flap.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#conversation .mine:has-text('Please open the front flap.')")
    assert bodies(console_desk, ticket) == ["Please open the front flap."]
    assert page.locator("#text").input_value() == ""

    page.click(".mine:has-text('Please open') button:has-text('Take back')")
    page.wait_for_selector("#conversation .mine:has-text('Deleted')")
    assert bodies(console_desk, ticket) == []
    page.wait_for_function("document.getElementById('text').value === 'Please open the front flap.'")


def test_a_note_looks_like_a_note_and_reaches_colleagues_only(open_page: Open, console_desk: ConsoleDesk) -> None:
    ticket = console_desk.telegram("My badge does not open the north door")
    page = ready(open_page(), f"/t/{ticket['number']}")

    page.keyboard.press("n")
    page.locator("#text").type("Ask the **guard** first.")
    page.click("#composer button:has-text('Add note')")

    page.wait_for_selector("#conversation .note strong:has-text('guard')")
    [note] = [one for one in customers.messages(console_desk, ticket) if one["kind"] == "note"]
    assert note["deliveries"] == []


def test_a_reply_is_held_when_the_customer_wrote_meanwhile(open_page: Open, console_desk: ConsoleDesk) -> None:
    chat = 880_001
    ticket = console_desk.telegram("The invoice was charged twice", chat=chat)
    page = ready(open_page(), f"/t/{ticket['number']}")
    page.evaluate("document.documentElement.removeAttribute('data-tag')")  # no live update comes in between
    page.locator("#text").type("I refund one of them.")

    customers.write_again(console_desk, "Wait, it was charged three times.", chat=chat, ticket=ticket)
    page.keyboard.press("Control+Enter")

    page.wait_for_selector("#composer .held:has-text('Held.')")
    assert page.locator("#text").input_value() == "I refund one of them."
    assert bodies(console_desk, ticket) == []
    page.wait_for_selector("#conversation :text('three times')")
    page.click("#composer button:has-text('Send anyway')")
    page.wait_for_selector("#conversation .mine:has-text('I refund one of them.')")
    assert bodies(console_desk, ticket) == ["I refund one of them."]


def test_what_a_colleague_writes_appears_and_leaves_draft_and_focus(open_page: Open, console_desk: ConsoleDesk) -> None:
    ticket = console_desk.telegram("The stand-up call has no picture")
    page = ready(open_page(), f"/t/{ticket['number']}")
    page.locator("#text").type("half a sen")

    console_desk.ask("POST", f"/v1/tickets/{ticket['number']}/messages", {"kind": "note", "body": "From a colleague."})
    page.wait_for_selector("#conversation .note:has-text('From a colleague.')")
    page.keyboard.type("tence")

    assert page.locator("#text").input_value() == "half a sentence"


def test_one_reply_is_stored_when_the_network_answers_502_after_it(open_page: Open, console_desk: ConsoleDesk) -> None:
    ticket = console_desk.telegram("The shared drive is full")
    page = ready(open_page(), f"/t/{ticket['number']}")
    failures = iter([502, 503])

    def stumble(route: Any) -> None:
        status = next(failures, None)
        if status is None:
            route.continue_()
            return
        route.fetch()  # the desk has it, the answer is lost
        route.fulfill(status=status, body="")

    page.route(re.compile(r"/messages$"), stumble)
    page.locator("#text").type("I make room.")
    page.keyboard.press("Control+Enter")

    page.wait_for_selector("#conversation .mine:has-text('I make room.')")
    assert bodies(console_desk, ticket) == ["I make room."]


def test_a_failed_send_shows_its_reason_and_is_sent_again(open_page: Open, console_desk: ConsoleDesk) -> None:
    chat = 880_002
    ticket = console_desk.telegram("The lift is stuck", chat=chat)
    customers.block_bot(console_desk, chat)
    console_desk.ask("POST", f"/v1/tickets/{ticket['number']}/messages", {"kind": "reply", "body": "We are coming."})
    page = ready(open_page("manager"), f"/t/{ticket['number']}")

    page.wait_for_selector("#conversation .failed:has-text('Not delivered')")
    page.click(".failed button:has-text('Send again')")

    page.wait_for_selector("#conversation .mine:has-text('We are coming.') .tick:has-text('Sent')")


def test_a_transition_that_asks_shows_its_form_and_moves_the_ticket(open_page: Open, console_desk: ConsoleDesk) -> None:
    ticket = console_desk.telegram("How do I book a room")
    page = ready(open_page(), f"/t/{ticket['number']}")

    page.keyboard.press("e")

    page.wait_for_selector("#ticket-sub :text('Solved')")
    assert console_desk.ask("GET", f"/v1/tickets/{ticket['number']}")["category"] == "done"


def test_a_merge_moves_the_conversation_and_is_undone_by_its_toast(open_page: Open, console_desk: ConsoleDesk) -> None:
    source = console_desk.telegram("Second report of the broken coffee machine", chat=880_003)
    target = console_desk.telegram("The coffee machine is broken", chat=880_004)
    page = ready(open_page("manager"), f"/t/{source['number']}")

    page.click("summary[title*='All transitions'], [aria-label='All transitions']")
    page.click("button[data-dialog=merge]")
    page.fill("#merge-into", str(target["number"]))
    page.check("#merge input[type=checkbox]")
    page.click("#merge button:has-text('Merge')")
    page.wait_for_url(re.compile(rf"/t/{target['number']}"))
    page.wait_for_selector("#conversation :text('Second report')")

    page.click("#toasts button:has-text('Undo')")
    page.wait_for_selector("#toasts :text('Undone')")
    assert console_desk.ask("GET", f"/v1/tickets/{source['number']}")["merged_into"] is None


def test_assignment_priority_and_tags_change_beside_the_conversation(
    open_page: Open, console_desk: ConsoleDesk
) -> None:
    ticket = console_desk.telegram("The phone rings without an end")
    page = ready(open_page("manager"), f"/t/{ticket['number']}")
    page.locator("#text").type("a draft")

    page.select_option("#p-priority", "high")
    page.wait_for_selector("#toasts :text('Changed')")
    page.fill("#add-tag", "phone")
    page.keyboard.press("Enter")
    page.wait_for_selector("#side .chip:has-text('phone')")

    found = console_desk.ask("GET", f"/v1/tickets/{ticket['number']}")
    assert (found["priority"], found["tags"]) == ("high", ["phone"])
    assert page.locator("#text").input_value() == "a draft"


def test_reading_and_replying_work_without_scripts(open_page: Open, console_desk: ConsoleDesk) -> None:
    ticket = console_desk.telegram("The heating does not stop")
    page = open_page(scripts=False)
    page.goto(f"/t/{ticket['number']}")

    page.fill("#text", "Somebody comes today.")
    page.click("#composer button:has-text('Send to Ada')")

    page.wait_for_selector("#conversation .mine:has-text('Somebody comes today.')")
    assert bodies(console_desk, ticket) == ["Somebody comes today."]


def test_the_html_of_a_mail_runs_nothing_and_loads_nothing(open_page: Open, console_desk: ConsoleDesk) -> None:
    html = (
        "<p>Hello <b>desk</b></p><img src=https://tracker.example/p.png>"
        "<script>parent.document.title='x'</script><img src=x onerror=\"parent.document.title='y'\">"
        "<style>body{background:url(https://tracker.example/b)}</style>"
    )
    ticket = customers.mail(console_desk, "A mail with a tracker", html)
    page = ready(open_page(), f"/t/{ticket['number']}")

    frame = page.frame_locator("iframe.mail")
    frame.locator("b:has-text('desk')").wait_for()

    assert page.title().startswith(f"#{ticket['number']}")
    assert page.locator("[data-remote]").count() == 1


def test_a_stranger_to_the_team_finds_no_ticket(open_page: Open, console_desk: ConsoleDesk) -> None:
    page = open_page()

    assert page.goto("/t/999999").status == 404
    assert page.goto("/t/1?tab=nothing").status == 422


@pytest.mark.parametrize(("theme", "language", "size"), LOOKS)
def test_axe_finds_nothing_on_a_ticket_and_nothing_scrolls_sideways(
    open_page: Open, console_desk: ConsoleDesk, violations: Callable[[Any], Any], theme: str, language: str, size: str
) -> None:
    ticket = console_desk.telegram(f"The blinds of room {console_desk.number()} do not close")
    number = ticket["number"]
    console_desk.ask("POST", f"/v1/tickets/{number}/messages", {"kind": "note", "body": "A note with a `code`."})
    page = open_page("agent", theme=theme, language=language, size=size)
    found: dict[str, Any] = {}

    for address in (f"/t/{number}", f"/t/{number}?in=all&tab=history#details", f"/t/{number}/macros"):
        ready(page, address)
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[address] = [*violations(page), *(["scrolls sideways"] if wide else [])]

    assert {address: problems for address, problems in found.items() if problems} == {}
