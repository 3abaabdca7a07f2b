"""Headers, parameters, charsets and encodings in every form that software writes them; and no bytes raise."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ports.inbound import InboundMessage, Unparseable
from queues.channels.email.parse import read_mail
from queues.channels.email.reading import transfer, uuencode
from queues.channels.email.reading.charset import decode
from queues.channels.email.reading.flowed import unflowed
from queues.channels.email.reading.headers import addresses, instant, message_ids, text_of
from queues.channels.email.reading.parameters import parameters
from tests.queues.channels import golden

FIXTURES = [path.read_bytes() for path in golden.fixtures("email")]


def read(raw: bytes) -> InboundMessage:
    parsed = read_mail(raw, {}, golden.EMAIL)
    assert isinstance(parsed, InboundMessage)
    return parsed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"),
        (b"=?UTF-8?B?w7w=?==?UTF-8?B?w58=?=", "üß"),
        (b"=?utf-8?B?w7?= =?utf-8?B?w=?=", "ü"),
        (b"=?utf-8?B?w7w?=", "ü"),
        (b"=?iso-8859-1*de?Q?Gr=FC=DFe?=", "Grüße"),
        (b"=?utf-8?q?with blanks =C3=BC?=", "with blanks ü"),
        (b"=?utf-8?q?what??=", "what?"),
        (b"=?utf-8?q?a=3Db_c?=", "a=b c"),
        (b"=?utf-8?q?=zz =4?=", "=zz =4"),
        (b"=?utf-8?b?!!!?= after", " after"),
        (b"=?nothing?q?=FC?=", "ü"),
        (b"=??q?=C3=BC?=", "ü"),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?unfinished", "unfinished"),
        (b"a =? b ?= c", "a =? b ?= c"),
        ("naïve".encode(), "naïve"),
        ("naïve".encode("latin-1"), "naïve"),
    ],
)
def test_encoded_words_are_read_as_they_were_meant(value: bytes, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "head", "found"),
    [
        (b'text/plain; charset="utf-8"', "text/plain", {"charset": "utf-8"}),
        (b"TEXT / Plain ;charset=utf-8;", "text/plain", {"charset": "utf-8"}),
        (b"charset=utf-8", "", {"charset": "utf-8"}),
        (b"text/plain charset=utf-8", "text/plain", {"charset": "utf-8"}),
        (b"text/plain; charset=utf-8 (Unicode)", "text/plain", {"charset": "utf-8"}),
        (b'a/b; name="x" charset=utf-8', "a/b", {"name": "x", "charset": "utf-8"}),
        (b"a/b; name=two words.txt; x=1", "a/b", {"name": "two words.txt", "x": "1"}),
        (b'a/b; name="a \\"b\\".txt"', "a/b", {"name": 'a "b".txt'}),
        (b'a/b; name="in "side" it.txt"', "a/b", {"name": 'in "side" it.txt'}),
        (b'a/b; name="unclosed; x=1', "a/b", {"name": "unclosed; x=1"}),
        (b"a/b; name*=utf-8''%C3%BC", "a/b", {"name": "ü"}),
        (b"a/b; name*=%C3%BC", "a/b", {"name": "ü"}),
        (b"a/b; name*1=b; name*0=a", "a/b", {"name": "ab"}),
        (b"a/b; name*0*=iso-8859-1''%FC; name*1=x; name*2*=%DF", "a/b", {"name": "üxß"}),
        (b"a/b; name=plain; name*=utf-8''better", "a/b", {"name": "better"}),
        (b"a/b; name=plain; name*=utf-8''%FF%FE", "a/b", {"name": "plain"}),
        (b"a/b; name=first; name=second", "a/b", {"name": "first"}),
        (b'a/b; name=""; name="second"', "a/b", {"name": "second"}),
        (b'a/b; boundary="=_x; y"', "a/b", {"boundary": "=_x; y"}),
        (b"", "", {}),
    ],
)
def test_parameters_are_read_in_all_their_forms(value: bytes, head: str, found: dict[str, str]) -> None:
    assert parameters(value) == (head, found)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"Hopper, Grace <g@x.test>, Ada <a@x.test>", [("Hopper, Grace", "g@x.test"), ("Ada", "a@x.test")]),
        (b"Team: Ada <a@x.test>, b@x.test;", [("Ada", "a@x.test"), ("", "b@x.test")]),
        (b"'Ada' <a@x.test>", [("Ada", "a@x.test")]),
        (b"<<a@x.test>>", [("", "a@x.test")]),
        (b"Ada <a@x.test", [("Ada", "a@x.test")]),
        (b'"Ada <a@x.test>', [("Ada", "a@x.test")]),
        (b'"a b"@x.test', [("", '"a b"@x.test')]),
        (b'<"ab"@x.test>', [("", "ab@x.test")]),
        (b"mailto:a@x.test", [("", "a@x.test")]),
        (b"=?utf-8?q?Ada_=3Ca=40x=2Etest=3E?=", [("Ada", "a@x.test")]),
        (b"Ada <=?utf-8?q?a=40x=2Etest?=>", [("Ada", "a@x.test")]),
        (b"ada", []),
        (b"", []),
    ],
)
def test_addresses_are_found_behind_any_name(value: bytes, found: list[tuple[str, str]]) -> None:
    assert [(one.name, one.address) for one in addresses(value)] == found


def test_ids_and_dates_are_read_as_far_as_they_go() -> None:
    assert message_ids(b"<a@b@c> d@e <f g@h> <[x@y]>") == ["<a@b@c>", "<d@e>", "<fg@h>", "<[x@y]>"]
    expected = datetime(2026, 11, 17, 7, 30, tzinfo=UTC)
    for value in (
        b"Tue, 17 Nov 2026 08:30:00 +0100 (CET)",
        b"17 Nov 26 07:30 GMT",
        b"2026-11-17T07:30:00Z",
        b"Tue Nov 17 07:30:00 2026",
    ):
        assert instant(value) == expected
    for value in (
        b"",
        b"yesterday",
        b"Tue, 17 Nov 0026 08:30 +9999",
        b"1 Jan 9999 00:00:00 +0000",
        b"1 Jan 2026 25:61:00",
    ):
        assert instant(value) is None


@given(st.binary(max_size=2_000), st.integers(1, 100))
def test_base64_comes_back_whatever_the_line_length(content: bytes, width: int) -> None:
    encoded = base64.b64encode(content)
    wrapped = b"\r\n".join(encoded[at : at + width] for at in range(0, len(encoded), width))

    assert transfer.from_base64(wrapped) == content
    assert transfer.from_base64(wrapped.rstrip(b"=")) == content


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_two_paddings_are_two_texts(first: bytes, second: bytes) -> None:
    joined = base64.b64encode(first) + b"\r\n" + base64.b64encode(second)

    assert transfer.from_base64(joined) == first + second


@given(
    st.text(max_size=200),
    st.sampled_from(["utf-8", "utf-16", "utf-7", "gb18030", "koi8-r", "cp1251", "iso-2022-jp", "big5", "x-none", ""]),
)
def test_any_text_of_any_charset_decodes(text: str, name: str) -> None:
    try:
        content = text.encode(name)
    except (LookupError, UnicodeEncodeError):
        content = text.encode("utf-8", "surrogatepass")

    assert isinstance(decode(content, name), str)


@pytest.mark.parametrize(
    ("content", "declared", "text"),
    [
        (b"caf\xe9", "utf-8", "café"),
        ("naïve café".encode()[:-1], "utf-8", "naïve caf\ufffd"),
        ("Zoë".encode(), "iso-8859-1", "Zoë"),
        (b"\x93x\x94 \x80", "latin1", "“x” €"),
        ("日本".encode("iso2022_jp"), None, "日本"),
        ("日本".encode("iso2022_jp"), "us-ascii", "日本"),
        ("한국".encode("iso2022_kr"), "utf-8; format=flowed", "한국"),
        ("Привет".encode("cp1251"), "win-1251", "Привет"),
        ("ü".encode(), "UTF8", "ü"),
        ("ü".encode(), "utf-8mb4", "ü"),
        ("é".encode("mac_roman"), "x-mac-roman", "é"),
        ("ж".encode("mac_cyrillic"), "x-mac-cyrillic", "ж"),
        (b"plain", "utf-16", "plain"),
        ("a".encode("utf-16-le") * 3, None, "aaa"),
        (b"x-\xfc", "punycode", "x-ü"),
    ],
)
def test_a_wrong_or_missing_charset_is_seen_through(content: bytes, declared: str | None, text: str) -> None:
    assert decode(content, declared) == text


def test_flowed_paragraphs_are_joined_within_their_depth() -> None:
    assert unflowed("a \nb\n> c \n> d\n>> e\n -- x\n-- \nsig", delete_space=False) == "a b\n> c d\n>> e\n-- x\n-- \nsig"
    assert unflowed("a \n> b", delete_space=False) == "a\n> b"
    assert unflowed("a \nb", delete_space=True) == "ab"


def test_uuencoded_files_leave_the_text_and_words_stay() -> None:
    text, files = uuencode.extract(b"see\nbegin 644 a.txt\n#86)C\n`\nend\nbye\nbegin 644 of nothing\nwords\n")

    assert (text, files) == (b"see\nbye\nbegin 644 of nothing\nwords\n", [(b"a.txt", b"abc")])


@pytest.mark.parametrize("line_bytes", [19, 55, 76])
def test_a_file_whose_every_line_is_padded_comes_back_whole(line_bytes: int) -> None:
    line = bytes(range(line_bytes))
    encoded = base64.b64encode(line) + b"\r\n"

    assert encoded.endswith(b"=\r\n")
    assert transfer.from_base64(encoded * 60_000) == line * 60_000


def test_base64_of_tiny_padded_pieces_stays_as_it_is() -> None:
    tiny = b"QQ==\r\n" * 100_000

    assert transfer.from_base64(tiny) == tiny
    assert transfer.from_base64(b"QQ==\r\n" * 1_000) == b"A" * 1_000


def test_blanks_after_a_uuencoded_file_s_name_are_no_part_of_it() -> None:
    block = b"begin 644 a b.txt \t \n#86)C\n`\nend\n"

    assert uuencode.extract(block) == (b"", [(b"a b.txt", b"abc")])
    assert uuencode.extract(b"begin 644   \n#86)C\n`\nend\n")[1] == []


def test_a_mail_with_no_blank_line_or_no_headers_in_a_part_keeps_its_words() -> None:
    assert (
        read(b"From: ada@example.test\r\nSubject: x\r\nWords without a blank line").body == "Words without a blank line"
    )
    assert (
        read(b"From: ada@example.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nWords\r\n--b--").body
        == "Words"
    )


@settings(max_examples=300)
@given(st.data())
def test_damaged_mails_are_read_or_refused_in_words(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(FIXTURES)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw)))
        change = data.draw(st.sampled_from(["cut", "insert", "drop", "repeat"]))
        length = data.draw(st.integers(1, 60))
        if change == "cut":
            del raw[at:]
        elif change == "insert":
            raw[at:at] = data.draw(st.binary(max_size=10))
        elif change == "drop":
            del raw[at : at + length]
        else:
            raw[at:at] = raw[at : at + length]
        if not raw:
            break

    try:
        parsed = read_mail(bytes(raw), {"from": "envelope@example.test"}, golden.EMAIL)
    except Unparseable:
        pytest.fail("the envelope names a sender")

    golden.storable(parsed)


@given(st.binary(max_size=400))
def test_no_bytes_need_a_sender_of_their_own(raw: bytes) -> None:
    golden.storable(read_mail(raw, {"from": "envelope@example.test"}, golden.EMAIL))


def test_8_bit_names_are_read_in_the_charset_of_the_mails_text() -> None:
    head = "From: Ада <ada@example.test>\r\nContent-Type: multipart/mixed; boundary=b"
    text = "--b\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nТекст"
    file = '--b\r\nContent-Type: application/pdf; name="счёт.pdf"\r\n\r\nx\r\n--b--'

    message = read(f"{head}\r\n\r\n{text}\r\n{file}".encode("koi8-r"))

    assert (message.author_name, message.body, message.attachments[0].filename) == (
        "Ада",
        "Текст",
        "счёт.pdf",
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Сломался принтер", ["cp1251", "koi8-r", "cp866"]),
        ("Привіт, їжак", ["cp1251", "koi8-u"]),
        ("プリンター故障", ["cp932", "euc_jp", "iso2022_jp"]),
        ("打印机坏了，请帮忙", ["gb18030"]),
        ("列印機壞了", ["cp950"]),
        ("프린터 고장", ["cp949", "iso2022_kr"]),
        ("Καλημέρα σας", ["cp1253"]),
        ("שלום עולם", ["cp1255"]),
        ("Réponse à l'élève", ["cp1252"]),
        ("Größe der Übergrößen", ["cp1252"]),
        ("Şikayetim çözülmedi", ["cp1254"]),
        ("zażółć gęślą jaźń", ["cp1250", "iso8859-2"]),
        ("Příliš žluťoučký kůň", ["cp1250"]),
        ("“Smart” – it’s 5 €", ["cp1252"]),
    ],
)
def test_a_few_undeclared_words_are_read_in_their_language(text: str, names: list[str]) -> None:
    assert [decode(text.encode(name)) for name in names] == [text] * len(names)
