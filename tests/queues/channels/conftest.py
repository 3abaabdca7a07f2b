"""One real sandbox (fake Bot API, mail catcher) for all tests of the senders; its faults are cleared after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from queues.channels.telegram import bots
from scripts.sandbox.client import SandboxProcess


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
