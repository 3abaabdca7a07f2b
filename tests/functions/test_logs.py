"""What the functions log: who asked for which route and how it ended, and nothing of what was said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.kernel.errors import ConfigurationError
from models.kernel.telemetry import logs
from tests.desk import Desk
from tests.functions.callers import Caller
from tests.functions.conftest import LogLines
from tests.functions.test_webhooks import EMAIL, EMAIL_HEADERS, MAIL, TELEGRAM, TELEGRAM_HEADERS, update

SAID = "secret-said"


def test_a_request_is_one_line_with_its_ids_and_the_routes_template(machine: Caller, log_lines: LogLines) -> None:
    ticket = machine.ticket()
    machine.get(f"/v1/tickets/{ticket['id']}", params={"x": "secret-query"}, headers={"X-Request-Id": "mine"})

    line = log_lines.events("request")[-1]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/tickets/{ticket}", 200)
    assert line["request_id"] == "mine"
    assert len(line["trace_id"]) == 32
    assert line["duration_ms"] >= 0
    assert line["level"] == "info"
    assert ticket["id"] not in json.dumps(line)
    assert len(log_lines.events("request")) == 2


def test_probes_are_not_news(machine: Caller, log_lines: LogLines) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        machine.get(path)

    assert {line["level"] for line in log_lines.events("request")} == {"debug"}


def test_ids_of_one_request_do_not_leak_into_the_next(machine: Caller, log_lines: LogLines) -> None:
    machine.get("/v1/me", headers={"X-Request-Id": "one"})
    logs.get("test").info("between")
    machine.get("/v1/me", headers={"X-Request-Id": "two"})

    assert [line["request_id"] for line in log_lines.events("request")] == ["one", "two"]
    assert "request_id" not in log_lines.events("between")[0]


def test_secrets_addresses_and_bodies_stay_out_of_the_log_wherever_they_are_sent(
    machine: Caller, stranger: Caller, webhooks: Any, desk: Desk, log_lines: LogLines
) -> None:
    """The fixture `log_lines` looks for FORBIDDEN words in every line, of this and of every other test."""
    said = {"title": SAID, "description": SAID, "requester": {"name": SAID, "email": f"{SAID}@example.test"}}
    ticket = machine.made("/v1/tickets", {**said, "fields": {SAID: SAID}})
    machine.made(f"/v1/tickets/{ticket['id']}/messages", {"kind": "reply", "body": SAID})
    machine.post(f"/v1/tickets/{SAID}/messages", {"kind": "reply", "body": SAID})
    machine.get(f"/v1/tickets?q={SAID}&{SAID}={SAID}")
    machine.get(f"/v1/{SAID}/nowhere")
    machine.post("/v1/tickets", {SAID: SAID})
    machine.post("/v1/tickets", raw=f'{{"{SAID}'.encode(), headers={"Content-Type": SAID, "X-Secret": SAID})
    machine.post(
        "/v1/tickets",
        said,
        headers={"Idempotency-Key": SAID, "X-Request-Id": f"{SAID}!", "traceparent": SAID},
    )
    machine.ask("PATCH", f"/v1/tickets/{ticket['id']}", {}, headers={"If-Match": SAID})
    stranger.post("/v1/auth/tokens", {"email": f"{SAID}@example.test", "password": SAID})
    stranger.post("/v1/auth/tokens/refresh", {"refresh_token": SAID})
    stranger.get("/v1/me", headers={"Authorization": f"Bearer {SAID}"})
    user = {"email": f"{SAID}@example.test", "name": SAID, "password": SAID + "-heron-ladder-oboe", "role": "agent"}
    made = machine.made("/v1/users", user)
    machine.post("/v1/users", user)
    machine.ask("PATCH", f"/v1/users/{made['id']}", {"email": "agent@example.test"}, headers={"If-Match": "*"})
    machine.made("/v1/api_keys", {"name": SAID, "role": "agent"})
    provider = Caller(webhooks)
    provider.post(TELEGRAM, raw=update(1, SAID), headers=TELEGRAM_HEADERS)
    provider.post(TELEGRAM, raw=SAID.encode(), headers=TELEGRAM_HEADERS)
    provider.post(TELEGRAM, raw=update(2, SAID), headers={"X-Telegram-Bot-Api-Secret-Token": SAID})
    provider.post(f"/webhooks/telegram/{SAID}", raw=update(2, SAID), headers=TELEGRAM_HEADERS)
    provider.post(EMAIL, raw=MAIL.replace(b"Printer", SAID.encode()), headers=EMAIL_HEADERS)
    provider.post(EMAIL, raw=MAIL, headers=EMAIL_HEADERS | {"X-Envelope-From": f"{SAID}@example.test"})
    desk.answers.append(RuntimeError(SAID))
    desk.run_due()

    assert len(log_lines.events("request")) >= 20
    assert len(log_lines.events("task_run")) >= 4


def test_a_field_that_could_hold_a_secret_cannot_be_logged() -> None:
    for name in ("password", "token", "secret", "body", "authorization", "address", "email"):
        with pytest.raises(AssertionError, match="must never be logged"):
            logs.get("test").info("an_event", **{name: "x"})


def test_an_error_is_logged_as_types_codes_and_lines_of_code_without_its_message() -> None:
    def fail() -> None:
        try:
            int("secret-number")
        except ValueError as error:
            raise ConnectionError(111, "secret-address") from error

    with pytest.raises(ConnectionError) as caught:
        fail()
    told = logs.trail(caught.value)

    assert told[0] == "ConnectionError 111"
    assert any(line.startswith("ValueError") for line in told)
    assert any(" fail" in line for line in told)
    assert "secret" not in str(told)
    assert logs.trail(ConfigurationError("PORT: expected a number")) == [
        "ConfigurationError configuration: PORT: expected a number"
    ]
