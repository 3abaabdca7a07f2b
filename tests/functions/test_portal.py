"""The portal over HTTP: who gets in, what a stranger and a foreign form get, and what a refused form keeps."""

from __future__ import annotations

import re
from typing import Any

import pytest
from falcon import testing

from functions.console.portal.visits import COOKIE
from models.definitions import store
from models.kernel import settings
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.ticket_actions import answering
from tests.desk import Desk
from tests.functions.callers import sqlite_only
from tests.functions.conftest import sign_in
from tests.functions.portal_guest import Guest
from tests.models.portal.visiting import ADA, count, mailed

pytestmark = sqlite_only


@pytest.fixture
def console(desk: Desk) -> Any:
    from functions.console.app import create_app

    return create_app()


@pytest.fixture
def guest(console: Any) -> Guest:
    return Guest(console)


def test_a_scanner_that_opens_the_link_signs_nobody_in_and_a_press_does(desk: Desk, guest: Guest) -> None:
    (token,) = mailed(desk)

    opened = [guest.get(f"/portal/links/{token}") for _ in range(3)]
    session_before = count(desk, "portal_sessions")
    pressed = guest.post("/portal/links", token=token)

    assert {one.status_code for one in opened} == {200}
    assert all(COOKIE not in one.cookies for one in opened)
    assert ADA in opened[0].text
    assert session_before == 0
    assert (pressed.status_code, pressed.headers["location"]) == (303, "/portal")
    assert guest.get("/portal").status_code == 200
    assert guest.post("/portal/links", token=token).status_code == 409


def test_the_session_is_a_new_one_out_of_reach_of_scripts_and_other_sites(
    desk: Desk, guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    (token,) = mailed(desk)
    guest.session = "chosen-by-somebody-else"

    set_cookie = guest.post("/portal/links", token=token).headers["set-cookie"]

    assert "chosen-by-somebody-else" not in set_cookie
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(set_cookie.split("; "))
    monkeypatch.setenv("PUBLIC_URL", "https://desk.example.org")
    settings.current.cache_clear()
    (token,) = mailed(desk, "grace@example.com")
    secure = guest.post("/portal/links", token=token).headers["set-cookie"]
    assert secure.startswith("__Host-")
    assert "Secure" in secure.split("; ")


def test_a_known_and_an_unknown_address_get_the_same_answer(desk: Desk, guest: Guest) -> None:
    desk.receive_email(sender=f"Ada <{ADA}>")
    desk.run_due()

    known = guest.post("/portal/sign-in", email=ADA)
    unknown = guest.post("/portal/sign-in", email="bob@example.com")

    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.text.replace(ADA, "") == unknown.text.replace("bob@example.com", "")
    assert known.headers.keys() == unknown.headers.keys()


@pytest.mark.parametrize("path", ["/portal", "/portal/new", "/portal/new/question", "/portal/requests/1"])
def test_a_page_without_a_session_leads_to_the_sign_in(guest: Guest, path: str) -> None:
    for session in (None, "x" * 43):
        guest.session = session
        found = guest.get(path)

        assert (found.status_code, found.headers["location"]) == (303, "/portal/sign-in")


def test_a_users_session_opens_nothing_of_the_portal(guest: Guest, gateway: Any) -> None:
    _, tokens = sign_in(gateway, "agent@example.test")
    client = testing.TestClient(guest._client.app)
    cookie = f"nestor_access={tokens['access_token']}; nestor_refresh={tokens['refresh_token']}"

    assert client.simulate_get("/portal", headers={"Cookie": cookie}).status_code == 303


def test_a_visitors_session_opens_nothing_of_the_console(desk: Desk, guest: Guest) -> None:
    guest.sign_in(desk)
    client = testing.TestClient(guest._client.app)
    cookie = f"{COOKIE}={guest.session}; nestor_access={guest.session}; nestor_refresh={guest.session}"

    assert client.simulate_get("/inbox", headers={"Cookie": cookie}).status_code in (303, 401)


def test_another_requesters_request_and_file_look_like_none(desk: Desk, console: Any) -> None:
    ada, grace = Guest(console).sign_in(desk), Guest(console).sign_in(desk, "grace@example.com")
    number = ada.open_request(desk)
    csrf = grace.csrf("/portal/new/question")
    foreign = f"/portal/requests/{number}"

    found = [
        grace.get(foreign),
        grace.get(f"{foreign}/files/00000000-0000-7000-8000-000000000000"),
        grace.post(f"{foreign}/messages", csrf=csrf, body="Let me in"),
        grace.post(f"{foreign}/transitions", csrf=csrf, transition="withdraw"),
        grace.post(f"{foreign}/rating", csrf=csrf, score="1"),
        grace.get("/portal/requests/999999"),
        grace.get("/portal/requests/x"),
        grace.get("/portal/requests/" + "9" * 400),
    ]

    assert {one.status_code for one in found} == {404}
    assert "Printer" not in "".join(one.text for one in found) + grace.get("/portal").text
    assert ada.get(foreign).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/portal/sign-in", {"email": ADA}),
        ("/portal/links", {"token": "x"}),
        ("/portal/sign-out", {}),
        ("/portal/new/question", {"title": "x", "description": "y"}),
        ("/portal/requests/1/messages", {"body": "x"}),
        ("/portal/requests/1/transitions", {"transition": "withdraw"}),
        ("/portal/requests/1/rating", {"score": "5"}),
    ],
)
def test_a_form_of_another_site_does_nothing(desk: Desk, guest: Guest, path: str, fields: dict[str, str]) -> None:
    guest.sign_in(desk)
    before = guest.session

    found = guest.post_from_elsewhere(path, **fields)

    assert found.status_code == 403
    assert guest.session == before
    assert guest.get("/portal").status_code == 200
    assert count(desk, "tickets") == 0


