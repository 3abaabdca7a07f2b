"""axe-core finds nothing on any page, in both themes and languages; no page scrolls sideways on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.console.conftest import ready
from tests.console.desk_process import ConsoleDesk

PAGES = ("/inbox/all", "/inbox/snoozed", "/me", "/palette?q=printer", "/more", "/nowhere", "/styleguide", "/sandbox")
LOOKS = (("light", "en", "desk"), ("dark", "ru", "phone"))


@pytest.fixture(scope="module", autouse=True)
def some_tickets(console_desk: ConsoleDesk) -> None:
    console_desk.telegram("The printer on the third floor prints blank pages")


@pytest.mark.parametrize(("theme", "language", "size"), LOOKS)
def test_axe_finds_nothing_and_no_page_scrolls_sideways(
    open_page: Callable[..., Any], violations: Callable[[Any], Any], theme: str, language: str, size: str
) -> None:
    page = open_page("agent", theme=theme, language=language, size=size)
    stranger = open_page(None, theme=theme, language=language, size=size)
    found: dict[str, Any] = {}

    for where, address in [*((page, address) for address in PAGES), (stranger, "/sign-in")]:
        ready(where, address)
        wide = where.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[address] = [*violations(where), *(["scrolls sideways"] if wide else [])]

    assert {address: problems for address, problems in found.items() if problems} == {}
