"""The tickets of the pictures: what people write by Telegram and mail, and what agents do with it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from models.kernel import clock
from scripts.sandbox.client import SandboxClient

_WAIT_S: Final = 120.0  # a reply waits 8 s for its undo, and a busy machine takes its time
_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """A request of a customer. `steps`: the acts of agents: assign, reply, note, transition, priority, type, or `lost`,
    a reply that is not delivered.
    """

    name: str
    channel: str
    title: str
    text: str
    steps: tuple[tuple[str, str], ...] = ()


REQUESTS: Final = (
    Request(
        "Grace", "email", "Invoice 4471 charged twice",
        "Dear team,\n\nmy card was charged twice for invoice 4471 on Friday. Please send one of the two back.\n\nGrace",
        (("assign", "agent"), ("lost", "Dear Grace, the second charge goes back today."), ("priority", "high")),
    ),
    Request(
        "Ada", "telegram", "Printer prints blank pages",
        "Printer prints blank pages. The display shows E-41 again, after the new toner.",
        (
            ("assign", "agent"), ("reply", "E-41 is the transfer belt. Please open the front flap and lift the lever."),
            ("note", "HP-204 had the same in May, the belt was swapped under warranty."), ("transition", "reopen"),
        ),
    ),
    Request(
        "Hugo", "email", "Cannot join the stand-up call", "Audio only, the camera stays black since the update.",
        (("priority", "urgent"),),
    ),
    Request(
        "Noor", "api", "Access to the shared drive “Design 2026”", "Mira approved it on Thursday.",
        (("assign", "agent"), ("type", "incident"), ("transition", "investigate")),
    ),
    Request("Ines", "telegram", "Badge does not open the north door", "Badge does not open the north door."),
    Request(
        "build-bot", "api", "Nightly export failed for tenant 12", "exit 137, out of memory",
        (("type", "incident"), ("priority", "urgent"), ("assign", "manager")),
    ),
    Request(
        "Mark", "email", "Laptop: the battery swells", "It does not close any more. Is it safe to charge it?",
        (("assign", "agent"), ("reply", "Please do not charge it. When can you bring it by?")),
    ),
    Request(
        "Lena", "telegram", "Which cable for the projector?", "Which cable for the projector in room 3?",
        (("assign", "agent"), ("reply", "HDMI; one lies in the drawer below it.")),
    ),
    Request(
        "Tomas", "api", "New starter on 1 December", "Laptop, badge and the usual accounts for Jana.",
        (("assign", "manager"), ("transition", "wait")),
    ),
    Request(
        "Yuki", "email", "Calendar shows the wrong time zone", "All meetings are nine hours early.",
        (("assign", "agent"), ("reply", "Which time zone do the settings show?")),
    ),
    Request("Sofia", "api", "Second monitor for 2.14", "For the new desk by the window."),
    Request("Emil", "email", "New address for the mailing list", "Please use emil.new@example.com from now on."),
    Request(
        "Iris", "telegram", "Meeting room screen stays dark", "Meeting room screen stays dark since Monday.",
        (("assign", "agent"), ("transition", "start")),
    ),
    Request(
        "Софья", "telegram", "Не приходит письмо для смены пароля", "Не приходит письмо для смены пароля.",
        (("priority", "high"),),
    ),
)  # fmt: skip


class Stage:
    """A running demo, and what people do with it."""

    def __init__(self, url: str, sandbox_url: str) -> None:
        self.url = url
        self._sandbox = SandboxClient(sandbox_url)
        self._users = {one["email"].partition("@")[0]: one["id"] for one in self.ask("GET", "/v1/users")["items"]}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call the API with the demo's key."""
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310 -- our own desk
        request.add_header("Authorization", "Bearer demo-key")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 -- our own desk
            content = response.read()
        return json.loads(content) if content else None

    def post(self, path: str, body: bytes, **headers: str) -> None:
        """Post an event as a provider does."""
        request = urllib.request.Request(self.url + path, data=body, method="POST")  # noqa: S310 -- our own desk
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        with urllib.request.urlopen(request, timeout=20):  # noqa: S310 -- our own desk
            pass

    def play(self) -> None:
        """Let everybody write, then let the agents work."""
        for number, request in enumerate(REQUESTS, start=1):
            self._write(request, number)
            ticket = self._ticket(request)
            for step, value in request.steps:
                self._do(ticket["id"], step, value)

    def _write(self, request: Request, number: int) -> None:
        if request.channel == "telegram":
            chat, at = 7_000 + number, int(clock.now().timestamp())
            sender = {"id": chat, "is_bot": False, "first_name": request.name, "language_code": "en"}
            message = {"message_id": number, "date": at, "chat": {"id": chat, "type": "private"}, "from": sender}
            update = {"update_id": number, "message": {**message, "text": request.text}}
            token = {"X_Telegram_Bot_Api_Secret_Token": "demo-secret"}
            self.post("/webhooks/telegram/demo", json.dumps(update).encode(), **token)
        elif request.channel == "email":
            address = f"{request.name.lower()}@example.com"
            mail = (
                f"From: {request.name} <{address}>\r\nTo: desk@example.test\r\nSubject: {request.title}\r\n"
                f"Message-ID: <{number}@example.com>\r\n"
                f"Content-Type: text/plain; charset=utf-8\r\n\r\n{request.text}\r\n"
            )
            headers = {"Authorization": "Bearer demo-secret", "Content_Type": "message/rfc822"}
            self.post("/webhooks/email/demo", mail.encode(), **headers)
        else:
            body = {"title": request.title, "description": request.text, "requester": {"name": request.name}}
            self.ask("POST", "/v1/tickets", body)

    def _ticket(self, request: Request) -> Any:
        """Wait for the ticket of a request."""
        deadline = time.monotonic() + _WAIT_S
        while time.monotonic() < deadline:
            for ticket in self.ask("GET", "/v1/tickets?sort=-created_at&limit=100")["items"]:
                if ticket["title"].startswith(request.title[:24]):
                    return ticket
            time.sleep(_POLL_S)
        raise TimeoutError(f"no ticket {request.title!r} came in")

    def _do(self, ticket: str, step: str, value: str) -> None:
        path = f"/v1/tickets/{ticket}"
        if step == "assign":
            self.ask("PUT", f"{path}/assignment", {"assignee_id": self._users[value]})
        elif step in ("reply", "note"):
            self.ask("POST", f"{path}/messages", {"kind": step, "body": value})
        elif step == "lost":
            self._sandbox.fail_mail("reject", stage="rcpt", code=552, text="5.2.2 mailbox full")
            self.ask("POST", f"{path}/messages", {"kind": "reply", "body": value})
            self._wait_for_failure(path)
            self._sandbox.control("DELETE", "/mail-faults")
        elif step == "transition":
            self.ask("POST", f"{path}/transitions", {"transition": value})
        else:
            self.ask("PATCH", path, {step: value}, If_Match="*")

    def _wait_for_failure(self, path: str) -> None:
        deadline = time.monotonic() + _WAIT_S
        while time.monotonic() < deadline:
            if any(one["state"] == "failed" for one in self.ask("GET", f"{path}/deliveries")["items"]):
                return
            time.sleep(_POLL_S)
        raise TimeoutError("the reply was not refused")
