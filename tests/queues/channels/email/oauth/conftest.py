"""An authorization server, and the configuration of accounts that use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from queues.channels.email.oauth import tokens
from tests.queues.channels.email.oauth import authority
from tests.queues.channels.email.oauth.authority import Authority


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test finds the tokens of another one in this process."""
    monkeypatch.setenv("NESTOR_SECRET_TEST_CLIENT", "client-secret")
    monkeypatch.setenv("NESTOR_SECRET_TEST_REFRESH", "first-refresh-token")
    tokens.forget()
    yield
    tokens.forget()


@pytest.fixture
def server() -> Iterator[Authority]:
    with authority.running() as made:
        yield made


def oauth(server: Authority, **changes: Any) -> dict[str, Any]:
    """The key `oauth` of an account that uses this authorization server."""
    keys = {
        "client_id": "client-id",
        "client_secret": {"secret": "test_client"},
        "refresh_token": {"secret": "test_refresh"},
        "token_url": f"{server.url}/token",
        "scopes": ["mail"],
    }
    return {key: value for key, value in {**keys, **changes}.items() if value is not None}
