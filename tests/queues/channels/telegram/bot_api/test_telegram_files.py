"""Files that requesters send, from a Bot API server over real HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from models.kernel import limits
from models.kernel.errors import NestorError, PermanentFailure, TooLarge, TransientFailure
from queues.channels.telegram.bot_api.files import fetch
from queues.channels.telegram.download import download
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels import golden

TOKEN = "4242:test-token"


def test_a_file_comes_as_a_stream_with_its_exact_bytes(
    sandbox: SandboxProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    content = bytes(range(256)) * 4_000
    file_id = sandbox.store_file(content, filename="scan.pdf")

    with fetch(TOKEN, file_id, api_url=sandbox.bot_api_url) as stream:
        assert stream.read() == content

    assert "test-token" not in caplog.text


def test_a_file_that_a_bot_may_not_have_is_refused_for_good(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.fail("400", method="getFile", description="Bad Request: file is too big")
    with pytest.raises(TooLarge, match="larger than the 20 MB"):
        fetch(TOKEN, "anything", api_url=sandbox.bot_api_url)

    file_id = sandbox.store_file(b"x" * 1_000, filename="a.bin")
    monkeypatch.setattr(limits, "telegram_download_bytes_max", 999)
    with pytest.raises(TooLarge, match="larger than the 20 MB"):
        fetch(TOKEN, file_id, api_url=sandbox.bot_api_url)


def test_the_attachments_get_a_file_through_the_account(sandbox: SandboxProcess) -> None:
    file_id = sandbox.store_file(b"%PDF", filename="a.pdf")

    with download(file_id, golden.TELEGRAM, golden.settings(telegram_api_url=sandbox.bot_api_url)) as stream:
        assert stream.read() == b"%PDF"


def _programmed(kind: str, **details: object) -> Callable[[SandboxProcess], None]:
    return lambda sandbox: sandbox.fail(kind, method="getFile", **details)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda sandbox: None, PermanentFailure),  # an unknown file_id
        (_programmed("500"), TransientFailure),
        (_programmed("401"), TransientFailure),
        (_programmed("429", retry_after=7), TransientFailure),
        (_programmed("drop_before"), TransientFailure),
    ],
)
def test_a_refused_file_says_whether_to_come_again_and_never_names_the_token(
    sandbox: SandboxProcess, prepare: Callable[[SandboxProcess], None], expected: type[NestorError]
) -> None:
    prepare(sandbox)

    with pytest.raises(expected) as refused:
        fetch(TOKEN, "sandbox-" + "0" * 64, api_url=sandbox.bot_api_url)

    assert "test-token" not in repr(refused.value)
    assert refused.value.__suppress_context__


def test_the_time_that_telegram_asks_to_wait_is_handed_on(sandbox: SandboxProcess) -> None:
    sandbox.fail("429", method="getFile", retry_after=7)

    with pytest.raises(TransientFailure) as refused:
        fetch(TOKEN, "x", api_url=sandbox.bot_api_url)

    assert refused.value.retry_after_s == 7.0
