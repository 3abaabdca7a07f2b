"""A mail put together again says what its provider told, and nothing that a stranger slipped in."""

from __future__ import annotations

import email
import json
from dataclasses import replace
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import encode_multipart_formdata

from models.ports.inbound import InboundMessage, IngressRequest
from queues.channels.email import ingress
from queues.channels.email.parse import parse, read_mail
from queues.channels.email.providers import compose
from tests.queues.channels import golden
from tests.queues.channels.email.providers import recorded

ACCOUNT = replace(golden.EMAIL, config={**golden.EMAIL.config, "provider": "sendgrid", "basic": {"secret": "x"}})
HEADERS = [
    ("From", "Ada Lovelace <ada@example.test>"),
    ("Subject", "Printer"),
    ("Message-ID", "<1@example.test>"),
]


def read(raw: bytes) -> InboundMessage:
    message = read_mail(raw, {}, golden.EMAIL)
    assert isinstance(message, InboundMessage)
    return message


@given(st.text(max_size=80), st.text(max_size=80), st.binary(max_size=80), st.text(max_size=20))
def test_no_value_can_add_a_header_or_a_part(name: str, value: str, content: bytes, filename: str) -> None:
    files = [compose.File(filename, value, content, content_id=name, inline=True)]
    headers = [*HEADERS, (name, value), ("X-Told", value)]

    mail = email.message_from_bytes(compose.mail(headers, text=value, html=value, files=files))

    assert mail.get_all("from") == ["Ada Lovelace <ada@example.test>"]
    assert len(list(mail.walk())) == (5 if value else 3)
    assert [part.get_payload(decode=True) for part in mail.walk()][-1] == content or mail.defects


