"""/webhooks/{channel}/{account}: authenticated, stored once, answered; strange content is kept and
shown, never a 5xx.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from falcon import testing

from models.kernel import limits, settings
from tests.desk import Desk
from tests.functions.callers import DEMO_KEY, Caller, problem, sqlite_only

TELEGRAM, EMAIL = "/webhooks/telegram/demo", "/webhooks/email/demo"
TELEGRAM_HEADERS = {"X-Telegram-Bot-Api-Secret-Token": "demo-secret", "Content-Type": "application/json"}
EMAIL_HEADERS = {"Authorization": "Bearer demo-secret", "Content-Type": "message/rfc822"}
MAIL = b"From: Ada <ada@example.test>\r\nTo: desk@example.test\r\nSubject: Printer\r\nMessage-ID: <1@example.test>\r\n\r\nIt burns.\r\n"


def update(update_id: int = 7, text: str = "It burns.", **more: Any) -> bytes:
    message = {
        "message_id": update_id,
        "date": 1_790_000_000,
        "chat": {"id": 42, "type": "private"},
        "from": {"id": 42, "is_bot": False, "first_name": "Ada"},
        "text": text,
    }
    return json.dumps({"update_id": update_id, "message": message | more}).encode()


@pytest.fixture
def provider(webhooks: Any) -> Caller:
    """Whoever posts to our webhooks."""
    return Caller(webhooks)


def telegram(provider: Caller, raw: bytes, **headers: str) -> testing.Result:
    return provider.post(TELEGRAM, raw=raw, headers=TELEGRAM_HEADERS | headers)


def email(provider: Caller, raw: bytes, **headers: str) -> testing.Result:
    return provider.post(EMAIL, raw=raw, headers=EMAIL_HEADERS | headers)


@pytest.mark.parametrize(("send", "raw"), [(telegram, update()), (email, MAIL)])
def test_an_event_is_stored_with_one_task_and_becomes_a_ticket(
    provider: Caller, machine: Caller, desk: Desk, send: Any, raw: bytes
) -> None:
    result = send(provider, raw)

    assert result.status_code == 200
    assert result.json["repeat"] is False
    event_id = result.json["event_id"]
    assert machine.read(f"/v1/inbox/{event_id}")["status"] == "stored"
    assert len(desk.tasks("ready", kind="ingest_event")) == 1
    assert len(desk.wakeups) == 1
    desk.run_due()
    event = machine.read(f"/v1/inbox/{event_id}")
    assert (event["status"], event["reason"]) == ("processed", None)
    assert desk.bodies(desk.ticket()) == ["It burns."]


def test_a_provider_may_ask_for_the_address_before_it_stores_it(webhooks: Any, desk: Desk) -> None:
    """Mandrill does. The answer is the same for an account that is there and for one that is not."""
    client = testing.TestClient(webhooks)

    answers = [client.simulate_head(path) for path in (EMAIL, "/webhooks/email/nobody", "/webhooks/pigeon/demo")]

    assert [one.status_code for one in answers] == [200, 200, 404]
    assert {one.content for one in answers[:2]} == {b""}
    assert desk.rows("SELECT id FROM inbox") == []


@pytest.mark.parametrize(("send", "raw"), [(telegram, update()), (email, MAIL)])
def test_a_repeat_gets_the_same_event_and_changes_nothing(provider: Caller, desk: Desk, send: Any, raw: bytes) -> None:
    first = send(provider, raw).json
    before = send(provider, raw).json
    desk.run_due()
    after = send(provider, raw).json
    desk.run_due()

    assert before == after == {"event_id": first["event_id"], "repeat": True}
    assert desk.bodies(desk.ticket()) == ["It burns."]
    assert len(desk.tasks(kind="ingest_event")) == 1


@pytest.mark.parametrize(("send", "raw"), [(telegram, update()), (email, MAIL)])
def test_twenty_at_once_from_eight_clients_are_one_event(webhooks: Any, desk: Desk, send: Any, raw: bytes) -> None:
    def client(times: int) -> list[Any]:
        return [send(Caller(webhooks), raw).json for _ in range(times)]

    answers = [
        answer for found in desk.in_threads(*[partial(client, n) for n in (3, 3, 3, 3, 2, 2, 2, 2)]) for answer in found
    ]

    assert len(answers) == 20
    assert len({answer["event_id"] for answer in answers}) == 1
    assert [answer["repeat"] for answer in answers].count(False) == 1
    desk.run_due()
    assert desk.bodies(desk.ticket()) == ["It burns."]
    assert [row["n"] for row in desk.rows("SELECT count(*) AS n FROM inbox")] == [1]


def test_a_wrong_or_missing_secret_is_401_with_the_same_words(provider: Caller, desk: Desk) -> None:
    attempts = [
        (TELEGRAM, {"X-Telegram-Bot-Api-Secret-Token": secret})
        for secret in ("secret-wrong", "demo-secre", "demo-secret2", "DEMO-SECRET", "", "ä" * 9, "x" * 5_000)
    ] + [(TELEGRAM, {}), (TELEGRAM, {"Authorization": "Bearer demo-secret"})]
    attempts += [
        (EMAIL, {"Authorization": value})
        for value in ("Bearer secret-wrong", "Bearer", "Bearer ", "Basic demo-secret", "demo-secret", "")
    ] + [(EMAIL, {}), (EMAIL, {"X-Telegram-Bot-Api-Secret-Token": "demo-secret"})]

    said: dict[str, set[str]] = {}
    for path, headers in attempts:
        result = provider.post(path, raw=update() if path == TELEGRAM else MAIL, headers=headers)
        said.setdefault(path, set()).add(problem(result, 401)["detail"])

    assert [len(details) for details in said.values()] == [1, 1]
    assert desk.rows("SELECT 1 FROM inbox") == []


@sqlite_only
def test_an_unknown_channel_or_account_is_404(provider: Caller, desk: Desk) -> None:
    for path in (
        "/webhooks/pigeon/demo",
        "/webhooks/telegram/other",
        "/webhooks/telegram/demo.x",
        "/webhooks/__init__/demo",
        "/webhooks/text/demo",
        "/webhooks/telegram/" + "x" * 2_000,
        "/webhooks/%ff/demo",
        "/webhooks/telegram/%00",
    ):
        result = provider.post(path, raw=update(), headers=TELEGRAM_HEADERS)
        problem(result, 400 if "%00" in path else 404)
    assert desk.rows("SELECT 1 FROM inbox") == []


@sqlite_only
def test_a_function_of_one_channel_does_not_serve_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.webhooks.app import create_app

    monkeypatch.setenv("WEBHOOK_CHANNELS", "email")
    settings.current.cache_clear()
    provider = Caller(create_app())

    problem(telegram(provider, update()), 404, "not_found")
    assert email(provider, MAIL).status_code == 200


STRANGE_UPDATES = {
    "empty": b"",
    "blank": b" \n ",
    "broken JSON": b'{"update_id": 8,',
    "no object": b"[1, 2]",
    "null": b"null",
    "no id": b'{"message": {}}',
    "id of another type": b'{"update_id": "8", "message": {}}',
    "id that is huge": b'{"update_id": ' + b"9" * 400 + b"}",
    "number without end": b'{"update_id": ' + b"9" * 5_000 + b"}",
    "invalid UTF-8": b'{"update_id": 9, "message": {"text": "\xff\xfe"}}',
    "UTF-16": update(10).decode().encode("utf-16"),
    "null bytes": b"\x00" * 100,
    "null character": update(11, "a\x00b"),
    "lone surrogate": update(12).replace(b"It burns.", b"\\ud800 \\udc00"),
    "deep": b'{"update_id": 13, "message": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "wrong types": b'{"update_id": 14, "message": {"chat": 7, "from": [], "date": "x", "text": {}}}',
    "chat of no size": update(15, chat={"id": 10**30, "type": "private"}),
    "unknown kind": b'{"update_id": 16, "something_new": {"a": 1}}',
    "long": update(17, "x" * 900_000),
    "date far away": update(18, date=10**17),
}


@pytest.mark.parametrize("name", STRANGE_UPDATES)
def test_a_strange_update_is_kept_and_shown(provider: Caller, machine: Caller, desk: Desk, name: str) -> None:
    result = telegram(provider, STRANGE_UPDATES[name])
    desk.run_due()

    assert result.status_code == 200, result.text
    event = machine.read(f"/v1/inbox/{result.json['event_id']}")
    assert event["status"] in ("processed", "ignored", "failed")
    if event["status"] != "processed":
        assert event["reason"]
    assert machine.get(f"/v1/inbox/{event['id']}/raw").content == STRANGE_UPDATES[name]
    assert desk.tasks("ready", "leased", "dead") == []
    assert telegram(provider, STRANGE_UPDATES[name]).json == {"event_id": event["id"], "repeat": True}


STRANGE_MAILS = {
    "empty": b"",
    "blank": b"\r\n\r\n",
    "no header": b"Hello there\r\n",
    "only a body": b"\r\nHello\r\n",
    "no sender": b"Subject: x\r\n\r\nHello\r\n",
    "no id": MAIL.replace(b"Message-ID: <1@example.test>\r\n", b""),
    "a subject of 1 MB": MAIL.replace(b"Printer", b"x" * limits.MIB),
    "a folded subject of 1 MB": MAIL.replace(b"Printer", b"x\r\n " * (limits.MIB // 4)),
    "null bytes": MAIL.replace(b"It burns.", b"a\x00b\x00").replace(b"Printer", b"P\x00"),
    "invalid UTF-8": MAIL.replace(b"Printer", b"\xff\xfe").replace(b"It burns.", b"\xff\xfe\xed\xa0\x80"),
    "a broken encoded word": MAIL.replace(b"Printer", b"=?utf-8?b?////?= =?nope?q?x?="),
    "another charset": MAIL.replace(b"Subject", b"Content-Type: text/plain; charset=nope\r\nSubject"),
    "broken multipart": MAIL.replace(b"Subject", b"Content-Type: multipart/mixed; boundary=b\r\nSubject"),
    "a thousand parts": MAIL.replace(b"Subject", b"Content-Type: multipart/mixed; boundary=b\r\nSubject").replace(
        b"It burns.", b"--b\r\n\r\nx\r\n" * 5_000
    ),
    "many headers": b"X: y\r\n" * 50_000 + MAIL,
    "strange date": MAIL.replace(b"Subject", b"Date: Fri, 99 Foo 99999 99:99:99 +9999\r\nSubject"),
    "an old Macintosh's lines": MAIL.replace(b"\r\n", b"\r"),
}


@pytest.mark.parametrize("name", STRANGE_MAILS)
def test_a_strange_mail_is_kept_and_shown(provider: Caller, machine: Caller, desk: Desk, name: str) -> None:
    result = email(provider, STRANGE_MAILS[name])
    desk.run_due()

    assert result.status_code == 200, result.text
    event = machine.read(f"/v1/inbox/{result.json['event_id']}")
    assert event["status"] in ("processed", "ignored", "failed")
    if event["status"] != "processed":
        assert event["reason"]
    else:
        ticket = machine.read(f"/v1/tickets/{event['ticket_id']}")
        assert 1 <= len(ticket["title"]) <= limits.ticket_title_chars_max
    assert machine.get(f"/v1/inbox/{event['id']}/raw").content == STRANGE_MAILS[name]
    assert desk.tasks("ready", "leased", "dead") == []


@sqlite_only
def test_a_body_over_the_channels_bound_is_413_and_makes_nothing(provider: Caller, desk: Desk) -> None:
    result = telegram(provider, update(1, "x" * limits.telegram_body_bytes_max))

    problem(result, 413, "too_large")
    problem(telegram(provider, b"x" * (limits.webhook_body_bytes_max + 1)), 413, "too_large")
    assert {row["status"] for row in desk.rows("SELECT status FROM inbox")} == {"failed"}
    assert desk.tasks() == []


@sqlite_only
def test_mail_of_another_media_type_is_415(provider: Caller, desk: Desk) -> None:
    for content_type in ("application/json", "text/plain", ""):
        result = provider.post(EMAIL, raw=MAIL, headers=EMAIL_HEADERS | {"Content-Type": content_type})
        problem(result, 415, "unsupported_media_type")
    assert email(provider, MAIL, **{"Content-Type": "Message/RFC822; charset=x"}).status_code == 200


@sqlite_only
def test_only_post_is_taken_and_an_api_key_is_no_secret(provider: Caller, webhooks: Any) -> None:
    problem(provider.get(TELEGRAM), 405, "method_not_allowed")
    problem(Caller(webhooks, DEMO_KEY).post(EMAIL, raw=MAIL, headers={"Content-Type": "message/rfc822"}), 401)


def test_order_within_a_chat_is_the_order_of_arrival(provider: Caller, desk: Desk) -> None:
    for number in range(5):
        telegram(provider, update(100 + number, f"Line {number}"))

    desk.run_due()

    assert desk.bodies(desk.ticket()) == [f"Line {number}" for number in range(5)]


def test_what_is_too_large_is_refused_and_seen_with_its_beginning(
    provider: Caller, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from queues.channels.email import ingress

    monkeypatch.setattr(ingress, "body_bytes_max", 1_000)
    mail = b"From: Ada <ada@example.com>\r\nSubject: Large\r\n\r\n" + b"x" * 5_000
    headers = {"Authorization": "Bearer demo-secret", "Content-Type": "message/rfc822"}

    first = provider.ask("POST", "/webhooks/email/demo", raw=mail, headers=headers)
    again = provider.ask("POST", "/webhooks/email/demo", raw=mail, headers=headers)
    stranger = provider.ask("POST", "/webhooks/email/demo", raw=mail, headers={**headers, "Authorization": "Bearer no"})

    assert (first.status_code, again.status_code, stranger.status_code) == (413, 413, 401)
    [kept] = desk.rows("SELECT status, reason, raw FROM inbox")
    assert kept["status"] == "failed"
    assert "The request body has 5" in kept["reason"]
    assert bytes(kept["raw"]).startswith(b"From: Ada")
