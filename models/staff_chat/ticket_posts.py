"""What of a ticket's story is told in its topic, and how far it has got. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations import queries as conversations
from models.deliveries import buttons
from models.identity import queries as identity
from models.kernel import clock, database
from models.kernel.batch import from_json
from models.kernel.errors import NotFound
from models.ports.outbound import Button
from models.publishing import workflows
from models.requesters import queries as requesters
from models.tickets import queries
from models.tickets.tables import Ticket

_events_at_once = 50  # looked at for the next post; the rest follows in the next round


@dataclass(frozen=True, slots=True)
class Post:
    """The next thing to be told. `address` is None while the ticket has no topic yet; `closes`: the topic rests with it, or wakes."""

    ticket: Ticket
    address: str | None
    sequence: int
    text: str
    message_id: UUID | None
    buttons: Sequence[Button]
    closes: bool | None
    possibly_told: bool


def topic_name(ticket: Ticket) -> str:
    """At most 128 characters (Bot API, createForumTopic)."""
    return f"#{ticket.number} {ticket.title}"[:128]


def _row(account: ChannelAccount, ticket_id: UUID) -> database.Row | None:
    return database.one(
        "SELECT * FROM staff_topics WHERE channel = :channel AND account = :account AND ticket_id = :ticket",
        channel=account.channel,
        account=account.name,
        ticket=ticket_id,
    )


def next_post(account: ChannelAccount, ticket_id: UUID) -> Post | None:
    """What is to be told next, with its buttons made; notes that it is being told. None when all is told."""
    ticket = queries.find(str(ticket_id))
    topic = _row(account, ticket_id)
    told = int(topic["told_sequence"]) if topic else 0
    rows = database.run(
        "SELECT sequence, event_type, payload, actor_kind, actor_id FROM events WHERE aggregate = 'ticket' AND aggregate_id = :id"
        " AND sequence > :told ORDER BY sequence LIMIT :most",
        id=ticket_id,
        told=told,
        most=_events_at_once,
    )
    for row in rows:
        text, message_id = _said(account, ticket, row["event_type"], from_json(row["payload"]))
        if text:
            return _post(account, ticket, topic, row, text, message_id)
    if rows and topic is not None:
        _note(account, ticket_id, told=rows[-1]["sequence"])
        return next_post(account, ticket_id) if len(rows) == _events_at_once else None
    return None


def _post(
    account: ChannelAccount,
    ticket: Ticket,
    topic: database.Row | None,
    row: database.Row,
    text: str,
    message_id: UUID | None,
) -> Post:
    sequence = int(row["sequence"])
    again = topic is not None and int(topic["telling_sequence"]) == sequence
    if topic is not None:
        database.execute(
            "UPDATE staff_topics SET telling_sequence = :sequence WHERE channel = :channel AND account = :account AND ticket_id = :id",
            sequence=sequence,
            channel=account.channel,
            account=account.name,
            id=ticket.id,
        )
    moved = row["event_type"] in ("ticket_created", "ticket_state_changed")
    closes = None
    if topic is not None and moved:
        wanted = ticket.category == "closed"
        closes = wanted if bool(topic["closed"]) != wanted else None
    offered = buttons.for_staff(ticket.id) if moved and ticket.category != "closed" else []
    address = None if topic is None else str(topic["address"])
    return Post(ticket, address, sequence, text, message_id, offered, closes, again)


def _said(account: ChannelAccount, ticket: Ticket, kind: str, payload: dict[str, Any]) -> tuple[str, UUID | None]:
    """An event in words; empty for what nobody in the group needs to read."""
    definition = workflows.of_version(ticket.workflow, ticket.workflow_version).definition
    if kind == "ticket_created":
        asker = requesters.names_of({ticket.requester_id}).get(ticket.requester_id) if ticket.requester_id else None
        asked = f"by {ticket.channel}, {asker}" if asker else f"by {ticket.channel}"
        return f"New ticket #{ticket.number} ({asked}): {ticket.title}", None
    if kind in ("message_received", "message_added", "note_added"):
        message_id = UUID(payload["message_id"])
        try:
            message = conversations.get(message_id)
        except NotFound:
            return "", None
        if from_json(message["details"]).get("said_in") == f"{account.channel}.{account.name}":
            return "", None  # it stands in the topic already: there it was written
        who = {"note_added": f"{message['author_name']} (note)"}.get(kind, message["author_name"])
        return f"{who}:\n{message['body']}", message_id
    if kind == "ticket_state_changed":
        labels = (
            {str(k): v for k, v in definition.states[payload["to"]].label.items()}
            if payload["to"] in definition.states
            else {}
        )
        return (
            f"→ {labels.get(str(account.config.get('locale', 'en'))) or labels.get('en') or payload['to']}",
            None,
        )
    if kind == "ticket_assigned":
        to = payload.get("to")
        return (
            f"Assigned to {identity.names_of({UUID(str(to))}).get(UUID(str(to)), '?')}" if to else "Assigned to nobody"
        ), None
    if kind == "delivery_failed":
        return f"Not delivered: {payload.get('error', '')}", None
    if kind in ("requester_unreachable", "sla_breached", "automation_failed"):
        words = {"requester_unreachable": "Requester unreachable", "sla_breached": "Promise broken"}
        return (
            f"{words.get(kind, 'An automation failed')}: {payload.get('reason') or payload.get('target') or ''}",
            None,
        )
    return "", None


def open_topic(account: ChannelAccount, ticket_id: UUID, address: str) -> None:
    """The ticket's topic was made; a second one, made by a worker that died in between, stays unused."""
    database.execute(
        "INSERT INTO staff_topics (channel, account, ticket_id, address, created_at) VALUES (:channel, :account, :id, :address, :now)"
        " ON CONFLICT (channel, account, ticket_id) DO NOTHING",
        channel=account.channel,
        account=account.name,
        id=ticket_id,
        address=address,
        now=clock.now(),
    )


def not_told(account: ChannelAccount, post: Post) -> None:
    """The post certainly did not arrive: the next try is no repetition."""
    database.execute(
        "UPDATE staff_topics SET telling_sequence = 0 WHERE channel = :channel AND account = :account AND ticket_id = :id",
        channel=account.channel,
        account=account.name,
        id=post.ticket.id,
    )


def told(account: ChannelAccount, post: Post, external_id: str | None) -> None:
    """The post stands in its topic."""
    _note(account, post.ticket.id, told=post.sequence)
    if post.closes is not None:
        database.execute(
            "UPDATE staff_topics SET closed = :closed WHERE channel = :channel AND account = :account AND ticket_id = :id",
            closed=post.closes,
            channel=account.channel,
            account=account.name,
            id=post.ticket.id,
        )


def _note(account: ChannelAccount, ticket_id: UUID, *, told: int) -> None:
    database.execute(
        "UPDATE staff_topics SET told_sequence = :told, telling_sequence = 0 WHERE channel = :channel AND account = :account"
        " AND ticket_id = :id AND told_sequence < :told",
        told=told,
        channel=account.channel,
        account=account.name,
        id=ticket_id,
    )


def ticket_of(account: ChannelAccount, address: str) -> UUID | None:
    """The ticket of a topic."""
    row = database.one(
        "SELECT ticket_id FROM staff_topics WHERE channel = :channel AND account = :account AND address = :address",
        channel=account.channel,
        account=account.name,
        address=address,
    )
    return None if row is None else UUID(str(row["ticket_id"]))
