"""A whole desk in one thread: real domain, real database, no broker, no network. What the `desk` fixture gives to
tests.

Events come in by `receive_telegram`, `receive_email` or `receive`; nothing happens to them until `run_due` runs what is
due, as a worker would; what would go to a provider is in `sent`, and `answers` says how the provider answers.
"""

from __future__ import annotations

import importlib
import itertools
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.conversations import queries as conversations
from models.deliveries import queries as deliveries
from models.events import queries as events
from models.events.commands import Actor
from models.identity import queries as identity
from models.inbox import commands as inbox
from models.inbox import queries as inbox_queries
from models.kernel import clock
from models.kernel.errors import NestorError
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import EventKey, IngressRequest, Parsed
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.search.index import writing as search_index
from models.tasks import timers
from models.tasks.rates import Bucket
from models.tasks.wakeups import Wakeup
from models.ticket_actions import answering
from models.ticket_actions import commands as tickets
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.page import page
from models.tickets import queries
from models.tickets.tables import Ticket
from models.visibility.sight import DESK
from queues import channels, runner
from queues.channel_port import Parser

runs_max = 2_000  # tasks that one `run_due` runs; more is a loop
_join_s = 30.0  # for threads that a test starts; a hung one fails the test instead of the session

Answer = SendOutcome | Exception | Callable[[OutgoingMessage], SendOutcome]


@dataclass
class Sent:
    """One call of a provider."""

    channel: str
    message: OutgoingMessage
    outcome: SendOutcome | None

    @property
    def body(self) -> str:
        return self.message.body

    @property
    def address(self) -> str:
        return self.message.address


