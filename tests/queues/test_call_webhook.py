"""A life cycle's webhook against a real HTTP server: signed, retried with the same id, given up with a word to the
ticket.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from models.definitions import store
from models.kernel import settings
from models.kernel.storage import database
from models.publishing import publishing, workflows
from models.publishing.catalogue import Found
from tests.desk import Desk


class Receiver:
    """Keeps what it was sent; answers as told, then 204."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.calls.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join(10)


@pytest.fixture
def alarm(desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Incidents call the receiver, and the desk may call its own network."""
    monkeypatch.setenv("NESTOR_SECRET_PAGER_WEBHOOK", "pager-key")
    monkeypatch.setenv("WEBHOOKS_PRIVATE", "true")
    settings.current.cache_clear()
    with database.connection():
        before = store.latest("workflow", "incident")
    assert before is not None
    body = copy.deepcopy(before.body)
    body["webhooks"]["pager"]["url"] = receiver.url
    publishing.apply([Found("workflow", "incident", body, "", Path("x"))], by="test")
    workflows.forget()
    return receiver


def declared(desk: Desk) -> Any:
    ticket = desk.create_ticket("Berlin is down", type="incident")
    assert desk.transition(ticket, "declare_major", role="manager", comment="all of it") == ()
    return ticket


def test_a_call_is_signed_and_names_the_ticket_and_the_rule(desk: Desk, alarm: Receiver) -> None:
    ticket = declared(desk)

    desk.run_due()

    [(headers, body)] = alarm.calls
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"pager-key", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    told = json.loads(body)
    assert told["type"] == "ticket.state_changed"
    assert (told["data"]["rule"], told["data"]["ticket"]["number"]) == ("declare_major", ticket.number)


def test_the_library_of_the_specification_verifies_the_call(
    desk: Desk, alarm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from standardwebhooks.webhooks import Webhook

    secret = "whsec_" + base64.b64encode(b"twenty-four bytes at least").decode()
    monkeypatch.setenv("NESTOR_SECRET_PAGER_WEBHOOK", secret)
    settings.current.cache_clear()
    declared(desk)

    desk.run_due()

    [(headers, body)] = alarm.calls
    assert Webhook(secret).verify(body, dict(headers))["type"] == "ticket.state_changed"


def test_a_receiver_that_is_away_is_tried_again_with_the_same_id(desk: Desk, alarm: Receiver) -> None:
    alarm.answers = [503, 429]
    declared(desk)

    for _ in range(4):
        desk.run_due()
        desk.advance(minutes=1)

    assert len(alarm.calls) == 3
    assert len({headers["webhook-id"] for headers, _ in alarm.calls}) == 1


def test_a_refused_call_is_given_up_at_once_and_the_history_says_so(desk: Desk, alarm: Receiver) -> None:
    alarm.answers = [410]
    ticket = declared(desk)

    desk.run_due()
    desk.advance(minutes=5)
    desk.run_due()

    assert len(alarm.calls) == 1
    [failed] = desk.events(ticket, "automation_failed")
    assert "answered 410" in failed["payload"]["reason"]


def test_a_private_address_is_not_called_unless_the_operator_allows_it(
    desk: Desk, alarm: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOKS_PRIVATE", "false")
    settings.current.cache_clear()
    ticket = declared(desk)

    desk.run_due()

    assert alarm.calls == []
    assert "private network" in desk.events(ticket, "automation_failed")[0]["payload"]["reason"]
