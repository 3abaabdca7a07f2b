"""Acts of customers on the shared desk of the console's tests, and faults of the simulated providers."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.console.desk_process import ConsoleDesk
from tests.services.waiting import wait_until


def write_again(desk: ConsoleDesk, text: str, *, chat: int, ticket: dict[str, Any]) -> None:
    """Let the customer of a chat write a further message, and wait until the ticket has it."""
    number = desk.number()
    message = {
        "message_id": number,
        "date": int(time.time()),
        "chat": {"id": chat, "type": "private"},
        "from": {"id": chat, "is_bot": False, "first_name": "Ada", "language_code": "en"},
        "text": text,
    }
    body = json.dumps({"update_id": number, "message": message}).encode()
    headers = {"X-Telegram-Bot-Api-Secret-Token": "demo-secret"}
    _post(f"{desk.url}/webhooks/telegram/demo", body, headers)
    wait_until(
        lambda: any(one["body"] == text for one in messages(desk, ticket)), within_s=20.0, what=f"the message {text!r}"
    )


def mail(desk: ConsoleDesk, subject: str, html: str) -> dict[str, Any]:
    """Let a customer send a mail of HTML; returns the ticket."""
    number = desk.number()
    raw = (
        f"From: Lena <lena{number}@example.test>\r\nTo: desk@example.test\r\nSubject: {subject}\r\n"
        f"Message-ID: <console-{number}@example.test>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n<html><body>{html}</body></html>"
    )
    headers = {"Content-Type": "message/rfc822", "Authorization": "Bearer demo-secret"}
    _post(f"{desk.url}/webhooks/email/demo", raw.encode(), headers)
    return desk.ticket_of(subject)


def messages(desk: ConsoleDesk, ticket: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a ticket."""
    found: list[dict[str, Any]] = desk.ask("GET", f"/v1/tickets/{ticket['number']}/messages?limit=100")["items"]
    return found


def block_bot(desk: ConsoleDesk, chat: int) -> None:
    """The next message to this chat is refused for good, as if the customer had blocked the bot."""
    fault = {"kind": "400", "method": "sendMessage", "chat_id": chat, "times": 1}
    _post(f"{_sandbox_url(desk)}/faults", json.dumps(fault).encode(), {"Content-Type": "application/json"})


def _sandbox_url(desk: ConsoleDesk) -> str:
    """The control address of the desk's sandbox, which only the desk's own processes know."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = path.read_bytes().split(b"\0")
        except OSError:
            continue  # a process of somebody else, or one that has just ended
        texts = [one.decode(errors="replace") for one in variables]
        if f"PUBLIC_URL={desk.url}" in texts:
            return next(one.partition("=")[2] for one in texts if one.startswith("SANDBOX_URL="))
    raise AssertionError("no process of the desk tells the address of its sandbox")


def _post(url: str, body: bytes, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, data=body, method="POST", headers=headers)
    with urllib.request.urlopen(request, timeout=20):
        pass
