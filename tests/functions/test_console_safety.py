"""Sign-ins and the safety of an account in the console: a second step, a new password, an OpenID provider."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from functions.console.frame import cookies
from tests.desk import Desk
from tests.functions.browser import Browser
from tests.functions.callers import PASSWORD, sqlite_only
from tests.functions.openid_provider import configure, lying_provider
from tests.models.credentials.steps import App

pytestmark = sqlite_only
NEW = "a quite unusual sentence of a test"


def _secret(page: str) -> str:
    found = re.search(r'name="secret" value="([A-Z2-7]+)"', page)
    assert found is not None
    return found[1]


def test_an_app_is_added_by_the_password_and_the_next_sign_in_asks_for_it(console: Any, desk: Desk) -> None:
    # given: a wrong password adds nothing
    browser = Browser(console).sign_in()
    refused = browser.post("/me/second-factor", {"csrf": browser.token(), "password": "wrong"})
    assert "The password is wrong." in browser.get(refused.headers["location"]).text

    # when
    secret = _secret(browser.post("/me/second-factor", {"csrf": browser.token(), "password": PASSWORD}).text)
    form = {"csrf": browser.token(), "secret": secret}
    wrong = browser.post("/me/second-factor/confirmation", {**form, "code": "000000"})
    added = browser.post("/me/second-factor/confirmation", {**form, "code": App(secret).code()})

    # then
    assert "The code is wrong" in wrong.text
    assert _secret(wrong.text) == secret
    assert added.text.count("<code>") == 10
    desk.advance(minutes=1)
    other = Browser(console)
    asked = other.post("/sign-in", {"email": "agent@example.test", "password": PASSWORD, "next": "/me"})
    assert cookies.ACCESS not in other.jar
    challenge = re.search(r'name="challenge" value="([^"]+)"', asked.text)
    assert challenge is not None
    proved = other.post(
        "/sign-in/second-factor", {"challenge": challenge[1], "code": App(secret).code(), "kind": "totp", "next": "/me"}
    )
    assert (proved.status_code, proved.headers["location"]) == (303, "/me")
    assert cookies.ACCESS in other.jar


def test_a_new_password_signs_the_other_browsers_out(console: Any, desk: Desk) -> None:
    browser, other = Browser(console).sign_in(), Browser(console).sign_in()

    browser.post("/me/password", {"csrf": browser.token(), "current": PASSWORD, "new": NEW})

    assert "Password changed." in browser.get("/me").text
    assert other.get("/me").status_code == 303


def test_a_user_signs_in_by_the_provider_and_comes_back_to_the_page(
    console: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lying_provider() as provider:
        configure(monkeypatch, provider.issuer, OIDC_LINK_BY_EMAIL="true")
        browser = Browser(console)
        assert "Company sign-in" in browser.get("/sign-in").text

        # when
        begun = browser.get("/sign-in/company?next=/inbox/waiting")
        back = urlencode(provider.authorize(begun.headers["location"]))
        stranger = Browser(console).get(f"/oidc/callback?{back}")
        landed = browser.get(f"/oidc/callback?{back}")
        again = browser.get(f"/oidc/callback?{back}")

    # then: only the browser that began, and once
    assert begun.headers["location"].startswith(f"{provider.issuer}/authorize?")
    assert stranger.status_code == 401
    assert "The company sign-in was refused." in stranger.text
    assert (landed.status_code, landed.headers["location"]) == (303, "/inbox/waiting")
    assert browser.get("/inbox/waiting").status_code == 200
    assert again.status_code == 401
