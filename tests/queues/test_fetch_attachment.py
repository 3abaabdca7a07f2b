"""Files that lie at a provider: fetched once, told of when they cannot be had, never holding up their message."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pytest

from models.attachments import queries
from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.errors import ConfigurationError, PermanentFailure, TooLarge, TransientFailure
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.ports.inbound import AttachmentInfo, InboundMessage
from models.ticket_actions import attachment_fetching
from tests.channel_parts import replace_part
from tests.desk import Desk

PHOTO = b"\xff\xd8\xff\xe0 a photo"
Answer = bytes | Exception


@dataclass
class Provider:
    """Stands for a channel's `download.py`."""

    bytes_max: int = 20 * limits.MIB
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def download(self, provider_id: str, account: ChannelAccount, config: Settings) -> BinaryIO:
        assert not database.in_transaction(), "no transaction is held across the network"
        self.asked.append(provider_id)
        told = self.answers.get(provider_id, [PHOTO])
        answer = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider()
    replace_part(monkeypatch, "files", lambda channel: made)
    return made


def message(*files: AttachmentInfo, **more: Any) -> InboundMessage:
    plain: dict[str, Any] = {"conversation_address": "42", "locale": "ru"}
    return InboundMessage("42", "Ada", "42", "See the photo.", attachments=files, **(plain | more))


def file(provider_id: str = "f1", *, size: int = 0, key: str | None = None, name: str = "photo.jpg") -> AttachmentInfo:
    return AttachmentInfo(name, "image/jpeg", size, provider_id=provider_id, provider_key=key)


def files_of(desk: Desk) -> list[dict[str, Any]]:
    """The attachments of all inbound messages, in order."""
    found: list[dict[str, Any]] = []
    for one in desk.messages(desk.ticket()):
        if one["direction"] == "inbound":
            with database.connection():
                found += map(dict, queries.of_messages([one["id"]]).get(one["id"], []))
    return found


def told(desk: Desk) -> list[str]:
    """Automatic messages that speak of a file."""
    return [body for body in desk.sent_bodies() if "photo.jpg" in body or "video.mp4" in body]


def receive(desk: Desk, *files: AttachmentInfo, **more: Any) -> None:
    desk.receive(message(*files, **more), channel="telegram")


def test_a_file_is_fetched_and_the_history_says_so(desk: Desk, provider: Provider) -> None:
    receive(desk, file())

    desk.run_due()

    [found] = files_of(desk)
    assert (found["state"], found["sniffed_type"], found["size_bytes"]) == (
        "stored",
        "image/jpeg",
        len(PHOTO),
    )
    [event] = desk.events(desk.ticket(), "attachment_stored")
    assert event["payload"]["sha256"] == hashlib.sha256(PHOTO).hexdigest()


def test_the_message_is_there_before_its_file(desk: Desk, provider: Provider) -> None:
    provider.answers["f1"] = [TransientFailure("away")]
    receive(desk, file())

    desk.run_due()

    [found] = files_of(desk)
    assert found["state"] == "pending"
    assert desk.tasks("ready", kind="fetch_attachment")


def test_a_provider_that_is_away_is_asked_again(desk: Desk, provider: Provider) -> None:
    provider.answers["f1"] = [TransientFailure("away", retry_after_s=30), PHOTO]
    receive(desk, file())
    desk.run_due()

    desk.advance(seconds=60)
    desk.run_due()

    assert provider.asked == ["f1", "f1"]
    assert files_of(desk)[0]["state"] == "stored"


def test_running_twice_equals_running_once(desk: Desk, provider: Provider) -> None:
    receive(desk, file())
    desk.run_due()

    with database.transaction():
        database.execute("UPDATE tasks SET state = 'ready', due_at = NOW() WHERE kind = 'fetch_attachment'")
    desk.run_due()

    assert provider.asked == ["f1"]
    assert len(desk.events(desk.ticket(), "attachment_stored")) == 1


