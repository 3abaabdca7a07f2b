"""winmail.dat gives its files and its text back; broken ones stay the file that they are."""

from __future__ import annotations

import base64
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.inbox.port import InboundMessage
from queues.channels.email import rtf
from queues.channels.email.parse import read_mail
from queues.channels.email.tnef import read_tnef
from tests.queues.channels import golden
from tests.queues.channels.email import tnef_writer as writer

HTML_IN_RTF = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\generator x;}"
    rb"{\*\htmltag19 <html>}{\*\htmltag50 <body>}\htmlrtf {\htmlrtf0 {\*\htmltag84 <b>}\htmlrtf {\b\htmlrtf0 Gr\'fc\'dfe"
    rb"{\*\htmltag92 </b>}\htmlrtf\b0}\htmlrtf0 \u8212? {\*\htmltag84 &amp;}\htmlrtf &\htmlrtf0  more{\*\htmltag58 </body>}}"
)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def mail_with(winmail: bytes, text: str = "") -> InboundMessage:
    head = b'From: ada@example.test\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n'
    part = b"\r\n--b\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    parsed = read_mail(
        head + text.encode() + part + base64.encodebytes(winmail) + b"--b--\r\n", {}, golden.EMAIL
    )
    assert isinstance(parsed, InboundMessage)
    golden.storable(parsed)
    return parsed


def test_files_have_their_long_names_and_bytes() -> None:
    cyrillic = writer.file(
        title=b"otchet~1.pdf", data=b"%PDF", properties=[(0x3707, writer.UNICODE, utf16("отчёт.pdf"))]
    )
    codepage = writer.file(
        title=b"short",
        properties=[(0x3701, writer.BINARY, b"by property"), (0x3707, writer.STRING, b"na\xefve.txt\0")],
    )
    titled = writer.file(title=b"only title.bin", data=bytes(range(256)))

    found = read_tnef(writer.tnef(files=[cyrillic, codepage, titled]))

    assert found is not None
    assert [(one.name, one.content) for one in found.files] == [
        ("отчёт.pdf", b"%PDF"),
        ("naïve.txt", b"by property"),
        ("only title.bin", bytes(range(256))),
    ]


def test_an_attached_message_gives_its_text_and_its_files() -> None:
    inner = writer.tnef(
        properties=[(0x0037, writer.UNICODE, utf16("Old mail")), (0x1000, writer.UNICODE, utf16("Words"))],
        files=[writer.file(title=b"deep.bin", data=b"deep")],
    )
    outer = writer.tnef(
        files=[writer.file(title=b"mail", properties=[(0x3701, writer.OBJECT, writer.MESSAGE_IID + inner)])]
    )

    found = read_tnef(outer)

    assert found is not None
    assert [(one.name, one.content) for one in found.files] == [
        ("Old mail.txt", b"Words"),
        ("deep.bin", b"deep"),
    ]


@pytest.mark.parametrize(
    ("properties", "body", "text", "html"),
    [
        ([(0x1000, writer.UNICODE, utf16("Привет"))], b"", "Привет", ""),
        ([(0x1000, writer.STRING, b"caf\xe9\0")], b"", "café", ""),
        ([], b"plain\0", "plain", ""),
        (
            [(0x3FDE, writer.LONG, struct.pack("<I", 65001)), (0x1013, writer.BINARY, "<p>ü</p>".encode())],
            b"",
            "",
            "<p>ü</p>",
        ),
        (
            [(0x1009, writer.BINARY, writer.uncompressed_rtf(rb"{\rtf1\ansi Hello\par there \{x\}}"))],
            b"",
            "Hello\nthere {x}",
            "",
        ),
        (
            [(0x1009, writer.BINARY, writer.uncompressed_rtf(HTML_IN_RTF))],
            b"",
            "",
            "<html><body><b>Grüße</b>— &amp; more</body>",
        ),
    ],
)
def test_the_text_is_found_in_each_of_its_forms(
    properties: list[writer.Property], body: bytes, text: str, html: str
) -> None:
    found = read_tnef(writer.tnef(properties=properties, body=body))

    assert found is not None
    assert (found.text, found.html) == (text, html)


