"""Files: the right kind, albums, captions, what Telegram holds already, and what it will never take."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kernel import limits
from models.kernel.errors import NotFound, Unavailable
from models.ports.outbound import Button, OutgoingAttachment
from queues.channels.telegram.writing import media
from scripts.sandbox.client import SandboxProcess
from tests.queues.channels.telegram.conftest import SendTo, attachment

JPEG, PDF = ("a.jpg", "image/jpeg"), ("a.pdf", "application/pdf")


def methods(sandbox: SandboxProcess) -> list[str]:
    return [entry["method"] for entry in sandbox.outbox("telegram")]


@pytest.mark.parametrize(
    ("content_type", "size_bytes", "kind"),
    [
        ("image/jpeg", 1, "photo"),
        ("image/PNG; x=1", 1, "photo"),
        ("image/webp", limits.telegram_photo_bytes_max, "photo"),
        ("image/jpeg", limits.telegram_photo_bytes_max + 1, "document"),
        ("image/svg+xml", 1, "document"),
        ("image/gif", 1, "animation"),
        ("video/mp4", 1, "video"),
        ("video/webm", 1, "document"),
        ("audio/mpeg", 1, "audio"),
        ("audio/x-m4a", 1, "audio"),
        ("audio/ogg", 1, "voice"),
        ("audio/wav", 1, "document"),
        ("application/pdf", 1, "document"),
        ("", 1, "document"),
    ],
)
def test_a_file_goes_as_the_kind_of_its_type_and_size(content_type: str, size_bytes: int, kind: str) -> None:
    assert media.kind_of(attachment("x", content_type, size_bytes=size_bytes)) == kind


@pytest.mark.parametrize(
    ("content_type", "method", "field"),
    [
        ("image/jpeg", "sendPhoto", "photo"),
        ("image/gif", "sendAnimation", "animation"),
        ("video/mp4", "sendVideo", "video"),
        ("audio/mpeg", "sendAudio", "audio"),
        ("audio/ogg", "sendVoice", "voice"),
        ("text/plain", "sendDocument", "document"),
    ],
)
def test_a_single_file_carries_a_short_text_as_its_caption(
    send_to: SendTo, sandbox: SandboxProcess, content_type: str, method: str, field: str
) -> None:
    content = bytes(range(256)) * 40

    outcome = send_to(
        body="**See** this",
        body_format="markdown",
        attachments=(attachment("ä b.bin", content_type, content),),
    )

    (entry,) = sandbox.outbox("telegram")
    assert (entry["method"], entry["text"]) == (method, "See this")
    assert entry["message"]["caption_entities"] == [{"type": "bold", "offset": 0, "length": 3}]
    assert field in entry["message"]
    assert (sandbox.data_dir / "files" / entry["files"][0]["sha256"]).read_bytes() == content
    assert outcome.kind == "accepted"
    assert outcome.file_ids == ((entry["files"][0]["sha256"], f"sandbox-{entry['files'][0]['sha256']}"),)


def test_a_long_text_goes_first_and_the_file_after_it(send_to: SendTo, sandbox: SandboxProcess) -> None:
    outcome = send_to(body="x" * 1_025, attachments=(attachment(*PDF),))

    assert methods(sandbox) == ["sendMessage", "sendDocument"]
    assert len(outcome.external_ids) == 2
    assert outcome.external_id == outcome.external_ids[0]
    assert "caption" not in sandbox.outbox("telegram")[1]["message"]


def test_files_that_go_together_become_albums(send_to: SendTo, sandbox: SandboxProcess) -> None:
    files = (
        attachment("1.jpg", "image/jpeg", b"1"),
        attachment("2.pdf", "application/pdf", b"2"),
        attachment("3.mp4", "video/mp4", b"3"),
        attachment("4.mp3", "audio/mpeg", b"4"),
        attachment("5.txt", "text/plain", b"5"),
        attachment("6.gif", "image/gif", b"6"),
        attachment("7.mp3", "audio/mpeg", b"7"),
    )

    outcome = send_to(body="all", attachments=files)

    entries = sandbox.outbox("telegram")
    sent = [(e["method"], e["message"].get("media_group_id"), e["files"][0]["filename"]) for e in entries[1:]]
    assert [name for _, _, name in sent] == ["1.jpg", "3.mp4", "2.pdf", "5.txt", "4.mp3", "7.mp3", "6.gif"]
    assert [method for method, _, _ in sent] == ["sendMediaGroup"] * 6 + ["sendAnimation"]
    assert len({group for _, group, _ in sent}) == 4
    assert [f"700100:{entry['message_id']}" for entry in entries] == list(outcome.external_ids)
    assert len(outcome.file_ids) == 7


@given(
    st.lists(st.sampled_from(["image/jpeg", "video/mp4", "text/plain", "audio/mpeg", "image/gif"]), max_size=40),
    st.booleans(),
)
def test_albums_hold_two_to_ten_of_what_goes_together_and_lose_nothing(types: list[str], alone_last: bool) -> None:
    files = [attachment(str(number), content_type) for number, content_type in enumerate(types)]

    groups = media.groups(files, alone_last=alone_last)

    assert sorted(one.filename for group in groups for one in group) == sorted(one.filename for one in files)
    assert all(1 <= len(group) <= 10 for group in groups)
    for group in groups:
        kinds = {media.kind_of(one) for one in group}
        assert len(group) == 1 or kinds <= {"photo", "video"} or kinds in ({"document"}, {"audio"})
    assert not (alone_last and files) or groups[-1] == [files[-1]]


def test_buttons_stand_under_the_text_or_under_the_last_file(send_to: SendTo, sandbox: SandboxProcess) -> None:
    buttons = (Button("5", "tok", "5"),)
    two = (attachment(*JPEG, b"1"), attachment("b.jpg", "image/jpeg", b"2"))

    send_to(body="x", attachments=two, buttons=buttons)
    send_to(body="", attachments=two, buttons=buttons)

    entries = sandbox.outbox("telegram")
    assert [(e["method"], "reply_markup" in e["message"]) for e in entries] == [
        ("sendMessage", True),
        ("sendMediaGroup", False),
        ("sendMediaGroup", False),
        ("sendPhoto", False),
        ("sendPhoto", True),
    ]


def test_what_telegram_holds_is_not_uploaded_again(send_to: SendTo, sandbox: SandboxProcess) -> None:
    content = b"held"
    file_id = sandbox.store_file(content, filename="a.pdf")

    def unread() -> Any:
        raise AssertionError("the bytes are not needed")

    send_to(body="", attachments=(attachment(*PDF, content, provider_id=file_id, open=unread),))

    assert sandbox.outbox("telegram")[0]["raw"]["document"] == file_id


def test_a_file_name_of_another_bot_is_replaced_by_the_bytes(send_to: SendTo, sandbox: SandboxProcess) -> None:
    outcome = send_to(body="", attachments=(attachment(*PDF, provider_id="another-bots-name-of-the-file"),))

    assert (outcome.kind, methods(sandbox)) == ("accepted", ["sendDocument"])
    assert sandbox.outbox("telegram")[0]["files"][0]["size_bytes"] == 5


def test_a_name_that_is_no_file_id_never_becomes_a_file_of_ours(send_to: SendTo, sandbox: SandboxProcess) -> None:
    send_to(body="", attachments=(attachment(*PDF, b"mine", provider_id="requirements.txt"),))

    (entry,) = sandbox.outbox("telegram")
    assert entry["files"][0]["size_bytes"] == 4


def test_a_picture_that_telegram_cannot_show_goes_as_a_document(send_to: SendTo, sandbox: SandboxProcess) -> None:
    sandbox.fail("400", method="sendPhoto", description="Bad Request: PHOTO_INVALID_DIMENSIONS")

    outcome = send_to(body="", attachments=(attachment(*JPEG),))

    assert (outcome.kind, methods(sandbox)) == ("accepted", ["sendDocument"])


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [(limits.telegram_upload_bytes_max + 1, "takes files of up to 50 MB"), (0, "takes no empty file")],
)
def test_a_file_that_telegram_never_takes_is_refused_before_anything_is_sent(
    send_to: SendTo, sandbox: SandboxProcess, size_bytes: int, said: str
) -> None:
    good, bad = attachment(*PDF), attachment("b.pdf", "application/pdf", size_bytes=size_bytes)

    outcome = send_to(attachments=(good, bad))

    assert outcome.kind == "permanent"
    assert said in outcome.detail
    assert outcome.detail.startswith("file 2 ")
    assert methods(sandbox) == []


class _Endless(io.RawIOBase):
    """More than was announced."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = bytes(len(buffer))
        self.count = getattr(self, "count", 0) + len(buffer)
        return len(buffer) if self.count < limits.telegram_upload_bytes_max + 2_000_000 else 0


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotFound("the file is gone"), "permanent"),
        (Unavailable("the store is away"), "transient"),
        (OSError(), "transient"),
    ],
)
def test_bytes_that_cannot_be_read_say_whether_to_try_again(send_to: SendTo, error: Exception, kind: str) -> None:
    def away() -> Any:
        raise error

    assert send_to(body="", attachments=(attachment(*PDF, open=away),)).kind == kind


def test_a_file_that_is_larger_than_announced_is_refused(send_to: SendTo, sandbox: SandboxProcess) -> None:
    outcome = send_to(body="", attachments=(attachment(*PDF, open=_Endless),))

    assert outcome.kind == "permanent"
    assert methods(sandbox) == []


def test_a_later_file_that_fails_reports_the_arrived_files(send_to: SendTo, sandbox: SandboxProcess) -> None:
    sandbox.fail("500", method="sendDocument")

    outcome = send_to(body="x" * 1_025, attachments=(attachment(*PDF),))

    (entry,) = sandbox.outbox("telegram")
    assert outcome.partly_sent
    assert outcome.external_ids == (f"700100:{entry['message_id']}",)


def test_an_attachment_of_an_album_is_streamed_whole(send_to: SendTo, sandbox: SandboxProcess) -> None:
    big: list[OutgoingAttachment] = [
        attachment(f"{number}.bin", "application/octet-stream", bytes([number]) * 3_000_000) for number in (1, 2)
    ]

    outcome = send_to(body="", attachments=tuple(big))

    assert outcome.kind == "accepted"
    sizes = [entry["files"][0]["size_bytes"] for entry in sandbox.outbox("telegram")]
    assert sizes == [3_000_000, 3_000_000]
