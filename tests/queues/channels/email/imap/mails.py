"""Mails of the cast, as they lie in a mailbox, and what the desk made of them."""

from __future__ import annotations

from tests.desk import Desk

within_s = 30.0  # a real server's answer, on a machine under load


def titles(desk: Desk) -> list[str]:
    """Of all tickets, after all that is due."""
    desk.run_due()
    return sorted(ticket.title for ticket in desk.tickets())


def stored(desk: Desk) -> int:
    """Count the events of the inbox."""
    return len(desk.rows("SELECT id FROM inbox"))


def mail(number: int, *, sender: str = "ada@example.test", size: int = 0) -> bytes:
    """One mail; `size` makes it that many bytes longer by an attachment's lines."""
    head = (
        f"Return-Path: <{sender}>\r\nFrom: Ada <{sender}>\r\nTo: desk@example.test\r\nSubject: Trouble {number}\r\n"
        f"Message-ID: <{number}.{sender}>\r\nDate: Wed, 25 Nov 2026 10:00:{number % 60:02} +0000\r\nMIME-Version: 1.0\r\n"
    )
    if not size:
        return f"{head}\r\nThe printer {number} burns.\r\n".encode()
    parts = (
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n'
        f"The printer {number} burns.\r\n--b\r\nContent-Type: application/zip; name=big.zip\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return (head + parts).encode() + b"QUJD" * 18 + b"\r\n" + (b"QUJD" * 18 + b"\r\n") * (size // 74) + b"--b--\r\n"
