"""Mails and updates that are made to cost: time by their shape, memory by what their reading would make of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

MIB = 1 << 20
_HEAD = b"From: Eve <eve@example.test>\r\nTo: desk@example.test\r\nSubject: Printer\r\nMessage-ID: <1@example.test>\r\n"


def text(piece: str, size: int) -> bytes:
    """A mail of one text that repeats."""
    content = (piece * (size // len(piece.encode()) + 1)).encode()[:size]
    return _HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\nIt burns.\r\n\r\n" + content


def html(content: str) -> bytes:
    """A mail of HTML alone."""
    return _HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>It burns.</p>" + content.encode()


def parts(count: int) -> bytes:
    """So many parts beside each other, the first one readable."""
    part = b"--cut\r\nContent-Type: application/octet-stream; name=a\r\n\r\nx\r\n"
    return (
        _HEAD
        + b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\nIt burns.\r\n"
        + part * count
        + b"--cut--\r\n"
    )


def depth(count: int) -> bytes:
    """So many multiparts within each other, a text beside the outermost."""
    opening = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(count)
    )
    closing = b"".join(b"--b%d--\r\n" % n for n in range(count, -1, -1))
    return (
        _HEAD
        + b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n--b0\r\n\r\nIt burns.\r\n"
        + opening
        + b"--b%d\r\n\r\ndeepest\r\n" % count
        + closing
    )


def messages_within(count: int) -> bytes:
    """So many mails attached to each other."""
    inner = b"Content-Type: message/rfc822\r\n\r\n" * count
    return (
        _HEAD
        + b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\nIt burns.\r\n--cut\r\n"
        + inner
        + b"Subject: deepest\r\n\r\nx\r\n--cut--\r\n"
    )


def headers(line: Callable[[int], bytes], size: int) -> bytes:
    """A readable mail behind so many bytes of headers."""
    found = bytearray()
    number = 0
    while len(found) < size:
        found += line(number)
        number += 1
    end = b"" if found.endswith(b"\r\n") else b"\r\n"
    return _HEAD + bytes(found) + end + b"\r\nIt burns.\r\n"


def attachment(size: int, *, encoding: str = "base64") -> bytes:
    """A text and a file of so many bytes."""
    line = base64.b64encode(bytes(range(57))) + b"\r\n" if encoding == "base64" else bytes(range(48, 105))
    return (
        _HEAD
        + b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\nIt burns.\r\n--cut\r\n"
        + b"Content-Type: application/pdf; name=plan.pdf\r\nContent-Transfer-Encoding: "
        + encoding.encode()
        + b"\r\n\r\n"
        + line * (size // 57)
        + b"\r\n--cut--\r\n"
    )


def from_nobody(mail: bytes) -> bytes:
    """The mail without its sender."""
    return mail.replace(b"From: Eve <eve@example.test>\r\n", b"", 1)


MAILS: dict[str, Callable[[], bytes]] = {
    "50 KB of prose that begins as attributions do": lambda: text("On the other hand\n", 50 * 1024),
    "50 KB in one line": lambda: text("On a b c d e f g ", 50 * 1024),
    "1 MB of prose that begins as attributions do": lambda: text("On the other hand\n", MIB),
    "1 MB of attributions": lambda: text("On May 5, 2020 at 10:00 x <a@b.c> wrote:\n> x\ny\n", MIB),
    "1 MB of quote marks in one line": lambda: text(">", MIB),
    "1 MB of header lines": lambda: text("From: a\nSent: b\nTo: c\n", MIB),
    "1 MB of uuencoded beginnings": lambda: text("begin 644 a\n", MIB),
    "1 MB of empty lines": lambda: text("\r\n", MIB),
    "1 MB of invisible letters": lambda: text("\u200b\u202e", MIB),
    "28 MB of text": lambda: text("Lorem ipsum dolor sit amet.\n", 28 * MIB),
    "100,000 parts": lambda: parts(100_000),
    "depth of 1,000": lambda: depth(1_000),
    "depth of 20,000": lambda: depth(20_000),
    "1,000 mails within each other": lambda: messages_within(1_000),
    "200,000 nested divs": lambda: html("<div>" * 200_000 + "x" + "</div>" * 200_000),
    "200,000 nested quotes": lambda: html("<blockquote>" * 200_000),
    "200,000 nested tables that do not end": lambda: html("<table><tr><td>" * 200_000),
    "60,000 links": lambda: html('<a href="https://a.example">b</a>' * 60_000),
    "2 MB of tags that do not end": lambda: html("<a " * 700_000),
    "2 MB of comments that do not end": lambda: html("<!-- " * 400_000),
    "2 MB of styles": lambda: html(f'<p style="{"color:red;" * 100}">x</p>' * 2_000),
    "1 MB of one header": lambda: headers(lambda n: b"X-Long: " + b"a" * MIB + b"\r\n", MIB),
    "1 MB of header lines of their own": lambda: headers(lambda n: b"X-%d: a\r\n" % n, MIB),
    "1 MB of a folded subject": lambda: headers(
        lambda n: b"Keywords: a\r\n" if n == 0 else b" =?utf-8?q?=41?=\r\n", MIB
    ),
    "1 MB of addresses": lambda: headers(lambda n: b"Cc: a" if n == 0 else b", b%d@example.test" % n, MIB),
    "1 MB of nested comments in an address": lambda: headers(lambda n: b"Cc: " + b"(" * MIB + b"\r\n", MIB),
    "1 MB of ids": lambda: headers(lambda n: b"References: <a@b>" if n == 0 else b"\r\n <%d@example.test>" % n, MIB),
    "1 MB of RFC 2231 parameters": lambda: headers(
        lambda n: b"Content-Type: text/plain" if n == 0 else b";\r\n name*%d*=a" % n, MIB
    ),
    "a file of 20 MB in base64": lambda: attachment(20 * MIB),
    "a file of 25 MB as it is": lambda: attachment(25 * MIB, encoding="binary"),
}


def update(message: dict[str, object]) -> bytes:
    """A Telegram update with a message of Eve's."""
    told = {
        "message_id": 1,
        "date": 1_790_000_000,
        "chat": {"id": 66, "type": "private"},
        "from": {"id": 66, "is_bot": False, "first_name": "Eve"},
    }
    return json.dumps({"update_id": 1, "message": told | message}).encode()


UPDATES: dict[str, Callable[[], bytes]] = {
    "3,000 marks over one text": lambda: update(
        {
            "text": "It burns.",
            "entities": [{"type": "bold", "offset": n % 9, "length": 1} for n in range(3_000)],
        }
    ),
    "a text of 200 KB": lambda: update({"text": "It burns. " + "a" * 200_000}),
    "a reply to a reply, 1,000 deep": lambda: update(
        {"text": "It burns.", "reply_to_message": json.loads('{"reply_to_message":' * 900 + "{}" + "}" * 900)}
    ),
    "3,000 sizes of a picture": lambda: update(
        {"caption": "It burns.", "photo": [{"file_id": "a", "width": n, "height": n} for n in range(3_000)]}
    ),
}
