"""Opaque S/MIME shows the mail inside. Damaged and encrypted parts stay files.

Nothing is verified, and the message says so.
"""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given
from hypothesis import strategies as st

from models.ports.inbound import InboundMessage
from queues.channels.email import limits
from queues.channels.email.parse import read_mail
from queues.channels.email.reading import smime
from tests.queues.channels import golden
from tests.queues.channels.email.reading import smime_writer as writer

INNER = (
    b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
    b"The lamp is broken.\r\n"
    b'--i\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="bill.pdf"\r\n\r\n%PDF\r\n'
    b"--i--\r\n"
)
VERDICT = "signed, not verified"
TYPE = "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m"
# A machine under load took 3.1 s; time that grows with the square would take minutes for these megabytes.
SECONDS_MAX = 10.0


def mail(
    data: bytes, *, content_type: str = TYPE, encoding: str = "base64", before: bytes = b"", after: bytes = b""
) -> InboundMessage:
    body = base64.encodebytes(data) if encoding == "base64" else data
    part = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body
    head = b"From: ada@example.test\r\nSubject: x\r\n"
    if before or after:
        head += b'Content-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\n'
        text = b"\r\n--o\r\nContent-Type: text/plain\r\n\r\n"
        part = part + (text + after if after else b"") + b"\r\n--o--\r\n"
    parsed = read_mail(head + part, {}, golden.EMAIL)
    assert isinstance(parsed, InboundMessage)
    golden.storable(parsed)
    return parsed


def files(message: InboundMessage) -> list[tuple[str, bool]]:
    return [(info.filename, info.hidden) for info in message.attachments]


@pytest.mark.parametrize("indefinite", [False, True])
@pytest.mark.parametrize("piece_bytes", [0, 1, 40, 4_096])
@pytest.mark.parametrize("encoding", ["base64", "binary"])
def test_the_mail_inside_is_read_in_each_framing(indefinite: bool, piece_bytes: int, encoding: str) -> None:
    data = writer.signed(INNER, piece_bytes=piece_bytes, indefinite=indefinite, behind=b"\xa0\x03abc")

    message = mail(data, encoding=encoding)

    assert message.body == "The lamp is broken."
    assert files(message) == [("bill.pdf", False), ("smime.p7m", True)]
    assert (message.details["signed"], message.details["signature_verdict"]) == ("smime", VERDICT)


def test_the_output_of_another_program_is_read() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ada")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    builder = pkcs7.PKCS7SignatureBuilder().set_data(INNER).add_signer(certificate, key, hashes.SHA256())
    data = builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])

    message = mail(data)

    assert message.body == "The lamp is broken."


@pytest.mark.parametrize(
    "content_type",
    [
        "application/pkcs7-mime; name=smime.p7m",
        "application/x-pkcs7-mime; smime-type=signed-data",
        "application/octet-stream; name=smime.p7m",
        'application/pkcs7-mime; smime-type="Signed-Data"',
    ],
)
def test_a_part_is_known_by_its_content_whatever_its_type_says(content_type: str) -> None:
    message = mail(writer.signed(INNER), content_type=content_type)

    assert message.body == "The lamp is broken."
    assert message.details["signed"] == "smime"
    assert "encrypted" not in message.details


@pytest.mark.parametrize("pem", [False, True])
def test_base64_that_no_header_declares_is_read(pem: bool) -> None:
    text = base64.encodebytes(writer.signed(INNER))
    data = b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n" if pem else text

    assert mail(data, encoding="7bit").body == "The lamp is broken."


def test_a_list_s_footer_below_it_is_read_too() -> None:
    message = mail(writer.signed(INNER), before=b"x", after=b"Footer of the list")

    assert message.body == "The lamp is broken.\nFooter of the list"


def test_a_signed_mail_within_a_signed_mail_is_read_down_to_the_bound() -> None:
    head = f"Content-Type: {TYPE}\r\nContent-Transfer-Encoding: binary\r\n\r\n".encode()
    data = writer.signed(INNER)
    for _ in range(limits.sources_max - 1):
        data = writer.signed(head + data)

    message, beyond = mail(data), mail(writer.signed(head + data))

    assert message.body == "The lamp is broken."
    assert message.body_full is None
    assert "signed parts" in beyond.body
    assert beyond.details["left_out"] == [f"more than {limits.sources_max} signed parts"]


