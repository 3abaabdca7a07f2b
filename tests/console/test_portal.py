"""The portal in a browser: from the mail to a rated request, on a phone, with and without scripts."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.console.conftest import ready
from tests.console.desk_process import ConsoleDesk
from tests.services.waiting import wait_until

_LINK = re.compile(r"/portal/links/nsl_[A-Za-z0-9_-]+")


def mailed_link(desk: ConsoleDesk, address: str) -> str:
    """Wait for the mail to an address; the path of its link."""
    found: list[str] = []

    def arrives() -> bool:
        with urllib.request.urlopen(f"{desk.url}/sandbox/outbox?channel=email", timeout=20) as response:
            items = json.load(response)["items"]
        found.extend(
            match[0] for one in items if address in one["envelope_to"] and (match := _LINK.search(one["text"]))
        )
        return bool(found)

    wait_until(arrives, within_s=20.0, what=f"the mail to {address}")
    return found[-1]


def sign_in(page: Any, desk: ConsoleDesk) -> str:
    """Ask for a link and press the button on its page; the address."""
    address = f"ada{desk.number()}@example.com"
    page.goto("/portal")
    page.fill("#email", address)
    page.click("form.stack button[type=submit]")
    page.goto(mailed_link(desk, address))
    page.click("form.stack button[type=submit]")
    page.wait_for_url("**/portal")
    return address


def open_request(page: Any, title: str) -> int:
    """Open an incident by its form; its number."""
    page.goto("/portal/new/incident")
    page.fill("#title", title)
    page.fill("#description", "The display shows E-41.")
    page.click("form.stack > button[type=submit]")
    page.wait_for_url("**/portal/requests/*")
    return int(page.url.rpartition("/")[2])


@pytest.mark.parametrize("scripts", [True, False])
def test_a_requester_signs_in_by_mail_opens_a_request_and_reads_the_answer(
    open_page: Callable[..., Any], console_desk: ConsoleDesk, scripts: bool
) -> None:
    page = open_page(None, size="phone", scripts=scripts)
    sign_in(page, console_desk)

    # when: a request with a file, an internal note, an answer, and a message of the requester
    page.goto("/portal/new/incident")
    page.fill("#title", "Printer prints blank pages")
    page.fill("#description", "The display shows E-41.")
    picture = {"name": "display.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
    page.set_input_files("#files", picture)
    page.click("form.stack > button[type=submit]")
    page.wait_for_url("**/portal/requests/*")
    number = int(page.url.rpartition("/")[2])
    path = f"/v1/tickets/{number}/messages"
    console_desk.ask("POST", path, {"kind": "note", "body": "Internal words"})
    console_desk.ask("POST", path, {"kind": "reply", "body": "Push the lever."})
    page.fill("#body", "It clicked.")
    page.click(".answer button.primary")

    # then
    page.goto(f"/portal/requests/{number}")
    shown = page.locator("main").inner_text()
    assert "Push the lever." in shown
    assert "It clicked." in shown
    assert "Internal words" not in shown
    with page.expect_download() as download:
        page.get_by_text("display.png").click()
    assert download.value.suggested_filename == "display.png"
    bodies = [one["body"] for one in console_desk.ask("GET", path)["items"]]
    assert bodies.count("It clicked.") == 1


def test_what_was_typed_survives_a_reload_and_a_visit_that_ended(
    open_page: Callable[..., Any], console_desk: ConsoleDesk
) -> None:
    page = open_page(None, size="phone")
    sign_in(page, console_desk)
    number = open_request(page, "Scanner is slow")
    ready(page, f"/portal/requests/{number}")
    page.locator("#body").press_sequentially("A long story")

    page.reload()
    after_reload = page.input_value("#body")
    page.context.clear_cookies()
    page.click(".answer button.primary")
    page.wait_for_url("**/portal/sign-in")
    kept = page.evaluate("JSON.stringify({...sessionStorage})")

    assert after_reload == "A long story"
    assert "A long story" in kept


@pytest.mark.parametrize(("theme", "language", "size"), [("light", "en", "desk"), ("dark", "ru", "phone")])
def test_axe_finds_nothing_in_the_portal_and_no_page_scrolls_sideways(
    open_page: Callable[..., Any],
    violations: Callable[[Any], Any],
    console_desk: ConsoleDesk,
    theme: str,
    language: str,
    size: str,
) -> None:
    page = open_page(None, theme=theme, language=language, size=size)
    found: dict[str, Any] = {}

    def look(address: str) -> None:
        ready(page, address)
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[address] = [*violations(page), *(["scrolls sideways"] if wide else [])]

    look("/portal/sign-in")
    sign_in(page, console_desk)
    number = open_request(page, "A very long subject that does not fit into the head of a telephone")
    addresses = ("/portal", "/portal/new", "/portal/new/purchase", "/portal/new/access-request")
    for address in (*addresses, f"/portal/requests/{number}", "/portal/requests/999999"):
        look(address)

    assert {address: problems for address, problems in found.items() if problems} == {}
