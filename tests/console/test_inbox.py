"""The inbox: the list, its keys, search and filters, bulk changes, and what others do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from scripts.sandbox.client import SandboxClient
from tests.console.conftest import ready
from tests.console.desk_process import ConsoleDesk

PRESS = (
    "([key, code]) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, code, bubbles: true}))"
)


def focused_row(page: Any) -> str:
    return str(page.evaluate("document.activeElement.closest('li')?.dataset.number ?? ''"))


def test_keys_move_through_the_list_on_a_latin_and_on_a_cyrillic_keyboard(
    open_page: Callable[..., Any], console_desk: ConsoleDesk
) -> None:
    # given
    numbers = [str(console_desk.telegram(f"Keys {n}, a ticket to walk over")["number"]) for n in (1, 2)]
    page = ready(open_page("agent"), "/inbox/all?q=walk&sort=created_at")

    # when, then: j on a Latin keyboard, the same key on ЙЦУКЕН, and back by k of both
    page.keyboard.press("j")
    assert focused_row(page) == numbers[0]
    page.evaluate(PRESS, ["о", "KeyJ"])
    assert focused_row(page) == numbers[1]
    page.evaluate(PRESS, ["л", "KeyK"])
    assert focused_row(page) == numbers[0]
    # A slash is Shift and a full stop's key on AZERTY; the character counts.
    page.evaluate(PRESS, ["/", "Period"])
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("j")
    assert page.input_value("#q").endswith("j"), "a letter in a field is text"


def test_keys_of_one_letter_can_be_switched_off(open_page: Callable[..., Any], console_desk: ConsoleDesk) -> None:
    console_desk.telegram("Switched off keys")
    page = ready(open_page("agent"), "/me")
    page.select_option("#keys", "off")
    page.locator("form", has=page.locator("#keys")).get_by_role("button", name="Save").click()

    ready(page, "/inbox/all?q=switched")
    page.keyboard.press("j")
    assert focused_row(page) == ""
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette input")


def test_a_bulk_change_is_previewed_done_and_undone(open_page: Callable[..., Any], console_desk: ConsoleDesk) -> None:
    # given
    tickets = [console_desk.telegram(f"Bulk {n}, the projector hums") for n in (1, 2)]
    page = ready(open_page("agent"), "/inbox/all?q=projector")

    # when: both are chosen and assigned by keys
    page.keyboard.press("j")
    page.keyboard.press("Shift+ArrowDown")
    assert page.locator("#bulk-count").inner_text() == "2 chosen"
    page.keyboard.press("a")
    page.keyboard.press("i")
    page.get_by_role("button", name="Change 2 tickets").press("Enter")

    # then: the list shows it, and the toast takes it back
    page.get_by_text("2 tickets are being changed").wait_for()
    page.locator("#rows .av:not(.none)").nth(1).wait_for()
    shown = [console_desk.ask("GET", f"/v1/tickets/{one['id']}")["assignee"]["name"] for one in tickets]
    assert shown == ["Olga Agent", "Olga Agent"]
    page.keyboard.press("z")
    page.get_by_text("2 tickets are being restored").wait_for()
    page.locator("#rows .av.none").nth(1).wait_for()


def test_a_bulk_change_works_without_scripts_and_names_the_tickets_that_refuse_it(
    open_page: Callable[..., Any], console_desk: ConsoleDesk
) -> None:
    # given: one ticket can be closed by nobody yet
    number = console_desk.telegram("Quiet, a scanner without a lamp")["number"]
    page = open_page("manager", scripts=False)
    page.goto("/inbox/all?q=scanner")

    # when
    page.get_by_label(f"Select #{number}").check(force=True)
    page.locator("summary[title=Priority]").click()
    page.get_by_role("button", name="Urgent").click()
    assert page.get_by_role("heading", name="Priority: Urgent").is_visible()
    page.get_by_role("button", name="Change 1 ticket").click()

    # then
    assert page.get_by_text("1 ticket is being changed").is_visible()


def test_a_new_ticket_waits_while_the_pointer_is_on_the_list_and_comes_by_the_pill(
    open_page: Callable[..., Any], console_desk: ConsoleDesk
) -> None:
    # given: the pointer rests on a row
    console_desk.telegram("Elevator one is slow")
    page = ready(open_page("agent"), "/inbox/all?q=elevator&sort=-created_at")
    first = page.locator("#rows li").first
    first.hover()
    before = first.bounding_box()

    # when: another ticket comes in
    console_desk.telegram("Elevator two is stuck")
    page.evaluate("dispatchEvent(new Event('focus'))")
    pill = page.locator("#news")
    pill.get_by_text("1 new").wait_for()

    # then: the row stays under the pointer until the person asks
    assert first.bounding_box() == before
    assert page.locator("#rows li").count() == 1
    pill.click()
    assert "Elevator two" in page.locator("#rows li").first.inner_text()


def test_search_filters_and_order_are_in_the_address_and_a_wrong_operator_says_what_there_is(
    open_page: Callable[..., Any], console_desk: ConsoleDesk
) -> None:
    number = console_desk.telegram("Lanyard lost in the hall")["number"]
    console_desk.ask("PATCH", f"/v1/tickets/{number}", {"priority": "urgent"}, If_Match="*")
    page = ready(open_page("agent"), "/inbox/all")

    # when: a person searches and adds a filter
    page.keyboard.press("/")
    page.keyboard.type("lanyard is:open")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/all?q=lanyard*")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("link", name="Urgent", exact=True).click()

    # then: both are in the address, and a chip takes the filter away
    page.wait_for_url("**priority=urgent*")
    assert page.locator("#rows li").count() == 1
    page.get_by_label("Remove the filter priority:urgent").click()
    page.wait_for_url(lambda address: "priority" not in address)

    ready(page, "/inbox/all?q=stat:open")
    assert page.get_by_text("This list cannot be shown.").is_visible()
    assert "state" in page.locator("#rows").inner_text()


def test_a_reply_that_was_not_delivered_is_red_in_the_list_with_its_reason(
    open_page: Callable[..., Any], console_desk: ConsoleDesk
) -> None:
    # given: the provider refuses the reply
    ports = json.loads((console_desk.folder.path / "var" / "sandbox" / "ports.json").read_text(encoding="utf-8"))
    sandbox = SandboxClient(f"http://127.0.0.1:{ports['control_port']}")
    ticket = console_desk.telegram("Refused, the answer comes back", chat=990_001)
    sandbox.fail("403", method="sendMessage", chat_id=990_001)
    console_desk.ask("POST", f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": "Hello"})

    # when
    page = ready(open_page("agent"), "/inbox/failed_sends?q=refused")
    row = page.locator("#rows li", has_text="Not delivered:")
    for _ in range(100):
        if row.count():
            break
        page.wait_for_timeout(100)
        page.reload()

    # then
    assert row.locator(".fail").is_visible()
    colour = row.locator(".fail").evaluate("element => getComputedStyle(element).color")
    assert colour == "rgb(179, 38, 30)"
