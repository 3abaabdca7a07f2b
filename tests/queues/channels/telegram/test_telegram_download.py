"""A photo's whole way: from a Bot API server over real HTTP into the blob store, by the actor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from models.kernel import settings
from scripts.sandbox.client import SandboxProcess
from tests.desk import Desk
from tests.queues.test_fetch_attachment import PHOTO, file, files_of, receive, told


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("prepare", [lambda sandbox: None, lambda sandbox: sandbox.fail("500", method="getFile")])
def test_a_photo_comes_from_a_bot_api_server(
    desk: Desk,
    sandbox: SandboxProcess,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[[SandboxProcess], None],
) -> None:
    file_id = sandbox.store_file(PHOTO, filename="photo.jpg")
    monkeypatch.setenv("TELEGRAM_API_URL", sandbox.bot_api_url)
    settings.current.cache_clear()
    prepare(sandbox)
    receive(desk, file(file_id))
    desk.run_due()

    desk.advance(seconds=60)
    desk.run_due()

    assert files_of(desk)[0]["sha256"] == hashlib.sha256(PHOTO).hexdigest()


@pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
def test_what_the_bot_api_calls_too_big_is_too_large(
    desk: Desk, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.fail("400", method="getFile", description="Bad Request: file is too big")
    monkeypatch.setenv("TELEGRAM_API_URL", sandbox.bot_api_url)
    settings.current.cache_clear()
    receive(desk, file())

    desk.run_due()

    assert files_of(desk)[0]["state"] == "too_large"
    assert len(told(desk)) == 1
