"""Addresses and cookies of the console, without a desk."""

from __future__ import annotations

import pytest

from functions.console.frame import cookies, pages
from models.kernel.settings import Settings


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "/\\evil.test", "/\t/evil.test", "evil"])
def test_the_page_after_a_sign_in_is_one_of_this_desk(target: str) -> None:
    assert pages.own_address(target) == "/"


def test_over_https_the_cookies_belong_to_this_host_alone() -> None:
    config = Settings(secret_key="a key of forty-two characters for the test", public_url="https://desk.example.org")

    made = cookies.made(cookies.ACCESS, "x", config, max_age_s=1)

    assert made.startswith("__Host-nestor_access=x; Path=/;")
    assert "; Secure" in made
    assert "Domain" not in made
