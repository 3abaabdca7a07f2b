"""winmail.dat gives its files and its text back; broken ones stay the file that they are."""

from __future__ import annotations

import base64
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kernel import limits
from models.ports.inbound import InboundMessage
from queues.channels.email.parse import read_mail
from queues.channels.email.reading import rtf
from queues.channels.email.reading.tnef import read_tnef
from tests.queues.channels import golden
from tests.queues.channels.email.reading import tnef_writer as writer

HTML_IN_RTF = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\generator x;}"
    rb"{\*\htmltag19 <html>}{\*\htmltag50 <body>}\htmlrtf {\htmlrtf0 {\*\htmltag84 <b>}\htmlrtf {\b\htmlrtf0 Gr\'fc\'dfe"
    rb"{\*\htmltag92 </b>}\htmlrtf\b0}\htmlrtf0 \u8212? {\*\htmltag84 &amp;}\htmlrtf &\htmlrtf0  more{\*\htmltag58 </body>}}"
)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


def mail_with(winmail: bytes, text: str = "") -> InboundMessage:
    head = b'From: ada@example.test\r\nSubject: x\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n'
    part = (
        b"\r\n--b\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    parsed = read_mail(head + text.encode() + part + base64.encodebytes(winmail) + b"--b--\r\n", {}, golden.EMAIL)
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


@given(st.binary(min_size=1, max_size=600) | st.text(alphabet="ab {}\\rtf", min_size=1, max_size=600).map(str.encode))
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


def repeated(unit: bytes, size: int) -> bytes:
    """Compressed RTF of `size` bytes that are `unit` over and over, packed as far as it goes."""
    first = unit * (20 // len(unit) + 1)
    length = 17 // len(unit) * len(unit)
    at = len(rtf.DICTIONARY)
    tokens = [first[n : n + 1] for n in range(len(first))]
    for written in range(len(first), size, length):
        tokens.append(struct.pack(">H", (at + written - length) % 4096 << 4 | length - 2))
    groups = [tokens[n : n + 8] for n in range(0, len(tokens), 8)]
    packed = b"".join(
        bytes([sum(1 << n for n, one in enumerate(group) if len(one) == 2)]) + b"".join(group) for group in groups
    )
    return struct.pack("<IIII", 0, size, 0x75465A4C, 0) + packed


@pytest.mark.parametrize("unit", [b"\\'e9\\~", b"\\'e9\\par ", b"\\'e9\\u8212?", b"a\\~"])
@pytest.mark.parametrize("codepage", [b"", b"\\ansicpg99999 ", b"\\ansicpg932 "])
def test_a_symbol_after_each_letter_costs_no_guess_of_the_charset(unit: bytes, codepage: bytes) -> None:
    """Small as a mail, large as a document: read where other work waits."""
    packed = repeated(unit, 1024 * 1024)
    document = (rtf.decompressed(packed) or b"")[: 1024 * 1024]
    started = time.process_time()

    text, _ = rtf.readable(b"{\\rtf1" + codepage + document)

    assert len(packed) < limits.parse_here_bytes_max
    assert document == (unit * (1024 * 1024 // len(unit) + 1))[: 1024 * 1024]
    assert len(text) > 100_000
    assert time.process_time() - started < 2.0


def test_letters_after_many_symbols_stay_in_the_named_code_page() -> None:
    document = rb"{\rtf1\ansicpg1251 " + rb"\'cf\~" * 3_000 + rb"\'ef}"

    text, _ = rtf.readable(document)

    assert text == "П\xa0" * 3_000 + "п"


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


@pytest.mark.parametrize("broken", [b"", b"x" * 50, writer.tnef(files=[writer.file(title=b"a", data=b"%PDF")])[:-30]])
def test_one_without_anything_that_is_whole_stays_a_file(broken: bytes) -> None:
    message = mail_with(broken, "text")

    assert [(info.filename, info.hidden, info.content) for info in message.attachments] == [
        ("winmail.dat", False, broken)
    ]


TWO_FILES = writer.tnef(
    properties=[(0x1000, writer.UNICODE, utf16("The body of Outlook"))],
    files=[writer.file(title=b"a.pdf", data=b"%PDF first"), writer.file(title=b"b.pdf", data=b"%PDF second")],
)


@pytest.mark.parametrize("padding", [b"\0", b"\0" * 9, b"\0" * 5_000, b"\r\n", b"\0\0\r\n"])
def test_padding_behind_the_end_changes_nothing(padding: bytes) -> None:
    message = mail_with(TWO_FILES + padding, "text")

    assert [(info.filename, info.hidden, info.content) for info in message.attachments[1:]] == [
        ("a.pdf", False, b"%PDF first"),
        ("b.pdf", False, b"%PDF second"),
    ]
    assert message.attachments[0].hidden
    assert "incomplete" not in message.details


@pytest.mark.parametrize("rest", [b"--_list_footer_\r\n", b"\0\0\0x" * 10, bytes(range(3, 40)), b"\x01\x0f"])
def test_files_before_foreign_bytes_are_given_and_the_rest_is_told(rest: bytes) -> None:
    message = mail_with(TWO_FILES + rest, "text")

    assert [(info.filename, info.hidden) for info in message.attachments] == [
        ("winmail.dat", False),
        ("a.pdf", False),
        ("b.pdf", False),
    ]
    assert message.details["incomplete"] == ["winmail.dat: not all of it could be read"]


def test_each_cut_gives_only_whole_files_and_says_so() -> None:
    whole = {"a.pdf": b"%PDF first", "b.pdf": b"%PDF second"}
    counts = set()

    # The last two bytes are a checksum, which nothing needs.
    for end in range(7, len(TWO_FILES)):
        found = read_tnef(TWO_FILES[:end])
        files = [] if found is None else found.files
        counts.add(len(files))
        assert all(whole[one.name] == one.content for one in files), end
        # A cut between two attributes cannot be seen; within one, it is told.
        is_between = TWO_FILES[:end].endswith(tuple(_attribute_ends(end)))
        assert found is None or is_between or not found.is_whole, end

    assert counts == {0, 1, 2}


def _attribute_ends(end: int) -> list[bytes]:
    """Return the bytes up to `end` if an attribute ends there, with or without its checksum."""
    at, ends = 6, set()
    while at < len(TWO_FILES):
        (length,) = struct.unpack_from("<I", TWO_FILES, at + 5)
        at += 9 + length + 2
        ends |= {at - 2, at - 1, at}
    return [TWO_FILES[:end]] if end in ends else []


def test_a_message_within_that_was_cut_off_makes_the_whole_incomplete() -> None:
    inner = TWO_FILES[:-20]
    attached = writer.file(title=b"inner", properties=[(0x3701, writer.OBJECT, writer.MESSAGE_IID + inner)])

    found = read_tnef(writer.tnef(files=[attached, writer.file(title=b"c.pdf", data=b"%PDF")]))

    assert found is not None
    assert not found.is_whole
    assert [one.name for one in found.files] == ["message.txt", "a.pdf", "c.pdf"]


def test_a_damaged_property_list_is_told() -> None:
    properties = writer.mapi(
        [(0x1000, writer.UNICODE, utf16("The body of Outlook")), (0x0037, writer.UNICODE, utf16("x"))]
    )
    data = struct.pack("<IH", 0x223E9F78, 1) + writer.attribute(1, 0x9003, properties[:-6])

    found = read_tnef(data)

    assert found is not None
    assert (found.text, found.is_whole) == ("The body of Outlook", False)


def test_padding_after_many_attributes_costs_one_search() -> None:
    data = struct.pack("<IH", 0x223E9F78, 1) + writer.attribute(1, 0x9007, b"") * 1_900 + bytes(20_000_000)
    started = time.process_time()

    read_tnef(data)

    assert time.process_time() - started < 2.0


@given(st.data())
def test_no_bytes_raise(data: st.DataObject) -> None:
    sample = bytearray(
        writer.tnef(
            properties=[
                (0x1009, writer.BINARY, writer.compressed_rtf(HTML_IN_RTF, rtf.DICTIONARY)),
                (0x1000, writer.STRING, b"x"),
            ],
            files=[writer.file(title=b"a", data=b"b", properties=[(0x3707, writer.UNICODE, utf16("long name"))])],
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
    endless = struct.pack("<IIII", 0, 0xFFFFFFFF, 0x75465A4C, 0) + (b"\xff" + struct.pack(">H", 15) * 8) * 20_000
    started = time.process_time()

    read_tnef(header + writer.attribute(1, 0x9003, values))
    read_tnef(header + writer.attribute(1, 0x9007, b"") * 100_000)
    rtf.readable(groups)
    unpacked = rtf.decompressed(endless)

    assert unpacked is not None
    assert len(unpacked) < 1_100_000
    assert time.process_time() - started < 6.0
