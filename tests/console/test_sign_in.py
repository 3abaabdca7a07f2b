"""Signing in and out in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.console.conftest import ready
from tests.console.desk_process import PASSWORD


def test_a_wrong_password_keeps_the_address_and_a_right_one_leads_to_the_page_that_was_asked_for(
    open_page: Callable[..., Any],
) -> None:
    # given: somebody opens a page without a session
    page = open_page(None)
    ready(page, "/inbox/waiting")
    assert "/sign-in" in page.url

    # when
    page.fill("#email", "agent@example.test")
    page.fill("#password", "a wrong one")
    page.click("form.stack button[type=submit]")

    # then
    assert page.get_by_text("E-mail and password do not match.").is_visible()
    assert page.input_value("#email") == "agent@example.test"
    page.fill("#password", PASSWORD)
    page.click("form.stack button[type=submit]")
    page.wait_for_url("**/inbox/waiting")


def test_signing_in_and_out_works_without_scripts_and_a_signed_out_browser_is_a_stranger(
    open_page: Callable[..., Any],
) -> None:
    page = open_page(None, scripts=False)
    page.goto("/sign-in")

    # when: the demo offers each role by one press
    page.get_by_role("button", name="manager").click()
    page.goto("/me")
    page.get_by_role("button", name="Sign out", exact=True).first.click()

    # then
    page.goto("/inbox")
    assert "/sign-in" in page.url