def test_headers_keep_their_order_and_what_stood_twice_stands_twice() -> None:
    headers = [
        ("Received", "by c"),
        ("Received", "by b"),
        *HEADERS,
        ("Content-Type", "text/html"),
        ("MIME-Version", "9"),
    ]

    raw = compose.mail(headers, text="Hello")

    names = [line.partition(b":")[0] for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n")]
    assert names == [
        *(b"Received", b"Received", b"From", b"Subject", b"Message-ID"),
        *(b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"),
    ]


def test_letters_beyond_ascii_come_through_in_every_place() -> None:
    headers = [("From", "Ада Лавлейс <ada@example.test>"), ("Subject", "Принтер горит 🔥")]
    files = [compose.File('план "б".txt', "text/plain", b"x")]

    message = read(compose.mail(headers, text="Помогите", files=files))

    assert (message.author_name, message.subject, message.body) == (
        "Ада Лавлейс",
        "Принтер горит 🔥",
        "Помогите",
    )
    assert [one.filename for one in message.attachments] == ["план 'б'.txt"]


def test_a_text_that_holds_a_boundary_of_another_mail_stays_whole() -> None:
    first = compose.mail(HEADERS, text="a", html="<p>b</p>", files=[compose.File("f", "text/plain", b"x")])
    text = first.decode()

    message = read(compose.mail(HEADERS, text=text, files=[compose.File("g", "text/plain", b"y")]))

    assert [one.filename for one in message.attachments] == ["g"]
    assert (message.body_full or message.body).count("nestor-") >= 3


def test_a_bounce_is_still_seen_as_one() -> None:
    status = b"Reporting-MTA: dns; mx.example.test\r\n\r\nFinal-Recipient: rfc822; x@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    ours = b"From: desk@example.test\r\nMessage-ID: <nestor.7.sent@example.test>\r\nSubject: Re: Printer\r\n\r\nWater it.\r\n"
    headers = [
        ("From", "MAILER-DAEMON@mx.example.test"),
        ("Subject", "Undelivered Mail Returned to Sender"),
        ("Content-Type", 'multipart/report; report-type=delivery-status; boundary="gone"'),
    ]
    files = [compose.File("", "message/delivery-status", status), compose.File("", "message/rfc822", ours)]

    message = read(compose.mail(headers, text="I could not deliver your mail.", files=files))

    assert message.automatic == "bounce"
    assert message.failure is not None
    assert message.failure.status == "5.1.1"
    assert "<nestor.7.sent@example.test>" in message.references


def test_sendgrids_fields_are_in_the_charsets_that_it_names() -> None:
    recording = recorded.one("sendgrid/inbound.http").request
    charsets = json.dumps({"text": "windows-1251", "subject": "koi8-r", "from": "iso-8859-1"})
    body = recording.body
    for old, new in (
        (b"The printer burns.\n\nPlease help.\n", "Принтер горит, помогите".encode("cp1251")),
        (b'name="subject"\r\n\r\nPrinter', b'name="subject"\r\n\r\n' + "Принтер".encode("koi8-r")),
        (b'name="from"\r\n\r\nAda Lovelace', b'name="from"\r\n\r\n' + "Adä".encode("latin-1")),
        (b"From: Ada Lovelace <ada@example.test>\nTo", b"To"),
        (b"Subject: Printer\n", b""),
    ):
        assert old in body
        body = body.replace(old, new)
    head, _, rest = body.partition(b'name="charsets"\r\n\r\n')
    body = head + b'name="charsets"\r\n\r\n' + charsets.encode() + rest[rest.index(b"\r\n") :]

    message = parse(body, {"provider": "sendgrid"}, golden.EMAIL)

    assert isinstance(message, InboundMessage)
    assert (message.author_name, message.subject, message.body) == (
        "Adä",
        "Принтер",
        "Принтер горит, помогите",
    )


@pytest.mark.parametrize(
    ("author", "spf", "envelope_from", "dkim", "verdict"),
    [
        ("ada@example.test", "none", "x@other.test", "{@example.test : pass}", "pass"),
        ("ada@mail.example.test", "none", "", "{@example.test : pass}", "pass"),
        ("ada@example.test", "pass", "bounces@example.test", "none", "pass"),
        ("ada@example.test", "pass", "eve@other.test", "{@other.test : pass}", "none"),
        ("ada@example.test", "fail", "eve@other.test", "{@other.test : pass}", "fail"),
        ("ada@example.test", "softfail", "", "", "none"),
        ("ada@example.test, eve@other.test", "pass", "eve@other.test", "{@other.test : pass}", "none"),
        ("ada@notexample.test", "none", "", "{@example.test : pass}", "none"),
        ("ada@victim.blogspot.com", "none", "", "{@attacker.blogspot.com : pass}", "none"),
        ("ada@example.test", "none", "", "{@test : pass}", "none"),
    ],
)
def test_only_the_authors_own_domain_proves_the_author(
    author: str, spf: str, envelope_from: str, dkim: str, verdict: str
) -> None:
    fields = {
        "from": author,
        "headers": f"From: {author}\r\n",
        "text": "x",
        "SPF": spf,
        "dkim": dkim,
        "envelope": json.dumps({"from": envelope_from, "to": ["desk@example.test"]}),
    }
    body, content_type = encode_multipart_formdata(fields)
    request = IngressRequest({}, body, content_type)

    [event] = ingress.receive(request, ACCOUNT).events
    message = parse(body, event.key.envelope, ACCOUNT)

    assert isinstance(message, InboundMessage)
    assert message.verdict == verdict


def test_what_is_put_together_is_a_mail_for_others_too() -> None:
    files = [compose.File("plan.txt", "text/plain", b"Water it.\n"), compose.File("", "", b"\x00\xff")]

    mail = email.message_from_bytes(compose.mail(HEADERS, text="a\r\n", html="<p>a</p>", files=files), policy=default)

    assert [part.get_content_type() for part in mail.walk()] == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "text/html"),
        *("text/plain", "application/octet-stream"),
    ]
    assert not any(part.defects for part in mail.walk())
