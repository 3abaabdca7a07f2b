"""What our mails look like: text and HTML, pictures and files, reply address and marker. Read back by the standard
library and by us.
"""

from __future__ import annotations

import dataclasses
import email
import email.policy
import io
import tracemalloc
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.channels.accounts import ChannelAccount
from models.kernel.limits import MIB
from models.ports.inbound import InboundMessage
from models.ports.outbound import OutgoingAttachment
from queues.channels.email.parse import parse
from queues.channels.email.replies.reply_above import marker_line
from queues.channels.email.writing.build import build
from tests.queues.channels import golden
from tests.queues.channels.email.messages import MESSAGE, file

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 5
MARKDOWN = "**Good news**: see [the page](https://x.test/?a=1&b=2).\n\n- one\n- <b>two</b>\n\n> quoted\n"


def account(**changes: Any) -> ChannelAccount:
    return dataclasses.replace(golden.EMAIL, config={**golden.EMAIL.config, **changes})


def made(config: dict[str, Any] | None = None, **changes: Any) -> EmailMessage:
    raw = build(dataclasses.replace(MESSAGE, **changes), account(**(config or {})))
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert [part.defects for part in read.walk() if part.defects] == []
    return read


def tree(part: Any) -> Any:
    kind = part.get_content_type()
    return (kind, [tree(one) for one in part.iter_parts()]) if part.is_multipart() else kind


def content(read: EmailMessage, kind: str) -> str:
    body = read.get_body((kind,))
    assert body is not None
    text = body.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


def test_text_stays_one_part() -> None:
    read = made()

    assert tree(read) == "text/plain"
    assert content(read, "plain") == MESSAGE.body


def test_markdown_goes_as_text_and_as_safe_html() -> None:
    read = made(body=MARKDOWN, body_format="markdown")

    assert tree(read) == ("multipart/alternative", ["text/plain", "text/html"])
    assert content(read, "plain") == (
        "*Good news*: see the page (https://x.test/?a=1&b=2).\n\n- one\n- <b>two</b>\n\n> quoted\n"
    )
    html = content(read, "html")
    assert '<strong>Good news</strong>: see <a href="https://x.test/?a=1&amp;b=2">the page</a>.' in html
    assert "&lt;b&gt;two&lt;/b&gt;" in html
    assert "<b>" not in html


def test_pictures_stand_in_the_html_and_files_after_it() -> None:
    files = (file("chart.png", PNG, "image/png", cid="chart@desk"), file("log.txt", b"a\nb", "text/plain"))

    read = made(body="See ![the chart](cid:chart@desk)", body_format="markdown", attachments=files)

    assert tree(read) == (
        "multipart/mixed",
        [
            (
                "multipart/alternative",
                ["text/plain", ("multipart/related", ["text/html", "image/png"])],
            ),
            "text/plain",
        ],
    )
    picture = next(part for part in read.walk() if part.get_content_type() == "image/png")
    (log,) = read.iter_attachments()
    assert picture["Content-ID"] == "<chart@desk>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_payload(decode=True) == PNG
    assert log.get_payload(decode=True) == b"a\nb"
    assert '<img src="cid:chart@desk" alt="the chart">' in content(read, "html")


def test_a_picture_with_plain_text_brings_html_that_shows_it() -> None:
    read = made(body="a < b\n\nnext", attachments=(file("x.png", PNG, "image/png", cid="x"),))

    assert tree(read) == (
        "multipart/alternative",
        ["text/plain", ("multipart/related", ["text/html", "image/png"])],
    )
    assert content(read, "plain") == "a < b\n\nnext\n"
    assert '<p>a &lt; b</p>\n<p>next</p>\n<p><img src="cid:x" alt="x.png"></p>' in content(read, "html")


def test_a_picture_that_the_text_does_not_show_is_a_file() -> None:
    read = made(body="no picture", body_format="markdown", attachments=(file("x.png", PNG, "image/png", cid="x"),))

    (attached,) = read.iter_attachments()
    assert attached.get_filename() == "x.png"
    assert attached.get_content_disposition() == "attachment"