class FakeProvider:
    """Stands for every channel's `send.py`: records, and answers as told (accepted, unless told otherwise)."""

    def __init__(self, desk: Desk, channel: str) -> None:
        self._desk, self._channel = desk, channel

    def send(self, message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
        assert not database.in_transaction(), "no transaction is held across the network"
        desk = self._desk
        to_user = message.delivery_id.startswith("user_notice:")
        answers, calls = (desk.notice_answers, desk.notice_calls) if to_user else (desk.answers, desk.calls)
        answer: Answer = answers.popleft() if answers else self._accepted(message)
        call = Sent(self._channel, message, None)
        calls.append(call)
        if isinstance(answer, Exception):
            raise answer
        call.outcome = answer if isinstance(answer, SendOutcome) else answer(message)
        return call.outcome

    def buckets(self, account: ChannelAccount, address: str) -> list[Bucket]:
        return self._desk.send_buckets(account, address)

    def _accepted(self, message: OutgoingMessage) -> SendOutcome:
        if self._channel == "email":
            return outbound.accepted(message.external_id)
        return outbound.accepted(f"{message.address}:{next(self._desk.sent_ids)}")


class ScriptedParser:
    """Gives what `Desk.receive` was told; every other event goes to the channel's own parser."""

    def __init__(self, desk: Desk, channel: str) -> None:
        self._desk, self._channel = desk, channel

    def parse(self, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
        if "scripted" not in envelope:
            parser: Parser = importlib.import_module(f"queues.channels.{self._channel}.parse")
            return parser.parse(raw, envelope, account)
        parsed = self._desk.scripted[envelope["scripted"]]
        if isinstance(parsed, Exception):
            raise parsed
        return parsed

    def people(self, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> tuple[str, ...]:
        parser: Parser = importlib.import_module(f"queues.channels.{self._channel}.parse")
        return parser.people(raw, envelope, account)


@dataclass
class Desk:
    """See the module's docstring. `engine` is `sqlite` or `postgresql`; `wakeups` is what a broker would have got."""

    engine: str
    settings: Settings
    calls: list[Sent] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)
    # Notices to the desk's own users, apart from what goes to requesters.
    notice_calls: list[Sent] = field(default_factory=list)
    notice_answers: deque[Answer] = field(default_factory=deque)
    wakeups: list[Wakeup] = field(default_factory=list)
    scripted: dict[str, Parsed | Exception] = field(default_factory=dict)
    bucket_list: list[Bucket] = field(default_factory=list)
    sent_ids: Any = field(default_factory=lambda: itertools.count(9_000))
    _numbers: Any = field(default_factory=lambda: itertools.count(1_000))

    # -- what comes in --------------------------------------------------------------------------------------

    def receive_telegram(
        self,
        text: str = "The printer is on fire.",
        *,
        chat: int = 42,
        user: int | None = None,
        name: str = "Ada",
        update_id: int | None = None,
        message_id: int | None = None,
        reply_to: int | None = None,
        edit: bool = False,
        locale: str = "en",
    ) -> UUID:
        """A Telegram update as the webhook takes it: real bytes, the real ingress, stored with its task."""
        number = next(self._numbers)
        message: dict[str, Any] = {
            "message_id": message_id or number,
            "date": int(clock.now().timestamp()),
            "chat": {"id": chat, "type": "private" if chat > 0 else "supergroup"},
            "from": {
                "id": chat if user is None else user,
                "is_bot": False,
                "first_name": name,
                "language_code": locale,
            },
            "text": text,
        }
        if reply_to is not None:
            message["reply_to_message"] = {"message_id": reply_to, "date": 1, "chat": message["chat"]}
        if edit:
            message["edit_date"] = message["date"]
        kind = "edited_message" if edit else "message"
        update = {"update_id": number if update_id is None else update_id, kind: message}
        return self.receive_raw("telegram", json.dumps(update).encode(), content_type="application/json")

    def receive_email(
        self,
        text: str = "The printer is on fire.",
        *,
        sender: str = "Ada <ada@example.com>",
        subject: str = "Printer",
        message_id: str | None = None,
        in_reply_to: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> UUID:
        """A mail as the webhook takes it: RFC 5322 bytes, the real ingress, stored with its task."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, "desk@example.test", subject
        mail["Message-ID"] = message_id or f"<{next(self._numbers)}@example.com>"
        if in_reply_to is not None:
            mail["In-Reply-To"] = mail["References"] = in_reply_to
        for header, value in (headers or {}).items():
            mail[header] = value
        mail.set_content(text)
        return self.receive_raw("email", mail.as_bytes(), content_type="message/rfc822")

    def receive_raw(
        self,
        channel: str,
        body: bytes,
        *,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        account: str = "demo",
    ) -> UUID:
        """A request's body through the channel's `identify`, stored; authentication is the
        adapters' own tests' matter.
        """
        request = IngressRequest(dict(headers or {}), body, content_type)
        with database.connection():
            found = accounts.find(channel, account)
            [event] = channels.get(channel).ingress.receive(request, found).events
            with database.transaction():
                return inbox.store(found, event.key, raw=body, content_type=content_type).event_id

    def receive(
        self,
        parsed: Parsed | Exception,
        *,
        channel: str = "email",
        event_key: str | None = None,
        ordering_key: str | None = None,
    ) -> UUID:
        """An event whose parser will say `parsed`: for rules of the domain that no adapter has a part in."""
        name = event_key or f"scripted:{next(self._numbers)}"
        self.scripted[name] = parsed
        with database.connection():
            account = accounts.find(channel, "demo")
            with database.transaction():
                key = EventKey(name, ordering_key, {"scripted": name})
                return inbox.store(account, key, raw=b"scripted", content_type="text/plain").event_id

    # -- what the desk does ---------------------------------------------------------------------------------

    def run_due(self) -> list[str]:
        """Fire due timers and run due tasks in this thread until nothing is due; the outcomes in order."""
        outcomes: list[str] = []
        while True:
            while timers.fire_due():
                pass
            ran = [outcome for task_id in self.due_tasks() if (outcome := runner.run_task(task_id)) != "not_mine"]
            outcomes += ran
            if not ran:
                return outcomes
            assert len(outcomes) < runs_max, f"still due after {runs_max} tasks: {self.tasks('ready')[:3]}"

    def due_tasks(self) -> list[int]:
        """Ids of tasks that a worker could try now, in id order."""
        with database.connection():
            rows = database.run(
                "SELECT id FROM tasks WHERE (state = 'ready' AND due_at <= NOW()) OR (state = 'leased' AND"
                " lease_until < NOW())"
                " ORDER BY id"
            )
        return [row["id"] for row in rows]

    def advance(self, **by: float) -> None:
        """Move the desk's clock (arguments of timedelta)."""
        clock.set_shift(clock.shift() + timedelta(**by))

    def in_threads(self, *work: Callable[[], Any]) -> list[Any]:
        """Run all at once, each in a thread of its own; their results in order. The first error is raised."""
        results: list[Any] = [None] * len(work)
        errors: list[BaseException] = []
        together = threading.Barrier(len(work))

        def run(index: int) -> None:
            try:
                together.wait(_join_s)
                results[index] = work[index]()
            except BaseException as error:  # noqa: BLE001 -- raised again in the test's thread
                errors.append(error)
            finally:
                if not database.proxy.obj.is_closed():
                    database.proxy.obj.close()

        threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(work))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_join_s)
            assert not thread.is_alive(), "a thread hangs"
        if errors:
            raise errors[0]
        return results

    def send_buckets(self, account: ChannelAccount, address: str) -> list[Bucket]:
        """The rate limits of sends: none, unless a test fills `bucket_list`."""
        return list(self.bucket_list)

    # -- people ---------------------------------------------------------------------------------------------

    def person(self, role: str = "agent") -> Actor:
        """The seeded user of a role (scripts.seed.CAST), as an actor."""
        with database.connection():
            user = identity.find_by_email(f"{role}@example.test")
        assert user is not None, role
        return Actor("user", str(user.id), user.name)

    def create_ticket(
        self, title: str = "Printer", *, description: str | None = None, email: str | None = None, **more: Any
    ) -> Ticket:
        """A ticket over the API's door, by the seeded agent."""
        new = tickets.NewTicket(title=title, description=description, requester_email=email, **more)
        with database.transaction():
            return tickets.create(new, actor=self.person())

    def reply(self, ticket: Ticket, body: str = "Water it.", *, send_at: datetime | None = None) -> UUID:
        with database.transaction():
            return answering.reply(ticket.id, body, actor=self.person(), send_at=send_at)

    def transition(
        self,
        ticket: Ticket,
        name: str,
        *,
        role: str = "agent",
        fields: Mapping[str, Any] | None = None,
        comment: str | None = None,
    ) -> tuple[str, ...]:
        """A person's confirmed transition; the reasons of a refusal (committed, as the gateway does), else empty."""
        actor = self.person(role)
        with database.transaction():
            _, refusal = tickets.transition(
                ticket.id, name, fields=fields, comment=comment, role=role, actor=actor, confirmed=True
            )
        return refusal

    # -- what there is --------------------------------------------------------------------------------------

    @property
    def sent(self) -> list[Sent]:
        """What the providers accepted, in order."""
        return [call for call in self.calls if call.outcome is not None and call.outcome.kind == "accepted"]

    @property
    def notices_sent(self) -> list[Sent]:
        """The notices to users that the providers accepted, in order."""
        return [call for call in self.notice_calls if call.outcome is not None and call.outcome.kind == "accepted"]

    def sent_bodies(self) -> list[str]:
        return [call.body for call in self.sent]

    def tickets(self) -> list[Ticket]:
        """All tickets, oldest first."""
        with database.connection():
            return page(TicketFilter(), sort="number", after=None, limit=10_000, sight=DESK)

    def index(self) -> None:
        """Write the search documents of all tickets, as workers do within a second."""
        with database.transaction():
            search_index.index_tickets([ticket.id for ticket in self.tickets()])

    def ticket(self) -> Ticket:
        """The only ticket."""
        found = self.tickets()
        assert len(found) == 1, f"expected one ticket, found {len(found)}"
        return found[0]

    def reload(self, ticket: Ticket) -> Ticket:
        with database.connection():
            return queries.find(str(ticket.id))

    def messages(self, ticket: Ticket) -> list[dict[str, Any]]:
        with database.connection():
            return [dict(row) for row in conversations.page(ticket.id, after_sequence=0, limit=1_000)]

    def bodies(self, ticket: Ticket, direction: str = "inbound") -> list[str]:
        return [m["body"].strip() for m in self.messages(ticket) if m["direction"] == direction]

    def events(self, ticket: Ticket, event_type: str | None = None) -> list[dict[str, Any]]:
        with database.connection():
            found = events.of_aggregate("ticket", ticket.id, limit=1_000)
        return [dict(event) for event in found if event_type in (None, event["event_type"])]

    def deliveries(self, ticket: Ticket) -> list[dict[str, Any]]:
        """The ticket's deliveries with `attempt_log`."""
        with database.connection():
            return [dict(row) for row in deliveries.of_ticket(ticket.id)]

    def inbox(self, event_id: UUID) -> dict[str, Any]:
        with database.connection():
            return dict(inbox_queries.get(event_id))

    def tasks(self, *states: str, kind: str | None = None) -> list[dict[str, Any]]:
        """Task rows in id order, of these states (all, when none is named)."""
        found = self.rows("SELECT * FROM tasks ORDER BY id")
        return [t for t in found if (not states or t["state"] in states) and kind in (None, t["kind"])]

    def task(self, task_id: int) -> dict[str, Any]:
        return self.rows("SELECT * FROM tasks WHERE id = :id", id=task_id)[0]

    def timers(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM timers ORDER BY name")

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of a statement, for what no query of the domain shows."""
        with database.connection():
            return database.run(statement, values)

    def command(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """A command in a transaction of its own."""
        with database.transaction():
            return work(*arguments, **named)

    def refused(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> NestorError:
        """The error with which a command refuses."""
        try:
            self.command(work, *arguments, **named)
        except NestorError as error:
            return error
        raise AssertionError("expected a refusal")


def gapless(sequence: Sequence[int]) -> bool:
    return list(sequence) == list(range(1, len(sequence) + 1))
