"""A mail over a limit still becomes a message, in bounded time and memory."""

from __future__ import annotations

import base64
import time
import tracemalloc
from collections.abc import Callable

import pytest

from models.ports.inbound import Ignored, InboundMessage, Unparseable
from queues.channels.email.parse import read_mail
from tests.queues.channels import golden

FROM = b"From: Ada <ada@example.test>\r\n"
MULTIPART = FROM + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
SECONDS_MAX = 8.0  # two where this was written, on one of two busy cores
MIB = 1024 * 1024


def read(raw: bytes) -> InboundMessage:
    parsed = read_mail(raw, {}, golden.EMAIL)
    assert isinstance(parsed, InboundMessage)
    golden.storable(parsed)
    return parsed


def test_omitted_parts_are_reported_to_people_and_to_programs() -> None:
    part = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n"

    message = read(MULTIPART + b"--b\r\n\r\nHello\r\n" + part * 100_000)

    assert message.body.startswith("Hello\n[Not all of this mail was read: more than 200 parts")
    assert message.details["left_out"] == ["more than 200 parts", "more than 50 attachments"]
    assert len(message.attachments) == 50


def test_a_text_without_end_is_read_to_its_limit() -> None:
    message = read(FROM + b"\r\n" + b"word " * 2_000_000)

    assert message.details["left_out"] == ["more than 2 MB of text"]
    assert len(message.body) == 100_000


def test_twenty_thousand_addresses_give_a_hundred_copies() -> None:
    to = b",\r\n ".join(b"P%d <p%d@example.test>" % (n, n) for n in range(20_000))

    message = read(FROM + b"To: " + to + b"\r\n\r\nx")

    assert len(message.copies) == 100
    assert message.copies[0].address == "p0@example.test"


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (b"(" * 3_000 + b"x" + b")" * 3_000 + b" ada@example.test", "ada@example.test"),
        (b'"' * 60_001 + b"<ada@example.test>", "ada@example.test"),
    ],
)
def test_nested_comments_and_quotes_cost_one_pass(value: bytes, address: str) -> None:
    assert read(b"From: " + value + b"\r\n\r\nx").author_address == address


def attachment(encoding: bytes, body: bytes) -> bytes:
    head = (
        b"--b\r\n\r\nSee attached\r\n--b\r\nContent-Type: application/zip; name=big.zip\r\nContent-Transfer-Encoding: "
    )
    return MULTIPART + head + encoding + b"\r\n\r\n" + body + b"\r\n--b--\r\n"


def test_a_file_of_25_mb_costs_less_memory_than_three_times_the_mail() -> None:
    content = bytes(range(256)) * (25 * MIB // 256)
    raw = attachment(b"base64", base64.encodebytes(content))
    tracemalloc.start()

    message = read_mail(raw, {}, golden.EMAIL)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert isinstance(message, InboundMessage)
    assert message.attachments[0].content == content
    assert peak + len(raw) < 3 * len(raw)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "base64 of paddings": lambda: attachment(b"base64", b"QQ==\r\n" * 1_000_000),
    "base64 of equal signs": lambda: attachment(b"base64", b"=" * 5_000_000),
    "base64 of nothing": lambda: attachment(b"base64", b"\r\n" * 5_000_000),
    "quoted-printable of breaks": lambda: (
        FROM + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"= \t \r\n" * 500_000
    ),
    "uuencode begins": lambda: FROM + b"\r\n" + b"begin 644 a\r\n" * 300_000,
    "uuencode of a name of blanks": lambda: FROM + b"\r\nbegin 644 x" + b" " * 2_000_000 + b"z\r\n",
    "uuencode lines": lambda: FROM + b"\r\nbegin 644 a\r\n" + b"#86)C\r\n" * 500_000,
    "flowed without end": lambda: FROM + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"> word \r\n" * 300_000,
    "a boundary in each line": lambda: MULTIPART + b"--b \r\n" * 300_000,
    "nested with one boundary": lambda: FROM + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' * 5_000,
    "parameters": lambda: FROM + b"Content-Type: text/plain" + b"; a*0*=%41" * 20_000 + b"\r\n\r\nx",
    "quotes in parameters": lambda: FROM + b'Content-Type: text/plain; name="' + b'a" ' * 20_000 + b"\r\n\r\nx",
    "encoded words": lambda: FROM + b"Subject: " + b"=?utf-8?q?a?= " * 80_000 + b"\r\n\r\nx",
    "words without end": lambda: FROM + b"Subject: " + b"=?u?q?" * 170_000 + b"\r\n\r\nx",
    "calendar": lambda: (
        FROM + b"Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\r\n" + b'X;A="' * 200_000 + b"\r\nBEGIN:X" * 50_000
    ),
    "authentication": lambda: (b"Authentication-Results: mx; " + b"a=b;" * 20_000 + b"\r\n") * 50 + FROM + b"\r\nx",
    "json of nul": lambda: FROM + b"\r\n" + b"\0" * 2_000_000,
    "escape sequences": lambda: (
        FROM + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + b"\x1b$B\x1b(B" * 300_000 + b"\x1b$B\x7f\x7f"
    ),
    "undeclared words": lambda: FROM + b"\r\n" + "Привет, ".encode("cp1251") * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail_is_read_quickly(name: str) -> None:
    raw = HOSTILE[name]()
    started = time.process_time()

    try:
        parsed = read_mail(raw, {}, golden.EMAIL)
    except Unparseable:
        pytest.fail("the mail has a sender")

    assert isinstance(parsed, (InboundMessage, Ignored))
    assert time.process_time() - started < SECONDS_MAX
