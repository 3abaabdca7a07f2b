"""The console without a browser: who gets in, what a form must prove, and what its answers say to browsers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from functions.console.frame import cookies, session
from functions.console.frame.cookies import Toast
from models.identity.sign_in import tokens
from models.kernel import settings
from tests.desk import Desk
from tests.functions.browser import Browser
from tests.functions.callers import DEMO_KEY, PASSWORD, sqlite_only

pytestmark = sqlite_only


@pytest.fixture
def browser(console: Any) -> Browser:
    return Browser(console)


def test_a_stranger_is_led_to_the_door_and_back_to_the_page(browser: Browser) -> None:
    result = browser.get("/inbox/mine?priority=high")

    assert result.status_code == 303
    assert result.headers["location"] == "/sign-in?next=/inbox/mine%3Fpriority%3Dhigh"


def test_a_session_is_in_cookies_that_scripts_and_other_sites_do_not_get(browser: Browser) -> None:
    form = {"email": "agent@example.test", "password": PASSWORD}
    result = browser.post("/sign-in", form)

    assert result.cookies.keys() >= {cookies.ACCESS, cookies.REFRESH, cookies.DEVICE}
    assert all(one.http_only and one.same_site == "Lax" for one in result.cookies.values())


def test_a_form_needs_the_token_of_its_session_and_the_browsers_word_that_it_is_ours(
    console: Any, browser: Browser
) -> None:
    # given: two people
    browser.sign_in()
    other = Browser(console).sign_in("manager")
    token = browser.token()

    # when, then
    refused = [
        browser.post("/me/sessions", {}),
        browser.post("/me/sessions", {"csrf": "AAAA"}),
        browser.post("/me/sessions", {"csrf": other.token()}),
        browser.post("/me/sessions", {"csrf": token}, headers={"Sec-Fetch-Site": "cross-site"}),
        browser.post("/me/sessions", {"csrf": token}, headers={"Sec-Fetch-Site": "same-site"}),
        browser.post("/me/sessions", {"csrf": token}, headers={"Origin": "https://evil.test"}),
        browser.post("/me/sessions", {"csrf": token}, headers={"Origin": "null"}),
        browser.post("/me/sessions", {"csrf": token}, headers={}),
    ]
    assert [result.status_code for result in refused] == [403] * len(refused)
    assert browser.post("/me/sessions", {"csrf": token}).status_code == 303
    assert (
        browser.post("/me/sessions", {"csrf": token}, headers={"Origin": "http://falconframework.org"}).status_code
        == 303
    )


def test_another_site_cannot_sign_a_browser_in(browser: Browser) -> None:
    form = {"email": "agent@example.test", "password": PASSWORD}

    assert browser.post("/sign-in", form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_tokens_of_forms_differ_on_each_page(browser: Browser) -> None:
    browser.sign_in()

    assert browser.token() != browser.token()


def test_an_api_key_in_the_cookie_is_no_session(browser: Browser) -> None:
    browser.jar[cookies.ACCESS] = DEMO_KEY

    assert browser.get("/me").status_code == 303


def test_an_expired_access_token_is_renewed_and_the_page_answers(browser: Browser, desk: Desk) -> None:
    # given
    browser.sign_in()
    before = browser.jar[cookies.ACCESS]

    # when
    desk.advance(minutes=20)

    # then
    assert browser.get("/me").status_code == 200
    assert browser.jar[cookies.ACCESS] != before


def test_signing_out_ends_the_session_for_a_copy_of_the_cookies_as_well(console: Any, browser: Browser) -> None:
    browser.sign_in()
    copy = Browser(console)
    copy.jar = dict(browser.jar)

    browser.post("/sign-out", {"csrf": browser.token()})

    assert copy.get("/me").status_code == 303
    assert cookies.ACCESS not in browser.jar


def test_a_page_needs_the_permission_that_the_api_asks_for(browser: Browser) -> None:
    browser.sign_in("accountant")

    result = browser.get("/inbox/mine")

    assert result.status_code == 403
    assert "You may not do this" in result.text
    assert browser.get("/").headers["location"] == "/me"


def test_every_answer_forbids_inline_scripts_and_frames_and_says_where_forms_may_go(browser: Browser) -> None:
    browser.sign_in()

    for path in ("/sign-in", "/inbox/mine", "/nowhere"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"


def test_files_are_kept_for_a_year_and_only_under_the_hash_of_their_release(browser: Browser) -> None:
    address = re.search(r'href="(/static/[^"]+\.css)"', browser.get("/sign-in").text)
    assert address is not None

    plain = browser.get(address[1])
    packed = browser.get(address[1], **{"Accept-Encoding": "gzip"})
    known = browser.get(address[1], **{"If-None-Match": plain.headers["etag"]})

    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    assert (known.status_code, known.content) == (304, b"")
    assert browser.get("/static/000000000000/console.css").status_code == 404
    assert browser.get("/static/000000000000/..%2f..%2fapp.py").status_code == 404


def test_a_list_is_not_rendered_again_while_nothing_happened(browser: Browser, desk: Desk) -> None:
    # given
    browser.sign_in()
    shown = re.search(r'data-tag="([^"]+)"', browser.get("/inbox/all").text)
    assert shown is not None

    # when, then
    tag = f'"{shown[1]}"'
    assert browser.get("/inbox/all", **{"If-None-Match": tag}).status_code == 304
    desk.receive_telegram("The printer is on fire.")
    desk.run_due()
    assert browser.get("/inbox/all", **{"If-None-Match": tag}).status_code == 200


def test_texts_of_customers_are_text_in_the_list(browser: Browser, desk: Desk) -> None:
    desk.receive_telegram("<script>alert(1)</script> & <b>bold</b>", name='"><img src=x>')
    desk.run_due()

    page = browser.sign_in().get("/inbox/all").text

    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_message_for_the_next_page_is_shown_once_and_only_if_the_desk_wrote_it(browser: Browser) -> None:
    browser.sign_in()
    config = settings.current()
    own = cookies.toast(Toast("Saved by a test"), config).partition("=")[2].partition(";")[0]

    browser.jar[cookies.TOAST] = own
    assert "Saved by a test" in browser.get("/me").text
    assert "Saved by a test" not in browser.get("/me").text
    browser.jar[cookies.TOAST] = own[:-4] + "0000"
    assert "Saved by a test" not in browser.get("/me").text


def test_the_style_guide_is_in_the_demo_only(browser: Browser) -> None:
    assert browser.sign_in().get("/styleguide").status_code == 404


def test_a_script_that_is_signed_out_gets_a_problem_and_no_page(browser: Browser) -> None:
    result = browser.get("/inbox/all", Accept="text/html, application/json")

    assert result.status_code == 401
    assert result.json["code"] == "unauthenticated"


def test_a_form_that_is_sent_twice_has_one_effect(browser: Browser, desk: Desk) -> None:
    # given
    desk.receive_telegram("The printer is on fire.")
    desk.run_due()
    browser.sign_in()
    [ticket] = re.findall(r'data-ticket="([^"]+)"', browser.get("/inbox/all").text)
    form = {"csrf": browser.token(), "once": "a-name", "act": "priority:high", "ticket": ticket, "next": "/inbox/all"}

    # when: the answer was lost, and the browser sends the form again with a fresh token
    first = browser.post("/inbox/bulk", form)
    again = browser.post("/inbox/bulk", {**form, "csrf": browser.token()})

    # then
    assert (first.status_code, again.status_code) == (303, 303)
    assert len([kind for kind in _kinds(desk) if kind == "apply_bulk_change"]) == 1


def _kinds(desk: Desk) -> list[str]:
    return [str(row["kind"]) for row in desk.tasks("ready")]


def test_the_tokens_of_the_api_and_of_the_console_are_the_same_sessions(browser: Browser) -> None:
    browser.sign_in()

    assert tokens.authenticate(browser.jar[cookies.ACCESS], settings.current()).name == "Olga Agent"
    assert session.FIELD == "csrf"
