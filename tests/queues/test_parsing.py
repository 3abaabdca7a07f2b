"""A large event is parsed by a child, which is ended when it takes too long or too much."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.ports.inbound import InboundMessage, Unparseable
from queues.parser import parsing
from tests.desk import Desk
from tests.queues.channels.golden import EMAIL

MAIL = b"From: Ada <ada@example.com>\r\nSubject: Printer\r\nMessage-ID: <1@x>\r\n\r\nIt burns.\r\n"


@pytest.fixture(autouse=True)
def own_child(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SECRET_KEY", "forty-two characters for the desk's tests")
    parsing.close()
    yield
    parsing.close()


def large(mail: bytes = MAIL) -> bytes:
    """The mail with an attachment that makes it the child's."""
    boundary = b"cut"
    head, _, body = mail.partition(b"\r\n\r\n")
    filler = b"QUJD" * 19 + b"\r\n"
    content = filler * (limits.parse_here_bytes_max // len(filler) + 1)
    return (
        head
        + b'\r\nContent-Type: multipart/mixed; boundary="cut"\r\n\r\n--'
        + boundary
        + b"\r\n\r\n"
        + body
        + b"\r\n--cut\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + content
        + b"--cut--\r\n"
    )


def slow_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    """A child that does `does` with its first request instead of parsing it."""
    script = tmp_path / "child.py"
    script.write_text(
        textwrap.dedent(f"""
        import os, sys, time
        sys.stdout.buffer.write(bytes(16))
        sys.stdout.buffer.flush()
        sys.stdin.buffer.read(16)
        {does}
        """)
    )
    real = subprocess.Popen

    def start(command: list[str], **more: Any) -> object:
        return real([sys.executable, str(script)], **more)

    monkeypatch.setattr(subprocess, "Popen", start)


def test_a_large_mail_reads_as_a_small_one_does() -> None:
    parsed = parsing.parse("email", large(), {}, EMAIL)
    again = parsing.parse("email", large(), {}, EMAIL)

    assert isinstance(parsed, InboundMessage)
    assert parsed == again
    assert parsed.body == "It burns."
    assert parsed.attachments[0].content is not None


def test_what_the_parser_raises_is_raised_here() -> None:
    nobody = large(MAIL.replace(b"From: Ada <ada@example.com>\r\n", b""))

    with pytest.raises(Unparseable, match="no sender"):
        parsing.parse("email", nobody, {}, EMAIL)


def test_a_child_that_takes_too_long_is_ended_and_the_next_event_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "parse_s", 1.0)
    with monkeypatch.context() as patched:
        slow_child(tmp_path, patched, "time.sleep(600)")
        began = time.monotonic()
        with pytest.raises(parsing.TookTooLong):
            parsing.parse("email", large(), {}, EMAIL)
        took_s = time.monotonic() - began

    monkeypatch.setattr(limits, "parse_s", 30.0)
    assert isinstance(parsing.parse("email", large(), {}, EMAIL), InboundMessage)
    assert took_s < 10


def test_a_child_that_dies_of_an_event_fails_that_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_child(tmp_path, monkeypatch, "os._exit(9)")

    with pytest.raises(Unparseable, match="want of memory"):
        parsing.parse("email", large(), {}, EMAIL)


def test_a_child_that_went_to_rest_is_started_again() -> None:
    parsing.parse("email", large(), {}, EMAIL)
    child = parsing._child.process
    assert child is not None
    assert child.stdin is not None
    child.stdin.close()
    child.wait(30)

    assert isinstance(parsing.parse("email", large(), {}, EMAIL), InboundMessage)


def test_an_event_that_takes_too_long_is_kept_and_can_be_replayed(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.inbox import commands as inbox

    monkeypatch.setattr(limits, "parse_s", 1.0)
    with monkeypatch.context() as patched:
        slow_child(tmp_path, patched, "time.sleep(600)")
        event = desk.receive_raw("email", large(), content_type="message/rfc822")
        desk.run_due()
    failed = desk.inbox(event)

    monkeypatch.setattr(limits, "parse_s", 30.0)
    desk.command(inbox.replay, event)
    desk.run_due()

    assert failed["status"] == "failed"
    assert "longer than" in failed["reason"]
    assert desk.bodies(desk.ticket()) == ["It burns."]


def test_a_small_event_needs_no_child() -> None:
    account: ChannelAccount = EMAIL

    parsing.parse("email", MAIL, {}, account)

    assert parsing._child.process is None


def test_an_answer_that_nobody_read_is_not_the_next_events(monkeypatch: pytest.MonkeyPatch) -> None:
    other = large(MAIL.replace(b"It burns.", b"Somebody else's words.").replace(b"ada@", b"eve@"))

    class Interrupt(BaseException):
        """What a time limit raises in a worker's thread."""

    def interrupted(stream: object, length: int, deadline: float) -> bytes:
        raise Interrupt()

    with monkeypatch.context() as patched:
        patched.setattr(parsing, "_received", interrupted)
        with pytest.raises(Interrupt):
            parsing.parse("email", other, {}, EMAIL)
    parsed = parsing.parse("email", large(), {}, EMAIL)

    assert isinstance(parsed, InboundMessage)
    assert (parsed.author_address, parsed.body) == ("ada@example.com", "It burns.")


def test_a_child_without_memory_fails_the_event_and_not_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    real = subprocess.Popen
    program = (
        "import sys; from models.kernel import limits; limits.parse_memory_bytes_max = 160 * limits.MIB;"
        " from queues.parser import parsing; parsing.main()"
    )

    def start(command: list[str], **more: Any) -> object:
        return real([sys.executable, "-c", program], **more)

    monkeypatch.setattr(subprocess, "Popen", start)
    huge = large(MAIL) + b"A" * (60 * limits.MIB)

    with pytest.raises(Unparseable, match="want of memory"):
        parsing.parse("email", huge, {}, EMAIL)
