"""The functions' real applications over the `desk` fixture, on both engines; no line of any test's log may tell a
secret.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.http import runtime
from models.kernel import settings
from models.kernel.telemetry import logs
from queues.channels.webhook import send
from tests.desk import Desk
from tests.fixtures_desk import SECRET_KEY
from tests.functions import chatterbox
from tests.functions.callers import DEMO_KEY, PASSWORD, Caller
from tests.servers import HttpReceiver, Say, receiving

# What tests send as secrets, addresses and bodies; `secret-` marks those that a test makes up.
FORBIDDEN = (SECRET_KEY, DEMO_KEY, PASSWORD, "demo-secret", "secret-", "@example.", "Bearer ", "nst_")


class LogLines(logging.Handler):
    """Keeps what the functions logged, as the JSON lines that a pod would write."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs._JsonFormatter("tests"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.lines) if line["event"] == name]


@pytest.fixture(autouse=True)
def log_lines() -> Iterator[LogLines]:
    """Every line, debug ones too; at the end none of them tells a secret, a body or an address."""
    handler, logger = LogLines(), logging.getLogger("nestor")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)
    for line in handler.lines:
        told = [word for word in FORBIDDEN if word in line]
        assert not told, f"a log line tells {told}: {line}"


@pytest.fixture(autouse=True)
def process_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixtures have set the process up, as the embedded desk does; `create_app` leaves it as it is."""
    monkeypatch.setattr(runtime, "_state", runtime.State(adopted=True))


@pytest.fixture
def gateway(desk: Desk) -> Any:
    from functions.gateway.app import create_app

    return create_app()


@pytest.fixture
def webhooks(desk: Desk) -> Any:
    from functions.webhooks.app import create_app

    return create_app()


@pytest.fixture
def console(desk: Desk) -> Any:
    from functions.console.app import create_app

    return create_app()


@pytest.fixture
def make_tick(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Caller]:
    """Makes the tick function with a token (empty: none is configured)."""
    from functions.tick.app import create_app

    def make(token: str) -> Caller:
        monkeypatch.setenv("TICK_TOKEN", token)
        settings.current.cache_clear()
        return Caller(create_app())

    return make


@pytest.fixture
def machine(gateway: Any) -> Caller:
    """The demo's API key, an admin's."""
    return Caller(gateway, DEMO_KEY)


@pytest.fixture
def stranger(gateway: Any) -> Caller:
    """Nobody."""
    return Caller(gateway)


@pytest.fixture
def as_role(gateway: Any, machine: Caller) -> Callable[[str], Caller]:
    """Makes a caller with a role, by an API key of that role (no argon2, so that a matrix is quick)."""

    def make(role: str) -> Caller:
        key = machine.made("/v1/api_keys", {"name": f"{role} for a test", "role": role})["key"]
        return Caller(gateway, key)

    return make


def sign_in(gateway: Any, email: str, password: str = PASSWORD) -> tuple[Caller, Any]:
    """A person's session: the caller and the pair of tokens."""
    tokens = Caller(gateway).made("/v1/auth/tokens", {"email": email, "password": password})
    return Caller(gateway, tokens["access_token"]), tokens


@pytest.fixture
def agent(gateway: Any) -> Caller:
    """The demo's agent, signed in."""
    return sign_in(gateway, "agent@example.test")[0]


@pytest.fixture
def as_user(gateway: Any) -> Callable[[str], Caller]:
    """A caller who has signed in as the seeded user of a role."""

    def sign_in(role: str) -> Caller:
        found = Caller(gateway).made("/v1/auth/tokens", {"email": f"{role}@example.test", "password": PASSWORD})
        return Caller(gateway, found["access_token"])

    return sign_in


@pytest.fixture
def service(desk: Desk, webhooks: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """The invented chat product: its account is published, and its server answers the desk's real sender."""
    from tests.channel_parts import replace_part

    with receiving() as found:
        found.otherwise = Say(200, body=b'{"ok": true, "id": "m-900"}')
        monkeypatch.setenv("NESTOR_SECRET_CHATTERBOX_KEY", "secret-chatterbox")
        monkeypatch.setenv("NESTOR_SECRET_CHATTERBOX_REPLY_URL", found.url)
        monkeypatch.setenv("WEBHOOKS_PRIVATE", "true")
        settings.current.cache_clear()
        chatterbox.publish(chatterbox.account_body())
        replace_part(monkeypatch, "sender", lambda channel: send)
        yield found


@pytest.fixture
def provider(webhooks: Any) -> Caller:
    return Caller(webhooks)