def test_a_crash_between_download_and_record_fetches_again_and_records_once(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(desk, file())
    with monkeypatch.context() as crashing:
        crashing.setattr(attachment_fetching, "record_stored", _crash)
        desk.run_due()
    assert files_of(desk)[0]["state"] == "pending"

    desk.advance(seconds=60)
    desk.run_due()

    assert files_of(desk)[0]["state"] == "stored"
    assert len(desk.rows("SELECT sha256 FROM blobs")) == 1
    assert len(desk.events(desk.ticket(), "attachment_stored")) == 1


def _crash(*_: object) -> None:
    raise ConnectionError


def test_a_file_that_is_known_is_not_fetched_again(desk: Desk, provider: Provider) -> None:
    receive(desk, file("f1", key="unique"))
    desk.run_due()

    receive(desk, file("f2", key="unique"), file("f3", key="another"))
    desk.run_due()

    assert provider.asked == ["f1", "f3"]
    assert [one["state"] for one in files_of(desk)] == ["stored"] * 3


@pytest.mark.parametrize("size", [20 * limits.MIB + 1, 0])
def test_a_file_that_is_too_large_is_named_and_its_sender_is_notified_once_a_message(
    desk: Desk, provider: Provider, size: int
) -> None:
    """By the announced size before anything is asked, or by the provider's word."""
    for provider_id in ("f1", "f2"):
        provider.answers[provider_id] = [TooLarge("file is too big")]
    receive(desk, file("f1", size=size), file("f2", size=size, name="video.mp4"))

    desk.run_due()

    assert [one["state"] for one in files_of(desk)] == ["too_large", "too_large"]
    assert all("20 MB" in one["reason"] for one in files_of(desk))
    assert provider.asked == ([] if size else ["f1", "f2"])
    [text] = told(desk)
    assert "20 MB" in text
    assert "файл" in text, "in the requester's own language"
    events = desk.events(desk.ticket(), "attachment_failed")
    assert sorted(event["payload"]["requester_told"] for event in events) == [False, True]


def test_an_accounts_own_bound_and_words_count(desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    find = accounts.find

    def own(channel: str, name: str) -> ChannelAccount:
        account = find(channel, name)
        config = account.config | {
            "attachment_bytes_max": 3,
            "texts": {"file_too_large": {"ru": "{filename}: больше {limit}, {увы}"}},
        }
        return ChannelAccount(account.channel, account.name, account.version, config)

    monkeypatch.setattr("models.channels.accounts.find", own)
    receive(desk, file())

    desk.run_due()

    assert files_of(desk)[0]["state"] == "too_large"
    assert told(desk) == ["photo.jpg: больше 1 kB, {увы}"]


def test_machines_are_not_told(desk: Desk, provider: Provider) -> None:
    receive(desk, file(size=99 * limits.MIB), automatic="auto_reply")

    desk.run_due()

    assert files_of(desk)[0]["state"] == "too_large"
    assert told(desk) == []


def test_the_caps_of_automatic_messages_hold(desk: Desk, provider: Provider) -> None:
    for number in range(limits.acknowledgements_burst + 5):
        receive(desk, file(f"f{number}", size=99 * limits.MIB))
        desk.run_due()

    assert 0 < len(told(desk)) <= limits.acknowledgements_burst
    assert {one["state"] for one in files_of(desk)} == {"too_large"}


def test_a_file_that_is_gone_is_shown_with_the_reason(desk: Desk, provider: Provider) -> None:
    provider.answers["f1"] = [PermanentFailure("Telegram does not give the file")]
    receive(desk, file())

    desk.run_due()

    [found] = files_of(desk)
    assert (found["state"], found["reason"]) == ("failed", "Telegram does not give the file")
    [event] = desk.events(desk.ticket(), "attachment_failed")
    assert event["payload"]["reason"] == "Telegram does not give the file"
    assert told(desk) == []


def test_a_file_that_is_given_up_on_is_shown_with_the_reason(desk: Desk, provider: Provider) -> None:
    provider.answers["f1"] = [TransientFailure("away")]
    receive(desk, file())
    desk.run_due()

    for _ in range(100):
        desk.advance(hours=1)
        desk.run_due()
        if desk.tasks("dead", kind="fetch_attachment"):
            break

    [found] = files_of(desk)
    assert found["state"] == "failed"
    assert "away" in found["reason"] or "given up" in found["reason"]


def test_a_missing_credential_is_corrected_by_the_operator_and_loses_no_file(desk: Desk, provider: Provider) -> None:
    provider.answers["f1"] = [ConfigurationError("credential telegram_demo_token is missing"), PHOTO]
    receive(desk, file())
    desk.run_due()

    desk.advance(seconds=60)
    desk.run_due()

    assert files_of(desk)[0]["state"] == "stored"
