"""One real sandbox (fake Bot API, mail catcher) for all tests of the senders; its faults are
cleared after each test.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from falcon import testing

from queues.channels.telegram.bot_api import bots
from scripts.sandbox.client import SandboxProcess
from tests.desk import Desk
from tests.queues.channels.every import RIGHT, Post, manners


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process
        bots.close()


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    monkeypatch.setenv("NESTOR_SECRET_TEST_TOKEN", "4242:test-token")
    monkeypatch.setenv("NESTOR_SECRET_TEST_SMTP_URL", sandbox_process.smtp_url)
    sandbox_process.clear()
    yield sandbox_process
    sandbox_process.clear()


@pytest.fixture
def post_to_channel(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Post:
    """Posts a body to the channel's demo account."""
    from functions.http import runtime
    from functions.webhooks.app import create_app

    monkeypatch.setattr(runtime, "_state", runtime.State(adopted=True))
    client = testing.TestClient(create_app())

    def send(channel: str, body: bytes, *, secret: str | None = RIGHT) -> testing.Result:
        proof = {} if secret is None else dict(manners(channel).proof(secret))
        headers = {"Content-Type": manners(channel).CONTENT_TYPE, **proof}
        return client.simulate_post(f"/webhooks/{channel}/demo", body=body, headers=headers)

    return send
