"""The caller's address comes from the connection, or from the entries of X-Forwarded-For that our own proxies added."""

from __future__ import annotations

import falcon
import pytest
from falcon import testing

from functions.http import callers

FORGED = "203.0.113.66"
CLIENT = "198.51.100.7"
PROXY = "10.0.0.1"


def address(header: str | None, *, trusted_proxies: int) -> str:
    headers = {} if header is None else {"X-Forwarded-For": header}
    request = falcon.Request(testing.create_environ(headers=headers, remote_addr=PROXY))
    return callers.client_address(request, trusted_proxies)


@pytest.mark.parametrize("header", [None, FORGED, f"{FORGED}, {CLIENT}", ""])
def test_without_trusted_proxies_the_header_counts_for_nothing(header: str | None) -> None:
    assert address(header, trusted_proxies=0) == PROXY


@pytest.mark.parametrize("header", [CLIENT, f"{FORGED}, {CLIENT}", f"{FORGED},{FORGED} , {CLIENT}", f", {CLIENT}"])
def test_behind_one_proxy_its_own_entry_counts_and_what_the_client_sent_does_not(header: str) -> None:
    assert address(header, trusted_proxies=1) == CLIENT


def test_behind_two_proxies_the_entry_of_the_outer_one_counts() -> None:
    assert address(f"{FORGED}, {CLIENT}, {PROXY}", trusted_proxies=2) == CLIENT


def test_a_request_that_came_past_the_proxies_has_the_address_of_its_connection() -> None:
    assert address(None, trusted_proxies=2) == PROXY
    assert address(" , ", trusted_proxies=1) == PROXY