@pytest.mark.parametrize(
    "name",
    [
        "report.pdf",
        "счёт на оплату за ноябрь — окончательный вариант, исправленный.pdf",
        'a "quoted" name.txt',
        "semi; colon=x.txt",
        "日本語のとても長いファイル名" * 8 + ".txt",
        "emoji 🦜.png",
        "per%cent.txt",
        "apostrophe's.txt",
    ],
)
def test_any_file_name_is_read_back_by_the_standard_library_and_by_us(name: str) -> None:
    message = dataclasses.replace(MESSAGE, attachments=(file(name, b"data"),))
    raw = build(message, account())
    read = email.message_from_bytes(raw, policy=email.policy.default)
    stranger = raw.replace(b"From: Nestor demo desk <desk@", b"From: X <other@")

    parsed = parse(stranger, {}, account())

    (attached,) = read.iter_attachments()
    assert isinstance(parsed, InboundMessage)
    assert attached.get_filename() == name
    assert [one.filename for one in parsed.attachments] == [name]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78


def test_a_file_name_with_a_line_end_adds_no_header() -> None:
    read = made(attachments=(file("a\r\nBcc: eve@x.test\r\n\r\nbody.txt", b"data"),))

    (attached,) = read.iter_attachments()
    assert attached.get_filename() == "a Bcc: eve@x.test body.txt"
    assert attached["Bcc"] is None