@given(
    st.binary(min_size=1, max_size=600)
    | st.text(alphabet="ab {}\\rtf", min_size=1, max_size=600).map(str.encode)
)
def test_what_was_compressed_comes_back(document: bytes) -> None:
    assert rtf.decompressed(writer.compressed_rtf(document, rtf.DICTIONARY)) == document


def test_the_specification_s_example_is_decompressed() -> None:
    """MS-OXRTFCP 4.1.1."""
    compressed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )

    assert rtf.decompressed(compressed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def test_compressed_text_repeats_what_it_has_just_written() -> None:
    """A match may reach into the bytes that it writes itself (MS-OXRTFCP 3.1.1): one byte becomes a run."""
    start = len(rtf.DICTIONARY)
    run = bytes([0b10]) + b"x" + struct.pack(">H", start << 4 | 7)

    assert rtf.decompressed(struct.pack("<IIII", 0, 10, 0x75465A4C, 0) + run) == b"x" * 10


def test_a_mail_shows_what_was_packed_and_hides_the_package() -> None:
    winmail = writer.tnef(
        properties=[(0x1000, writer.UNICODE, utf16("The body of Outlook"))],
        files=[writer.file(title=b"a.pdf", data=b"%PDF")],
    )

    without_text, with_text = mail_with(winmail), mail_with(winmail, "Visible text")

    assert (without_text.body, with_text.body) == ("The body of Outlook", "Visible text")
    assert [(info.filename, info.hidden, info.size_bytes) for info in with_text.attachments] == [
        ("winmail.dat", True, len(winmail)),
        ("a.pdf", False, 4),
    ]
    assert with_text.attachments[1].content_type == "application/pdf"


def test_the_html_of_outlook_is_cleaned_like_any() -> None:
    winmail = writer.tnef(properties=[(0x1013, writer.BINARY, b"<p>Hi<script>x</script></p>")])

    message = mail_with(winmail)

    assert (message.body, message.body_html) == ("Hi", "<p>Hi</p>")


@pytest.mark.parametrize(
    "broken", [b"", b"x" * 50, writer.tnef(files=[writer.file(title=b"a", data=b"%PDF")])[:-30]]
)
def test_a_broken_one_stays_a_file(broken: bytes) -> None:
    message = mail_with(broken, "text")

    assert [(info.filename, info.hidden, info.content) for info in message.attachments] == [
        ("winmail.dat", False, broken)
    ]


@given(st.data())
def test_no_bytes_raise(data: st.DataObject) -> None:
    sample = bytearray(
        writer.tnef(
            properties=[
                (0x1009, writer.BINARY, writer.compressed_rtf(HTML_IN_RTF, rtf.DICTIONARY)),
                (0x1000, writer.STRING, b"x"),
            ],
            files=[
                writer.file(title=b"a", data=b"b", properties=[(0x3707, writer.UNICODE, utf16("long name"))])
            ],
        )
    )
    for at in data.draw(st.lists(st.integers(6, len(sample) - 1), min_size=1, max_size=8)):
        sample[at] = data.draw(st.integers(0, 255))

    read_tnef(bytes(sample))
    rtf.readable(bytes(sample))


def test_what_it_claims_costs_nothing() -> None:
    header = struct.pack("<IH", 0x223E9F78, 1)
    values = struct.pack("<IHHI", 1, writer.BINARY, 0x1009, 0xFFFFFFFF) + bytes(4) * 200_000
    groups = b"{\\rtf1 " + b"{" * 500_000 + b"\\'e9" * 100_000
    endless = (
        struct.pack("<IIII", 0, 0xFFFFFFFF, 0x75465A4C, 0) + (b"\xff" + struct.pack(">H", 15) * 8) * 20_000
    )
    started = time.process_time()

    read_tnef(header + writer.attribute(1, 0x9003, values))
    read_tnef(header + writer.attribute(1, 0x9007, b"") * 100_000)
    rtf.readable(groups)
    unpacked = rtf.decompressed(endless)

    assert unpacked is not None
    assert len(unpacked) < 1_100_000
    assert time.process_time() - started < 6.0
