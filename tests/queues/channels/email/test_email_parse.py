"""Mail becomes messages, whatever software or stranger wrote it, and in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ports.inbound import Ignored, InboundMessage, Unparseable
from queues.channels.email.parse import read_mail as parse
from tests.queues.channels import golden

FROM = b"From: Ada <ada@example.test>\r\n"
MEGABYTE = 1_000_000
SECONDS_MAX = (
    6.0  # for 1 MB; the parser needs 1.8 s for the worst of these (HTML is read, cut and cleaned), and machines differ
)


def read(raw: bytes, **envelope: str) -> InboundMessage:
    parsed = parse(raw, envelope, golden.EMAIL)
    assert isinstance(parsed, InboundMessage)
    golden.storable(parsed)
    return parsed


def read_text(text: str, subject: str = "x") -> InboundMessage:
    head = f"Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    return read(FROM + head.encode() + text.encode())


@pytest.mark.parametrize("fixture", golden.fixtures("email"), ids=lambda path: path.stem)
def test_a_recorded_mail_reads_as_it_did(fixture: Path) -> None:
    parsed = read(fixture.read_bytes())

    golden.check(fixture, parsed)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\nFrom: Ada\r\n",
        b"no header at all",
        b"From: nobody\r\n\r\nx",
        b"From: @\r\n\r\n",
        b"From: a@\r\n\r\nx",
    ],
)
def test_a_mail_of_nobody_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(Unparseable, match="no sender"):
        parse(raw, {}, golden.EMAIL)


def test_without_a_usable_from_the_envelope_names_the_author() -> None:
    assert read(b"From: nobody\r\nReturn-Path: <Bob@x.test>\r\n\r\nx").contact_address == "bob@x.test"
    assert read(b"Subject: x\r\n\r\nx", **{"from": "<eve@x.test>"}).contact_address == "eve@x.test"


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        (b"ada@example.test", "ada@example.test", "ada"),
        (b"<ADA@Example.Test>", "ada@example.test", "ada"),
        (b'"Lovelace, Ada" <ada@example.test>', "ada@example.test", "Lovelace, Ada"),
        (b'"Ada \\"L\\"" <ada@example.test>', "ada@example.test", 'Ada "L"'),
        (b'"eve@evil.test" <ada@example.test>', "ada@example.test", "eve@evil.test"),
        (b"ada@example.test (Ada)", "ada@example.test", "Ada"),
        (b"=?utf-8?q?Ad=C3=A0?= <ada@example.test>", "ada@example.test", "Adà"),
        (b"=?utf-8?b?QWRhIDxhZGFAZXhhbXBsZS50ZXN0Pg==?=", "ada@example.test", "Ada"),
        (b"=?utf-8?q?=D0?= =?utf-8?q?=98?= <ada@example.test>", "ada@example.test", "И"),
        (b"Ada Lovelace ada@example.test", "ada@example.test", "Ada Lovelace"),
        ("Ренé <ada@example.test>".encode(), "ada@example.test", "Ренé"),
        (b"team: ada@example.test, bob@example.test;", "ada@example.test", "ada"),
        (b"Ada\x00\x07 <ada@example.test>", "ada@example.test", "Ada"),
        (b"(((((nested) comment) ada@example.test", "ada@example.test", "ada"),
    ],
)
def test_from_is_read_in_every_form_that_people_send(value: bytes, address: str, name: str) -> None:
    raw = b"From: " + value + b"\r\nReply-To: mallory@example.test\r\n\r\nx"
    message = read(raw)

    assert (message.author_address, message.author_name) == (address, name)


def test_references_name_the_answered_mail_first_and_the_newest_before_the_oldest() -> None:
    old = b" ".join(b"<%d@x>" % number for number in range(60))
    raw = (
        FROM
        + b"In-Reply-To: <r@x> (a comment)\r\nReferences: "
        + old
        + b"\r\n\t<[hex@microsoft.com]> bare@x <cut@x\r\n\r\nx"
    )

    references = read(raw).references

    assert references[:5] == ("<r@x>", "<cut@x>", "<bare@x>", "<[hex@microsoft.com]>", "<59@x>")
    assert len(references) == 50


def test_a_subject_of_a_megabyte_is_cut_and_hides_no_sender() -> None:
    folded = b"Subject: " + b"word " * 10 + b"\r\n " * 1 + b"\r\n ".join([b"a" * 70] * 14_000) + b"\r\n"

    for raw in (b"Subject: " + b"s" * 2 * MEGABYTE + b"\r\n" + FROM + b"\r\nx", folded + FROM + b"\r\nx"):
        message = read(raw)

        assert message.author_address == "ada@example.test"
        assert message.subject is not None
        assert len(message.subject) == 200


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Hi\n\nOn the other hand, wrote:\nnothing", "Hi\n\nOn the other hand, wrote:\nnothing"),
        ("Yes\n\n> quoted\n> more", "Yes"),
        ("> only\n> quotes", "> only\n> quotes"),
        ("Yes\n\nAda wrote:\n> quoted", "Yes"),
        ("Danke\n\nAm 16.11.2026 um 11:20 schrieb Desk <desk@example.test>:\n> alt", "Danke"),
        ("Да\n\n16 ноября 2026 г., 11:20, Desk <desk@example.test> написал(а):\n\nстарый текст", "Да"),
        ("Да\n\nОтправлено с iPhone", "Да"),
        ("Oui\n\n-- \nAda", "Oui"),
        ("-- \nAda", "-- \nAda"),
        ("List:\nFrom: here\nTo: there", "List:\nFrom: here\nTo: there"),
        ("OK\n\nОт: Desk\nОтправлено: 16 ноября\nКому: Ада\nТема: x\n\nстарое", "OK"),
        ("OK\n\n*Von:* Desk\n*Gesendet:* Montag\n*An:* Max\n*Betreff:* x\n\nalt", "OK"),
        (
            "See this\n\nBegin forwarded message:\n\n> From: x\n> Subject: y",
            "See this\n\nBegin forwarded message:\n\n> From: x\n> Subject: y",
        ),
    ],
)
def test_the_visible_reply_is_the_new_text_of_the_person(text: str, reply: str) -> None:
    message = read_text(text)

    assert message.body == reply
    assert message.body_full == (None if reply == text else text)


def test_a_forward_by_its_subject_keeps_the_header_block() -> None:
    text = "Look\n\nFrom: Desk\nSent: Monday\nTo: Ada\nSubject: x\n\nold"

    assert read_text(text, subject="WG: x").body == text


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (b"", None),
        (b"Auto-Submitted: no\r\n", None),
        (b"Auto-Submitted: auto-generated; owner-email=x\r\n", "auto_reply"),
        (b"X-Auto-Response-Suppress: None\r\n", None),
        (b"X-Auto-Response-Suppress: OOF, AutoReply\r\n", "auto_reply"),
        (b"X-Loop: x\r\n", "auto_reply"),
        (b"Precedence: auto_reply\r\n", "auto_reply"),
        (b"Return-Path: <>\r\n", "auto_reply"),
        (b"Return-Path: <ada@example.test>\r\n", None),
        (b"Precedence: Bulk\r\n", "bulk"),
        (b"List-Id: <x>\r\n", "bulk"),
        (b"X-Failed-Recipients: bob@x.test\r\n", "bounce"),
        (b"Content-Type: multipart/report; report-type=delivery-status\r\n", "bounce"),
        (b"Content-Type: multipart/report; report-type=disposition-notification\r\n", "auto_reply"),
    ],
)
def test_what_no_person_wrote_is_marked(headers: bytes, kind: str | None) -> None:
    assert read(FROM + headers + b"\r\nx").automatic == kind


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("MAILER-DAEMON@x.test", "bounce"),
        ("no-reply@x.test", "bulk"),
        ("Desk@Example.test", "own"),
        ("noreen@x.test", None),
    ],
)
def test_the_sender_alone_can_mark_a_machine(sender: str, kind: str | None) -> None:
    assert read(f"From: <{sender}>\r\n\r\nx".encode()).automatic == kind


def test_a_null_envelope_sender_marks_a_machine() -> None:
    assert read(FROM + b"\r\nx", **{"from": ""}).automatic == "auto_reply"
    assert read(FROM + b"\r\nx", **{"from": "ada@example.test"}).automatic is None


def test_what_lies_beyond_a_bound_is_left_out_and_said() -> None:
    head = FROM + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    part = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n"

    message = read(head + b"--b\r\n\r\nHello\r\n" + part * 300 + b"--b--\r\n")

    assert message.body.startswith(
        "Hello\n[Not all of this mail was read: more than 200 parts; more than 50 attachments"
    )
    assert len(message.attachments) == 50


def nested(depth: int) -> bytes:
    levels = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth))
    return FROM + b"".join(levels) + b"\r\nhello\r\n"


MULTIPART = FROM + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
HTML = FROM + b"Content-Type: text/html\r\n\r\n"
REPORT = FROM + b'X-Failed-Recipients: a@b\r\nContent-Type: multipart/report; boundary="r"\r\n\r\n--r\r\n\r\nSorry.\r\n'
UU = b"Content-Type: image/png\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n"
HOSTILE: dict[str, Callable[[], bytes]] = {
    "nested 1,000 deep": lambda: nested(1_000),
    "nested 20,000 deep": lambda: nested(20_000),
    "100,000 parts": lambda: MULTIPART + b"--b\r\n\r\nx\r\n" * 100_000,
    "almost boundaries": lambda: MULTIPART + b"--bx\n" * 200_000,
    **{
        f"lines of {line[:12]!r}": lambda line=line: FROM + b"\r\n" + line * (MEGABYTE // len(line))  # type: ignore[misc]
        for line in (
            b">\n",
            b"On the other hand\n",
            b"On 1.1.2026 10:10 b@c wrote:\n",
            b"a b:\n",
            b"From: x\n",
            b"-- \n",
            b"\n",
            b"On " + b"a b c d e f g " * 20 + b":\n",
            b"a@",
            b"_" * 12 + b"\n",
        )
    },
    **{
        f"html of {piece!r}": lambda piece=piece: HTML + piece * (MEGABYTE // len(piece))  # type: ignore[misc]
        for piece in (b"<", b"<!--", b'<a "', b"<div>", b"<blockquote>x", b"<style>", b"&", b"<br>", b'<a x=">">')
    },
    **{
        f"header {name!r}": lambda name=name, piece=piece: FROM + name + piece * (MEGABYTE // len(piece)) + b"\r\n\r\nx"  # type: ignore[misc]
        for name, piece in (
            (b"Subject: ", b"=?utf-8?q?a"),
            (b"References: ", b"<"),
            (b"Content-Type: t/p; ", b'a="'),
            (b"Date: ", b"1 "),
            (b"Content-Type: t/p", b";a*0=x"),
            (b"", b"x:y\n"),
            (b"X: ", b"a\n b"),
            (b"Cc: ", b"a@b,"),
        )
    },
    "from of brackets": lambda: b"From: " + b"(<" * (MEGABYTE // 2) + b"\r\nReturn-Path: <a@b>\r\n\r\nx",
    "digits without end": lambda: HTML + b"&#" + b"9" * MEGABYTE + b";&#x" + b"f" * MEGABYTE,
    "a bounce of blocks": lambda: (
        REPORT + b"\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\n" + b"Action: x\n\n" * 100_000
    ),
    "a bounce of ids": lambda: REPORT + b"\r\n" + b"> Message-ID: <a\n" * 60_000,
    "uuencode of tiny lines": lambda: FROM + UU + b"Mx\n" * 5_000_000,
    "undeclared bytes": lambda: FROM + b"\r\n" + bytes(range(128, 256)) * 8_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_megabyte_is_read_quickly(name: str) -> None:
    raw = HOSTILE[name]()

    started = time.process_time()
    parsed = parse(raw, {}, golden.EMAIL)

    assert isinstance(parsed, Ignored) or parsed.author_address in ("ada@example.test", "a@b")
    assert time.process_time() - started < SECONDS_MAX


def test_an_html_number_of_thousands_of_digits_names_no_character() -> None:
    assert read(HTML + b"a&#" + b"1" * 5_000 + b";b&#0000065;&#x42;&amp;").body == "a\ufffdbAB&"


LINES = st.sampled_from(
    [
        b"From: ada@example.test",
        b"Subject: =?x?q?a?=",
        b"Content-Type: multipart/mixed; boundary=b",
        b"--b",
        b"--b--",
        b"",
        b"Content-Type: text/html; charset=punycode",
        b"Content-Transfer-Encoding: base64",
        b"Content-Type: message/rfc822",
        b"Content-Disposition: attachment; filename*=utf-8''%00%ff",
        b"References: <a@b> <",
        b"Date: 99 Foo 99999",
        b"Content-Transfer-Encoding: x-uuencode",
        b"Content-Type: text/plain; charset=utf-7",
        b"> a",
        b"On 1.1.2026 10:10 a@b wrote:",
    ]
)


@given(st.lists(LINES | st.binary(max_size=20), max_size=25), st.sampled_from([b"\n", b"\r\n"]))
def test_any_mail_is_read_or_refused_in_words(lines: list[bytes], line_end: bytes) -> None:
    raw = FROM + line_end.join(lines)

    parsed = parse(raw, {}, golden.EMAIL)

    golden.storable(parsed)
    assert parsed == parse(raw, {}, golden.EMAIL)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes) -> None:
    try:
        parsed = parse(raw, {}, golden.EMAIL)
    except Unparseable:
        return

    golden.storable(parsed)


@pytest.mark.parametrize("written_in", ["koi8-r", "utf-8"])
def test_an_8_bit_subject_is_read_in_the_charset_of_the_mails_text(written_in: str) -> None:
    head = b"From: ada@example.test\r\nSubject: " + "Сырой".encode(written_in)
    raw = head + b"\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n" + "Текст".encode("koi8-r")

    parsed = read(raw)

    assert isinstance(parsed, InboundMessage)
    assert (parsed.subject, parsed.body) == ("Сырой", "Текст")