@pytest.mark.parametrize(
    ("claimed", "sent"),
    [
        ("application/pdf; name=x", "application/pdf"),
        ("IMAGE/PNG", "image/png"),
        ('text/csv; header=present; charset="UTF-8"', 'text/csv; charset="UTF-8"'),
        ("text/csv; charset=x\r\nBcc: y", 'text/csv; charset="x"'),
        ("image/png; charset=utf-8", "image/png"),
        ("message/rfc822", "application/octet-stream"),
        ("multipart/mixed", "application/octet-stream"),
        ("text/html\r\nBcc: x", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
    ],
)
def test_only_types_that_may_be_encoded_are_claimed(claimed: str, sent: str) -> None:
    (attached,) = made(attachments=(file("x", b"data", claimed),)).iter_attachments()

    assert attached["Content-Type"] == sent
    assert attached.get_payload(decode=True) == b"data"


def test_a_content_id_that_is_none_makes_the_picture_a_file() -> None:
    picture = file("x.png", PNG, "image/png", cid="a>\r\nBcc: eve@x.test")

    read = made(attachments=(picture,))

    assert tree(read) == ("multipart/mixed", ["text/plain", "image/png"])
    assert "Bcc" not in {name for part in read.walk() for name in part}


class Slow(io.RawIOBase):
    """A stream that gives what it likes, as a network does."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        count = min(self._left, 10_007, size if size >= 0 else self._left)
        self._left -= count
        return b"x" * count


def test_a_large_file_costs_little_more_memory_than_the_mail_itself() -> None:
    size = 20 * MIB
    attachment = OutgoingAttachment("big.bin", "application/zip", size, "", lambda: Slow(size))  # type: ignore[arg-type,return-value]
    message = dataclasses.replace(MESSAGE, attachments=(attachment,))

    tracemalloc.start()
    raw = build(message, account())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(raw) > size * 4 // 3
    assert peak < 2.6 * len(raw)  # the mail grows in one buffer, and is given away as another


def test_the_reply_address_carries_the_tickets_token() -> None:
    token = "0f3a9c7b5d1e2468"

    assert made(reply_token=token)["Reply-To"] == f"desk+{token}@example.test"
    assert made({"reply_address": "plain"}, reply_token=token)["Reply-To"] == "desk@example.test"
    assert made(reply_token="x" * 60)["Reply-To"] == "desk@example.test"
    assert made()["Reply-To"] == "desk@example.test"


def test_an_answer_to_the_reply_address_brings_the_token_and_the_id_back() -> None:
    ours = made(reply_token="0f3a9c7b5d1e2468")
    answer = (
        f"From: ada@example.test\r\nTo: {ours['Reply-To']}\r\nSubject: Re\r\nMessage-ID: <a@b>\r\n"
        f"In-Reply-To: {ours['Message-ID']}\r\n\r\nThank you\r\n"
    )

    parsed = parse(answer.encode(), {}, account())

    assert isinstance(parsed, InboundMessage)
    assert parsed.reply_token == "0f3a9c7b5d1e2468"
    assert parsed.references == (MESSAGE.external_id,)


def test_the_marker_stands_on_top_of_both_bodies_in_the_words_of_the_desk() -> None:
    read = made(body="Hello", body_format="markdown", reply_above="Bitte hier oben")

    line = marker_line("Bitte hier oben")
    assert content(read, "plain").startswith(f"{line}\n\nHello")
    html = content(read, "html")
    assert "data-nestor-reply-above" in html
    assert html.index(line) < html.index("Hello")


def test_an_answer_to_a_mail_with_our_marker_is_cut_there() -> None:
    ours = content(made(body="Our words", reply_above="Bitte hier oben"), "plain")
    quoted = "".join(f"> {line}\n" for line in ours.splitlines())
    answer = f"From: ada@example.test\r\nSubject: Re\r\nMessage-ID: <a@b>\r\n\r\nThank you\n\n{quoted}"

    parsed = parse(answer.encode(), {}, account())

    assert isinstance(parsed, InboundMessage)
    assert parsed.body.strip() == "Thank you"


def test_the_agents_name_is_shown_when_the_account_says_so_and_never_on_automatic_mail() -> None:
    shown = {"show_agent_name": True}

    assert made(shown, author_name="Olga")["From"] == '"Olga (Nestor demo desk)" <desk@example.test>'
    assert made(shown, author_name="Olga", automatic=True)["From"] == "Nestor demo desk <desk@example.test>"
    assert made(author_name="Olga")["From"] == "Nestor demo desk <desk@example.test>"


@given(
    name=st.text(max_size=80),
    kind=st.text(max_size=40),
    cid=st.none() | st.text(max_size=30),
    body=st.text(max_size=200),
    form=st.sampled_from(["text", "markdown", "html"]),
    copy=st.text(max_size=40),
)
def test_any_attachment_makes_a_mail_that_can_be_read(
    name: str, kind: str, cid: str | None, body: str, form: str, copy: str
) -> None:
    message = dataclasses.replace(
        MESSAGE,
        body=body,
        body_format=form,  # type: ignore[arg-type]
        attachments=(file(name, PNG, kind, cid=cid),),
        copies=((copy, f"{copy}@example.test"),),
    )

    raw = build(message, account(reply_marker=True))

    read = email.message_from_bytes(raw, policy=email.policy.compat32)
    known = {
        "From",
        "To",
        "Cc",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Reply-To",
        "X-Nestor-Desk",
        "x-ms-reactions",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    }
    assert set(read.keys()) <= known
    assert PNG in [part.get_payload(decode=True) for part in read.walk()]


def test_html_of_ours_is_cleaned_and_shows_its_pictures() -> None:
    body = '<p onclick="x()">See <img src="cid:a@b"> &amp; data-cid="x"<script>alert(1)</script></p>'

    read = made(body=body, body_format="html", attachments=(file("a.png", PNG, "image/png", cid="a@b"),))

    html = content(read, "html")
    assert 'src="cid:a@b"' in html
    assert 'data-cid="x"' in html
    assert "onclick" not in html
    assert "alert" not in html
    assert tree(read)[1][1] == ("multipart/related", ["text/html", "image/png"])


def test_html_that_is_nested_too_deeply_goes_as_text_alone() -> None:
    read = made(body="<div>" * 5000 + "deep", body_format="html")

    assert tree(read) == "text/plain"
    assert "deep" in content(read, "plain")
