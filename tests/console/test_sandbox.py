"""The sandbox: the first five minutes of a newcomer, from the address of the desk to a resolved ticket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from functions.console import app
from models.kernel.settings import Settings
from tests.console.conftest import ready
from tests.console.desk_process import ConsoleDesk


def test_a_newcomer_goes_from_the_start_to_a_resolved_ticket(open_page: Callable[..., Any]) -> None:
    # given: a browser without a session
    page = ready(open_page(None), "/")
    assert page.url.endswith("/sandbox")
    assert "Olga" in page.inner_text(".cast [aria-pressed=true]")

    # when: Ada writes on the phone
    page.click(".hints button")
    page.wait_for_selector(".bub:not(.out):has-text('Hello Ada')")
    page.wait_for_selector("#steps li:nth-child(1).done")
    page.wait_for_selector("#trace li:has-text('ingest_event'):has-text('ms')")

    # when: Olga answers in the inbox
    page.click("#next a")
    page.wait_for_selector("html[data-ready] #composer")
    page.fill("#text", "Please open the front flap.")
    page.click("#composer button:has-text('Send to Ada')")
    page.wait_for_selector(".mine:has-text('Please open the front flap.')")
    ticket = page.url
    ready(page, "/sandbox")

    # then: the answer arrives on the phone, and its steps tick
    page.wait_for_selector(".bub:not(.out):has-text('Please open the front flap.')", timeout=30_000)
    page.wait_for_selector("#steps li:nth-child(3).done")

    # when: Olga resolves the ticket
    ready(page, ticket)
    page.click("button[data-key=e]")
    page.wait_for_selector("button[data-key=e]:has-text('Resolve')", state="detached")
    ready(page, "/sandbox")

    # then
    page.wait_for_selector("#steps li:nth-child(4).done")


def test_one_press_makes_another_person_of_the_visitor(open_page: Callable[..., Any]) -> None:
    page = ready(open_page(None), "/sandbox")

    page.click(".cast button:has-text('Mira')")
    page.wait_for_selector(".cast [aria-pressed=true]:has-text('Mira')")

    ready(page, "/me")
    assert "Mira" in page.inner_text("#nav .me")


def test_a_mail_of_grace_opens_a_ticket_and_its_acknowledgement_arrives(
    open_page: Callable[..., Any], console_desk: ConsoleDesk
) -> None:
    page = ready(open_page("agent"), "/sandbox")

    page.fill("#mail-subject", "The lift between floors is stuck")
    page.fill("#mail-body", "Please hurry.")
    page.click("button:has-text('Send the mail')")

    ticket = console_desk.ticket_of("The lift between floors is stuck")
    assert ticket["channel"] == "email"
    page.wait_for_selector(f"#mails summary:has-text('[#{ticket['number']}]')", timeout=30_000)


def test_a_channel_is_broken_and_mended_by_a_press(open_page: Callable[..., Any], console_desk: ConsoleDesk) -> None:
    page = ready(open_page("agent"), "/sandbox")

    page.fill("#say", "A message to answer")
    page.press("#say", "Enter")
    page.wait_for_selector(".bub.out:has-text('A message to answer')")
    number = page.locator("#next a").get_attribute("href").rpartition("/")[2]

    page.click("#switches button[aria-label*='Telegram']")
    page.wait_for_selector("#switches button[aria-label^='Mend'][aria-label*='Telegram']", timeout=30_000)
    console_desk.ask("POST", f"/v1/tickets/{number}/messages", {"kind": "reply", "body": "It does not arrive."})
    page.wait_for_selector("#trace li.bad:has-text('telegram')", timeout=30_000)

    page.click("#switches button[aria-label^='Mend']")
    page.wait_for_selector("#switches button[aria-label^='Break'][aria-label*='Telegram']")


@pytest.mark.parametrize(("sandbox_url", "exists"), [("", False), ("http://127.0.0.1:9", True)])
def test_the_sandbox_has_addresses_in_the_demo_only(sandbox_url: str, exists: bool) -> None:
    config = Settings(
        secret_key="a key of forty-two characters for the test",
        database_url="sqlite:///:memory:",
        sandbox_url=sandbox_url,
    )

    paths = {operation.path for operation in app.operations(config).all}

    assert {"/sandbox", "/sandbox/phone", "/sandbox/role", "/sandbox/start"} <= paths or not exists
    assert any(path.startswith("/sandbox") for path in paths) is exists