def test_a_mail_that_is_wrapped_to_sign_its_headers_is_read() -> None:
    """RFC 8551 section 3.1."""
    wrapped = b"Content-Type: message/rfc822; forwarded=no\r\n\r\nFrom: ada@example.test\r\nSubject: signed\r\n" + INNER

    message = mail(writer.signed(wrapped))

    assert message.body == "The lamp is broken."


def test_an_encrypted_mail_inside_stays_a_file() -> None:
    head = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=inner.p7m\r\n\r\n"

    message = mail(writer.signed(head + writer.signed(b"x", kind=writer.ENVELOPED_DATA)))

    assert files(message) == [("inner.p7m", False), ("smime.p7m", True)]
    assert (message.details["signed"], message.details["encrypted"]) == ("smime", "smime")


@pytest.mark.parametrize(
    "data",
    [
        writer.signed(INNER, kind=writer.ENVELOPED_DATA),
        writer.signed(None),
        writer.signed(b""),
        writer.signed(INNER)[:20],
        b"",
        b"\x30\x80",
        b"no signature at all",
        bytes([0x30, 0x80, 0x06]) * 1_000,
    ],
)
def test_anything_else_stays_a_file(data: bytes) -> None:
    message = mail(data)

    assert files(message) == [("smime.p7m", False)]
    assert message.attachments[0].content == data


@pytest.mark.parametrize("indefinite", [False, True])
def test_of_a_mail_that_was_cut_off_the_beginning_is_shown_and_the_loss_is_told(indefinite: bool) -> None:
    inner = b"Content-Type: text/plain\r\n\r\n" + b"The lamp is broken. " * 40
    data = writer.signed(inner, piece_bytes=100, indefinite=indefinite)

    message = mail(data[: len(data) // 2])

    assert message.body.startswith("The lamp is broken. The lamp")
    assert message.details["incomplete"] == ["smime.p7m: its end is missing"]
    assert files(message) == [("smime.p7m", False)]


def test_a_signature_that_is_damaged_does_no_harm_to_the_mail() -> None:
    data = writer.signed(INNER, behind=b"\xa0\x82\xff\xffdamaged")

    message = mail(data)

    assert message.body == "The lamp is broken."
    assert "incomplete" not in message.details


def test_one_that_is_too_large_stays_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "smime_bytes_max", 1_000)

    message = mail(writer.signed(b"Content-Type: text/plain\r\n\r\n" + b"x" * 2_000))

    assert files(message) == [("smime.p7m", False)]
    assert "a signed part of more than" in message.details["left_out"][0]


def test_each_signature_has_the_verdict_that_nobody_verified_it() -> None:
    detached = mail(b"x", content_type="application/pkcs7-signature; name=smime.p7s")
    unsigned = mail(b"x", content_type="application/pdf; name=a.pdf")

    assert detached.details["signature_verdict"] == VERDICT
    assert "signature_verdict" not in unsigned.details


@pytest.mark.parametrize(
    "data",
    [
        writer.signed(b"x" * 3_000_000, piece_bytes=1, indefinite=True),
        writer.signed(b"x" * 3_000_000, piece_bytes=1),
        bytes([0x30, 0x80]) * 5_000_000,
        writer.SIGNED_DATA.join([b"\x30\x80", b"\xa0\x80\x30\x80\x02\x01\x01" + b"\x31\x80" * 5_000_000]),
        writer.signed(None)[:-2] + bytes([0xA0, 0x80]) + bytes([0x24, 0x80]) * 5_000_000,
    ],
    ids=["tiny pieces", "tiny pieces of definite length", "sequences", "sets", "strings within strings"],
)
def test_hostile_framing_costs_linear_time(data: bytes) -> None:
    started = time.process_time()

    smime.signed_content(data)

    assert time.process_time() - started < SECONDS_MAX


@given(st.data())
def test_no_bytes_raise(data: st.DataObject) -> None:
    sample = bytearray(writer.signed(INNER, piece_bytes=30, indefinite=data.draw(st.booleans())))
    for at in data.draw(st.lists(st.integers(0, len(sample) - 1), max_size=6)):
        sample[at] = data.draw(st.integers(0, 255))

    smime.signed_content(bytes(sample[: data.draw(st.integers(0, len(sample)))]))
