"""Answers to a described service against a real HTTP server: what goes out, and what each answer means."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from models.kernel.errors import PermanentFailure, TooLarge, TransientFailure
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingAttachment, OutgoingMessage
from queues import channels
from queues.channels.webhook import download, ids, send
from tests.queues.channels.webhook.conftest import account_of
from tests.servers import HttpReceiver, Say, receiving

MESSAGE = OutgoingMessage(
    delivery_id="0199-delivery",
    attempt_number=2,
    address="chatterbox:room-7",
    recipient_name="Ada",
    body='Water "it".\n\U0001f525',
    body_format="markdown",
    subject=None,
    external_id=None,
    in_reply_to=ids.scoped("chatterbox:room-7", "m-1"),
    references=(),
    automatic=False,
    ticket_number=7,
    author_name="Olga",
)


@pytest.fixture
def service(config: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    with receiving() as found:
        monkeypatch.setenv("NESTOR_SECRET_CHATTERBOX_REPLY_URL", found.url + "?key=1")
        yield found


def reply_of(service: HttpReceiver, **changes: Any) -> dict[str, Any]:
    return {"url": service.url, "body": {"text": "{{ text }}"}} | changes


def test_an_answer_goes_out_as_the_file_says(service: HttpReceiver, config: Settings) -> None:
    service.answers.append(Say(200, body=b'{"ok": true, "id": "m-2"}'))

    outcome = send.send(MESSAGE, account_of("chat"), config)

    [got] = service.got
    assert (outcome.kind, outcome.external_id) == ("accepted", ids.scoped("chatterbox:room-7", "m-2"))
    assert (got.method, got.path, got.headers["content-type"]) == ("POST", "/hook?key=1", "application/json")
    assert got.headers["idempotency-key"] == "0199-delivery"
    assert json.loads(got.body) == {
        "room": "room-7",
        "text": MESSAGE.body,
        "answers": "m-1",
        "quiet": False,
        "footer": "Ticket 7",
        "files": [],
    }


def test_an_answer_to_a_contact_of_its_own_refers_to_the_place_of_the_message_that_it_answers(
    service: HttpReceiver, config: Settings
) -> None:
    service.answers.append(Say(200, body=b'{"ok": true, "id": "m-2"}'))

    outcome = send.send(replace(MESSAGE, address="chatterbox:elsewhere"), account_of("chat"), config)

    assert outcome.external_id == ids.scoped("chatterbox:room-7", "m-2")


def test_files_go_with_it_where_the_body_has_a_place(service: HttpReceiver, config: Settings) -> None:
    file = OutgoingAttachment("a.txt", "text/plain", 3, "0" * 64, lambda: io.BytesIO(b"abc"))

    send.send(replace(MESSAGE, attachments=(file,)), account_of("chat"), config)
    refused = send.send(replace(MESSAGE, attachments=(file,)), account_of("chat", reply=reply_of(service)), config)

    [got] = service.got
    assert json.loads(got.body)["files"] == [
        {"filename": "a.txt", "content_type": "text/plain", "size_bytes": 3, "content": "YWJj"}
    ]
    assert (refused.kind, "no {{ attachments }}" in refused.detail) == ("permanent", True)


def test_values_in_an_address_and_a_header_cannot_break_out_of_it(service: HttpReceiver, config: Settings) -> None:
    reply = reply_of(
        service,
        url=service.url + "/{{ address }}/x?q={{ author_name }}",
        headers={"X-By": "{{ author_name }}", "Authorization": {"secret": "lookout_api_token", "prefix": "Bearer "}},
    )
    message = replace(MESSAGE, address="chatterbox:../../admin?a=b#c", author_name="Ol\r\nX-Evil: 1\u0431&q=2")

    send.send(message, account_of("chat", reply=reply), config)

    [got] = service.got
    assert got.path == "/hook/..%2F..%2Fadmin%3Fa%3Db%23c/x?q=Ol%0D%0AX-Evil%3A%201%D0%B1%26q%3D2"
    assert "x-evil" not in got.headers
    assert got.headers["authorization"] == "Bearer lookout-token"


def test_a_form_is_sent_as_one(service: HttpReceiver, config: Settings) -> None:
    reply = reply_of(service, method="PUT", body_format="form", body={"t": "{{ text }}", "n": "{{ ticket_number }}"})

    send.send(MESSAGE, account_of("chat", reply=reply), config)

    [got] = service.got
    assert got.method == "PUT"
    assert parse_qs(got.body.decode()) == {"t": [MESSAGE.body], "n": ["7"]}


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        (Say(200, body=b'{"ok": true}'), "accepted"),
        (Say(204), "accepted"),
        (Say(200, body=b'{"ok": false}'), "permanent"),
        (Say(200, body=b"not json"), "accepted"),
        (Say(206), "permanent"),
        (Say(302), "transient"),
        (Say(400), "permanent"),
        (Say(401), "transient"),
        (Say(403), "transient"),
        (Say(404), "transient"),
        (Say(405), "transient"),
        (Say(422), "permanent"),
        (Say(408), "transient"),
        (Say(429), "throttled"),
        (Say(500), "transient"),
        (Say(503), "transient"),
        (Say(501), "permanent"),
        (Say(cut=True), "unknown"),
        (Say(200, body=b"half", length=100), "unknown"),
    ],
)
def test_each_answer_has_its_outcome(service: HttpReceiver, config: Settings, say: Say, kind: str) -> None:
    service.answers.append(say)

    assert send.send(MESSAGE, account_of("chat"), config).kind == kind


@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 405, 407, 410])
def test_a_status_about_the_account_is_shown_there(service: HttpReceiver, config: Settings, status: int) -> None:
    service.answers.append(Say(status))

    outcome = send.send(MESSAGE, account_of("chat"), config)

    assert outcome.kind == "transient"
    assert outcome.account_error == f"the service answered {status}: check the account's `reply`"


def test_a_server_that_takes_the_answer_and_says_nothing_leaves_it_open(
    service: HttpReceiver, config: Settings
) -> None:
    service.answers.append(Say(hang=True))

    outcome = send.send(MESSAGE, account_of("chat", reply=reply_of(service, timeout_s=1)), config)

    assert outcome.kind == "unknown"


def test_a_throttled_answer_waits_as_it_was_told(service: HttpReceiver, config: Settings) -> None:
    service.answers.extend([Say(429, headers={"retry-after": "7"}), Say(503, headers={"retry-after": "9"})])

    throttled, away = (send.send(MESSAGE, account_of("chat"), config) for _ in range(2))

    assert (throttled.retry_after_s, away.retry_after_s) == (7, 9)


def test_a_refused_login_is_reported_at_the_account(service: HttpReceiver, config: Settings) -> None:
    service.answers.append(Say(403))

    assert "reply" in (send.send(MESSAGE, account_of("chat"), config).account_error or "")


def test_a_service_that_is_away_got_nothing(config: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        reply = {"url": f"http://127.0.0.1:{taken.getsockname()[1]}/", "body": "x"}

        assert send.send(MESSAGE, account_of("chat", reply=reply), config).kind == "transient"


def test_a_private_address_is_called_only_when_the_operator_allows_it_or_it_is_the_sandbox(
    service: HttpReceiver, config: Settings
) -> None:
    closed = replace(config, webhooks_private=False)
    demo = replace(closed, sandbox_url=service.url.removesuffix("/hook"))
    account = account_of("chat", reply=reply_of(service))

    refused = send.send(MESSAGE, account, closed)
    allowed = send.send(MESSAGE, account, demo)

    assert (refused.kind, "private network" in refused.detail) == ("transient", True)
    assert allowed.kind == "accepted"
    assert len(service.got) == 1


def test_an_account_without_reply_answers_nobody(config: Settings) -> None:
    assert send.send(MESSAGE, account_of("forms"), config).kind == "permanent"


def test_a_missing_credential_is_corrected_and_tried_again(
    service: HttpReceiver, config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NESTOR_SECRET_CHATTERBOX_REPLY_URL")

    assert send.send(MESSAGE, account_of("chat"), config).kind == "transient"


def test_only_an_idempotent_service_is_sent_an_unknown_answer_again() -> None:
    assert channels.get("webhook").retries_for(account_of("chat")) == 10
    assert channels.get("webhook").retries_for(account_of("alerts")) == 0


def test_the_rate_of_the_file_is_the_accounts_bucket() -> None:
    [bucket] = send.buckets(account_of("chat"), "chatterbox:room-7")

    assert (bucket.name, bucket.every_s, bucket.burst) == ("webhook:chatterbox", 0.2, 5)
    assert send.buckets(account_of("alerts"), "x") == []


def test_a_file_is_fetched_by_its_url_within_bounds(
    service: HttpReceiver, config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_of("chat")
    service.answers.extend([Say(200, body=b"PNG"), Say(200, body=b"x" * 11), Say(503), Say(404)])

    with download.download(service.url, account, config) as stream:
        assert stream.read() == b"PNG"
    monkeypatch.setattr(download, "bytes_max", 10)
    for kind in (TooLarge, TransientFailure, PermanentFailure):
        with pytest.raises(kind):
            download.download(service.url, account, config)
    with pytest.raises(PermanentFailure, match="private network"):
        download.download(service.url, account, replace(config, webhooks_private=False))