def test_a_form_needs_the_token_of_its_own_session(desk: Desk, console: Any) -> None:
    ada, grace = Guest(console).sign_in(desk), Guest(console).sign_in(desk, "grace@example.com")
    stolen = grace.csrf("/portal/new/question")

    for csrf in ("", "x", stolen):
        found = ada.post("/portal/new/question", csrf=csrf, title="x", description="y", shown="product")
        assert found.status_code == 403
    parts: list[tuple[str, str | None, bytes]] = [("file", "a.png", b"png"), ("csrf", None, stolen.encode())]
    assert ada.post_parts("/portal/new/question", parts).status_code == 403
    assert (count(desk, "tickets"), count(desk, "attachments")) == (0, 0)


def test_a_request_with_a_file_is_opened_once_however_often_its_form_is_sent(desk: Desk, guest: Guest) -> None:
    guest.sign_in(desk)
    csrf = guest.csrf("/portal/new/question")
    parts: list[tuple[str, str | None, bytes]] = [
        ("csrf", None, csrf.encode()),
        ("once", None, b"o-1"),
        ("title", None, b"Printer"),
        ("description", None, "Blank pages — again".encode()),
        ("shown", None, b"product"),
        ("f.product", None, b"HP-204"),
        ("file", "", b""),
        ("file", "display.png", b"\x89PNG\r\n\x1a\n"),
    ]

    first, second = (guest.post_parts("/portal/new/question", parts) for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    [ticket] = desk.tickets()
    assert (ticket.title, ticket.fields["product"], ticket.channel) == ("Printer", "HP-204", "portal")
    page = guest.get(first.headers["location"]).text
    assert "Blank pages — again" in page
    link = re.search(r"/portal/requests/\d+/files/[0-9a-f-]+", page)
    assert link is not None
    led = guest.get(link[0])
    assert led.status_code == 303
    assert "/files/" in led.headers["location"]
    guest.session = None
    assert guest.get(link[0]).headers["location"] == "/portal/sign-in"


def test_a_refused_request_keeps_texts_and_files_and_names_the_field(desk: Desk, guest: Guest) -> None:
    guest.sign_in(desk)
    csrf = guest.csrf("/portal/new/purchase")
    parts: list[tuple[str, str | None, bytes]] = [
        ("csrf", None, csrf.encode()),
        ("title", None, b"A lamp"),
        ("description", None, b"For my desk"),
        *(("shown", None, name) for name in (b"item", b"amount")),
        ("f.amount", None, b"twelve"),
        ("file", "lamp.png", b"png"),
    ]

    refused = guest.post_parts("/portal/new/purchase", parts)

    assert refused.status_code == 422
    for kept in ("A lamp", "For my desk", "twelve", "lamp.png"):
        assert kept in refused.text
    assert count(desk, "tickets") == 0


def test_a_message_is_shown_as_text_whatever_it_contains(desk: Desk, guest: Guest) -> None:
    guest.sign_in(desk)
    number = guest.open_request(desk, title="<script>alert(1)</script>")
    [ticket] = desk.tickets()
    desk.command(answer, ticket.id, "**bold** <img src=x onerror=alert(1)> [x](javascript:alert(1))", desk)
    csrf = guest.csrf(f"/portal/requests/{number}")
    guest.post(f"/portal/requests/{number}/messages", csrf=csrf, body="<b>mine</b> https://example.com/a")

    page = guest.get(f"/portal/requests/{number}").text

    assert "<strong>bold</strong>" in page
    assert "&lt;b&gt;mine&lt;/b&gt;" in page
    assert 'href="https://example.com/a"' in page
    assert not re.search(r'<script>alert|<img|href="javascript:', page)


def answer(ticket_id: Any, body: str, desk: Desk) -> None:
    answering.reply(ticket_id, body, actor=desk.person(), body_format="markdown")


def test_an_answer_a_step_and_signing_out_work_as_plain_forms(desk: Desk, guest: Guest) -> None:
    guest.sign_in(desk)
    number = guest.open_request(desk)
    page = f"/portal/requests/{number}"
    csrf = guest.csrf(page)

    empty = guest.post(f"{page}/messages", csrf=csrf, body="  ")
    sent = guest.post(f"{page}/messages", csrf=csrf, body="It came back.")
    unrated = guest.post(f"{page}/rating", csrf=csrf, score="5")
    done = guest.post(f"{page}/transitions", csrf=csrf, transition="withdraw")
    again = guest.post(f"{page}/transitions", csrf=csrf, transition="withdraw")

    assert [empty.status_code, sent.status_code, unrated.status_code] == [422, 303, 404]
    assert [done.status_code, again.status_code] == [303, 409]
    assert "It came back." in guest.get(page).text
    assert desk.tickets()[0].state == "solved"
    old = guest.session
    guest.post("/portal/sign-out")
    guest.session = old
    assert guest.get("/portal").status_code == 303


def test_fields_that_answers_make_visible_are_asked_for_in_a_second_step(desk: Desk, guest: Guest) -> None:
    label, by_plane = {"en": "Label"}, 'fields.way == "plane"'
    asked_always = {"label": label, "portal": "edit"}
    ways = {"train": {"label": label}, "plane": {"label": label}}
    fields = {
        "way": {"kind": "choice", "choices": ways, **asked_always},
        "why": {"kind": "text", "required_when": by_plane, "visible_when": by_plane, **asked_always},
    }
    model = {"type": "trip", "label": label, "workflow": "support", "fields": fields}
    with database.connection(), database.transaction():
        store.publish("model", "trip", model, source="test", by="test")
    store.forget()
    guest.sign_in(desk)
    page = "/portal/new/trip"
    first = {"title": "To Riga", "description": "A fair", "shown": "way", "f.way": "plane"}

    asked = guest.post(page, csrf=guest.csrf(page), **first)
    followed = guest.get(f"{page}?f.way=plane&shown=way")
    changed_mind = [("csrf", guest.csrf(page)), *first.items(), ("shown", "why"), ("f.way", "train"), ("f.why", "far")]
    made = guest.post_parts(page, [(name, None, value.encode()) for name, value in changed_mind])

    assert asked.status_code == 422
    assert 'name="f.why"' in asked.text
    assert "To Riga" in asked.text
    assert 'name="f.why"' in followed.text
    assert 'name="f.why"' not in guest.get(page).text
    assert made.status_code == 303
    [ticket] = desk.tickets()
    assert ticket.fields == {"way": "train"}


def test_pages_speak_the_browsers_language_also_where_the_model_and_the_life_cycle_give_the_words(
    desk: Desk, guest: Guest
) -> None:
    guest.sign_in(desk)
    number = guest.open_request(desk)
    russian = {"Accept-Language": "ru"}

    found = [guest.get(path, **russian).text for path in ("/portal", f"/portal/requests/{number}", "/portal/new")]

    for text in found[:2]:
        assert "Новая" in text
    assert "Закупка" in found[2]


def test_a_request_asks_for_the_rating_that_its_life_cycle_wants_and_shows_it_again(desk: Desk, guest: Guest) -> None:
    guest.sign_in(desk)
    page = f"/portal/requests/{guest.open_request(desk)}"
    unasked = guest.get(page)
    [ticket] = desk.tickets()
    desk.command(
        database.execute,
        "INSERT INTO ratings (id, ticket_id, token_hash, asked_at) VALUES (:id, :ticket, 'x', NOW())",
        id=new_id(),
        ticket=ticket.id,
    )
    csrf = guest.csrf(page)

    asked = guest.get(page)
    without = guest.post(f"{page}/rating", csrf=csrf, comment="Quick and clear")
    given = guest.post(f"{page}/rating", csrf=csrf, score="4", comment="Quick and clear")
    shown = guest.get(page)

    assert 'name="score"' not in unasked.text
    assert (asked.status_code, asked.text.count('name="score"')) == (200, 5)
    assert (without.status_code, "Quick and clear" in without.text) == (422, True)
    assert given.status_code == 303
    assert re.search(r'name="score" value="4" checked', shown.text)
    assert "Quick and clear" in shown.text
    assert desk.rows("SELECT score FROM ratings") == [{"score": 4}]
