"""Security headers: every answer has them, errors, downloads and pages included."""

from __future__ import annotations

from typing import Any

import pytest

from functions.http import callers, response_headers
from models.kernel.settings import Settings
from tests.functions.callers import Caller, sqlite_only

EXPECTED = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@sqlite_only
@pytest.mark.parametrize("path", ["/healthz", "/v1/me", "/v1/tickets/x", "/nothing", "/openapi.json", "/docs"])
def test_answers_and_errors_carry_the_headers(machine: Caller, stranger: Caller, path: str) -> None:
    for caller in (machine, stranger):
        answer = caller.get(path)

        assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED, (path, answer.status_code)
        policy = answer.headers["content-security-policy"]
        for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy, (path, policy)
        assert "'unsafe-inline'" not in policy


@sqlite_only
def test_no_path_serves_trace_and_no_answer_allows_another_origin(machine: Caller) -> None:
    for path in ("/healthz", "/v1/me", "/v1/tickets"):
        refused = machine.ask("TRACE", path)
        assert refused.status_code == 405
        answer = machine.get(path, headers={"Origin": "https://other.example"})
        assert "access-control-allow-origin" not in answer.headers


@sqlite_only
def test_webhooks_carry_the_headers(webhooks: Any) -> None:
    answer = Caller(webhooks).post("/webhooks/telegram/nobody", {})

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("url", "sent"), [("https://desk.example", True), ("HTTPS://desk.example", True), ("http://desk.example", False)]
)
def test_only_a_desk_behind_tls_asks_browsers_for_tls(url: str, sent: bool) -> None:
    assert ("Strict-Transport-Security" in response_headers.headers_for(Settings(public_url=url))) is sent


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("unknown", "unknown"),
        ("ada@example.test", "unknown"),
    ],
)
def test_the_network_of_an_address_is_a_24_or_a_48(address: str, network: str) -> None:
    assert callers.network_of(address) == network
