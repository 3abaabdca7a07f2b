"""The browser and the desk of the console's tests. All tests share one desk, so each makes what it looks at.

A page fails its test when a script raises, when the browser reports an error (such as a violation of the CSP), and when
it asks another host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.desk_process import PASSWORD, ConsoleDesk

SIZES = {"desk": (1440, 900), "laptop": (1180, 800), "phone": (360, 740)}
# What a test provokes on purpose: the browser reports each answer of an error as an error.
_EXPECTED = ("the server responded with a status of",)
_WAIT_MS = 15_000  # a machine under load; a page takes 0.1 s
RULES = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice")


@pytest.fixture(scope="session")
def console_desk() -> Iterator[ConsoleDesk]:
    with ConsoleDesk() as desk:
        yield desk


@pytest.fixture(scope="session")
def signed_in(browser: Any, console_desk: ConsoleDesk) -> Callable[[str], Any]:
    """The cookies of a role, after one sign-in by the form for all tests."""
    kept: dict[str, Any] = {}

    def state_of(role: str) -> Any:
        if role not in kept:
            context = browser.new_context(base_url=console_desk.url)
            page = context.new_page()
            page.goto("/sign-in")
            page.fill("#email", f"{role}@example.test")
            page.fill("#password", PASSWORD)
            page.click("form.stack button[type=submit]")
            page.wait_for_url(lambda address: "/sign-in" not in address)
            kept[role] = context.storage_state()
            context.close()
        return kept[role]

    return state_of


@pytest.fixture
def open_page(browser: Any, console_desk: ConsoleDesk, signed_in: Callable[[str], Any]) -> Iterator[Callable[..., Any]]:
    """Makes a page of a browser of its own: `role` (None: signed out), `size`, `theme`, `language`, `scripts`."""
    contexts: list[Any] = []
    faults: list[str] = []

    def make(
        role: str | None = "agent",
        *,
        size: str = "desk",
        theme: str = "light",
        language: str = "en",
        scripts: bool = True,
        **more: Any,
    ) -> Any:
        width, height = SIZES[size]
        context = browser.new_context(
            base_url=console_desk.url,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            color_scheme=theme,
            locale="ru-RU" if language == "ru" else "en-GB",
            java_script_enabled=scripts,
            storage_state=signed_in(role) if role is not None else None,
            **more,
        )
        contexts.append(context)
        context.set_default_timeout(_WAIT_MS)

        def refuse(route: Any) -> None:
            faults.append(f"a request to {route.request.url}")
            route.abort()

        context.route(lambda address: not address.startswith((console_desk.url, "data:")), refuse)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"a script raised {error}"))
        page.on("console", lambda line: faults.append(line.text) if _is_fault(line) else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


def _is_fault(line: Any) -> bool:
    return line.type == "error" and not any(text in line.text for text in _EXPECTED)


def ready(page: Any, address: str) -> Any:
    """Open an address and wait until its scripts run."""
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return page


@pytest.fixture(scope="session")
def violations() -> Callable[[Any], list[tuple[str, list[str]]]]:
    """Finds what axe-core has to say about a page: rule and elements."""
    import axe_playwright_python

    source = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

    def find(page: Any) -> list[tuple[str, list[str]]]:
        page.evaluate(source)  # the CSP does not stop evaluate()
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", list(RULES))
        return [(one["id"], [node["target"][0] for node in one["nodes"]][:4]) for one in found["violations"]]

    return find
