"""What people send: Telegram updates, raw mails, agents' replies; and one conversation of both sides."""

from __future__ import annotations

import itertools
import json
import random
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Literal

from tests.faults import limits
from tests.faults.client import GaveUp, Reply
from tests.faults.stack import Desk

Channel = Literal["telegram", "email"]
_numbers = itertools.count(random.SystemRandom().randrange(10**6, 10**8) * 10**3)


def unique() -> int:
    """A number that no other test of this session uses; a chat's, an update's."""
    return next(_numbers)


def update(chat_id: int, text: str, *, update_id: int | None = None) -> bytes:
    """A text message of a private chat, as Telegram posts it."""
    number = update_id or unique()
    person = {"id": chat_id, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    chat = {"id": chat_id, "type": "private", "first_name": "Ada"}
    message = {"message_id": number, "date": 1_767_225_600, "chat": chat, "from": person, "text": text}
    return json.dumps({"update_id": number, "message": message}).encode()


def mail(address: str, text: str, *, message_id: str, answers: str | None = None) -> bytes:
    """A plain mail to the demo desk."""
    message = EmailMessage()
    message["From"] = f"Grace <{address}>"
    message["To"] = "desk@example.test"
    message["Subject"] = "The invoice" if answers is None else "Re: The invoice"
    message["Date"] = "Thu, 01 Jan 2026 00:00:00 +0000"
    message["Message-ID"] = message_id
    if answers is not None:
        message["In-Reply-To"] = message["References"] = answers
    message.set_content(text)
    return message.as_bytes()


@dataclass(slots=True)
class Requester:
    """One person on one channel, writing to the desk and being answered; each text is unique and says its place."""

    desk: Desk
    channel: Channel
    number: int = field(default_factory=unique)
    sent: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)
    ticket_id: str | None = None
    _first_mail: str | None = None

    @property
    def address(self) -> str:
        """Where answers go, as the sandbox's outbox and the deliveries name it."""
        return str(self.number) if self.channel == "telegram" else f"grace{self.number}@example.test"

    def write(self) -> Reply:
        """The next message, repeated until the desk has it."""
        text = f"question {self.number}/{len(self.sent):03d}"
        if self.channel == "telegram":
            body, client = update(self.number, text), self.desk.telegram()
        else:
            message_id = f"<m{len(self.sent)}.{self.number}@example.test>"
            body = mail(self.address, text, message_id=message_id, answers=self._first_mail)
            self._first_mail = self._first_mail or message_id
            client = self.desk.mail()
        reply = client.until_taken("POST", f"/webhooks/{self.channel}/demo", body)
        assert reply.status == 200, f"the desk refused an event: {reply.status} {reply.body[:300]!r}"
        self.sent.append(text)
        self.event_ids.append(reply.json()["event_id"])
        return reply

    def be_answered(self) -> Reply:
        """An agent's next reply, repeated with its Idempotency-Key until the desk has it."""
        text = f"answer {self.number}/{len(self.replies):03d}"
        path = f"/v1/tickets/{self.ticket()}/messages"
        reply = self.desk.api().post(
            path, {"kind": "reply", "body": text}, idempotency_key=f"key-{text}".replace(" ", "-")
        )
        assert reply.status == 201, f"the desk refused a reply: {reply.status} {reply.body[:300]!r}"
        self.replies.append(text)
        return reply

    def ticket(self) -> str:
        """The ticket that the first message opened, once it has."""
        deadline = time.monotonic() + limits.repeat_for_s
        while self.ticket_id is None:
            event = self.event(self.event_ids[0])
            self.ticket_id = event["ticket_id"]
            if self.ticket_id is None:
                if time.monotonic() > deadline:
                    raise GaveUp(f"event {event} made no ticket within {limits.repeat_for_s:g} s")
                time.sleep(limits.repeat_wait_s)
        return self.ticket_id

    def event(self, event_id: str) -> dict[str, Any]:
        """An inbox event as the API shows it."""
        found: dict[str, Any] = self.desk.api().get(f"/v1/inbox/{event_id}")
        return found
