"""Posts that show a ticket's events in its topic of the staff group. Commands join the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast
from uuid import UUID

from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.conversations import queries as conversations
from models.definitions import desk
from models.deliveries import buttons
from models.events.payload import StoredPayload
from models.events.tables import EventRow
from models.identity import queries as identity
from models.kernel import clock
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.ports.outbound import Button
from models.publishing import workflows
from models.requesters import queries as requesters
from models.staff_chat.tables import StaffTopic
from models.tickets import queries
from models.tickets.tables import Ticket
from models.visibility.seen import Guard
from models.visibility.sight import Sight, sees

# Events read at once to find the next post; the next round reads the rest.
_events_at_once = 50


Format = Literal["text", "markdown", "html"]


@dataclass(frozen=True, slots=True)
class PostText:
    """The text of a post, in the format of the message that it shows. `heading` is plain: the author of the message.
    The files of `message_id` go with the text.
    """

    body: str
    message_id: UUID | None = None
    heading: str = ""
    body_format: Format = "text"

    @property
    def parts(self) -> tuple[str, str, Format, UUID | None]:
        """Return the members of a post that the text decides."""
        return self.body, self.heading, self.body_format, self.message_id


@dataclass(frozen=True, slots=True)
class Post:
    """The next post of a ticket.

    `address` is None while the ticket has no topic. `closes`: True closes the topic, False reopens it, None leaves it.
    `possibly_posted`: an earlier attempt may have posted it. `opens_topic`: the event is older than the topic, so it is
    part of a new ticket; posts of a running conversation go first. `offers_buttons`: the transitions of now are shown.
    """

    ticket: Ticket
    address: str | None
    sequence: int
    text: str
    heading: str
    body_format: Format
    message_id: UUID | None
    closes: bool | None
    possibly_posted: bool
    opens_topic: bool
    offers_buttons: bool
    buttons: Sequence[Button] = ()


def topic_name(ticket: Ticket) -> str:
    """Return the name of the ticket's topic: at most 128 characters (Bot API, createForumTopic)."""
    return f"#{ticket.number} {ticket.title}"[:128]


def _row(account: ChannelAccount, ticket_id: UUID) -> database.Row | None:
    return database.one(
        "SELECT * FROM staff_topics WHERE channel = :channel AND account = :account AND ticket_id = :ticket",
        channel=account.channel,
        account=account.name,
        ticket=ticket_id,
    )


def next_post(account: ChannelAccount, ticket_id: UUID) -> Post | None:
    """Return the next post. None when all events are posted, and while the group may not see the ticket."""
    ticket = queries.find(str(ticket_id))
    if not sees(_sight_of(account), ticket):
        return None
    # A group has members of every role; it reads what an agent may read.
    guard = Guard.of(ticket, "agent")
    topic = _row(account, ticket_id)
    posted = int(topic["told_sequence"]) if topic else 0
    rows = database.run(
        "SELECT sequence, event_type, payload, actor_kind, actor_id, occurred_at FROM events"
        " WHERE aggregate = 'ticket' AND aggregate_id = :id"
        " AND sequence > :told ORDER BY sequence LIMIT :most",
        id=ticket_id,
        told=posted,
        most=_events_at_once,
    )
    for row in map(EventRow.converted, rows):
        text = _post_text(account, ticket, row["event_type"], guard.payload(row["payload"]))
        if text is not None:
            return _post(account, ticket, topic, row, text)
    if rows and topic is not None:
        _set_posted(account, ticket_id, sequence=rows[-1]["sequence"])
        return next_post(account, ticket_id) if len(rows) == _events_at_once else None
    return None


def _sight_of(account: ChannelAccount) -> Sight:
    """The sight of a staff group: what every agent sees, and the tickets of the teams that the account names."""
    return Sight(None, "agent", teams=tuple(account.config.get("staff", {}).get("teams", ())))


def is_seen_by_group(account: ChannelAccount, ticket: Ticket) -> bool:
    """Return True if the staff group of the account may see the ticket."""
    return sees(_sight_of(account), ticket)


def _escalated(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
    text = texts.text(account, "staff_escalated", None, team=payload["team"], reason=payload["reason"])
    return PostText(text)


def _post(
    account: ChannelAccount, ticket: Ticket, topic: database.Row | None, row: database.Row, text: PostText
) -> Post:
    sequence = int(row["sequence"])
    again = topic is not None and int(topic["telling_sequence"]) == sequence
    opens = topic is None or row["occurred_at"] <= StaffTopic.converted(topic)["created_at"]
    moved = row["event_type"] in ("ticket_created", "ticket_state_changed")
    closes = None
    if topic is not None and moved:
        wanted = ticket.category == "closed"
        closes = wanted if bool(topic["closed"]) != wanted else None
    offers = moved and ticket.category != "closed"
    address = None if topic is None else str(topic["address"])
    return Post(ticket, address, sequence, *text.parts, closes, again, opens, offers)


def begin(account: ChannelAccount, post: Post) -> Post:
    """Mark the post as being posted, and make its buttons. Joins the caller's transaction."""
    database.execute(
        "UPDATE staff_topics SET telling_sequence = :sequence WHERE channel = :channel AND account = :account"
        " AND ticket_id = :id",
        sequence=post.sequence,
        channel=account.channel,
        account=account.name,
        id=post.ticket.id,
    )
    if not post.offers_buttons:
        return post
    return replace(post, buttons=buttons.for_staff(post.ticket.id, account.config.get("locale")))


def _post_text(account: ChannelAccount, ticket: Ticket, kind: str, payload: StoredPayload) -> PostText | None:
    """Return an event in words; None for an event that the group need not read."""
    compose = _POST_TEXTS.get(kind)
    return None if compose is None else compose(account, ticket, payload)


def _created(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
    asker = requesters.names_of({ticket.requester_id}).get(ticket.requester_id) if ticket.requester_id else None
    asked = f"{ticket.channel}, {asker}" if asker else ticket.channel
    return PostText(texts.text(account, "staff_new_ticket", None, number=ticket.number, by=asked, title=ticket.title))


def _message(account: ChannelAccount, ticket: Ticket, payload: StoredPayload, *, mark: str = "") -> PostText | None:
    message_id = UUID(payload["message_id"])
    try:
        message = conversations.get(message_id)
    except NotFound:
        return None
    if message["details"].get("said_in") == f"{account.channel}.{account.name}":
        # The agent wrote it in the topic, so the topic shows it already.
        return None
    body_format = cast(Format, message["body_format"])
    return PostText(message["body"], message_id, f"{message['author_name']}{mark}:", body_format)


def _edited(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
    """Show the new text of a message, with its files if the edit replaced some."""
    found = _message(account, ticket, payload, mark=texts.text(account, "staff_edit_mark", None))
    return found if found is None or payload.get("replaced_attachments") else replace(found, message_id=None)


def _note_added(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
    return _message(account, ticket, payload, mark=texts.text(account, "staff_note_mark", None))


def _moved(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
    states = workflows.of_version(ticket.workflow, ticket.workflow_version).definition.states
    to = payload["to"]
    label = desk.current().pick(states[to].label, account.config.get("locale")) if to in states else to
    return PostText(f"→ {label}")


def _assigned(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
    if not payload.get("to"):
        return PostText(texts.text(account, "staff_unassigned", None))
    to = UUID(str(payload["to"]))
    return PostText(texts.text(account, "staff_assigned", None, name=identity.names_of({to}).get(to, "?")))


def _not_delivered(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
    return PostText(texts.text(account, "staff_not_delivered", None, error=payload.get("error", "")))


def _regrouped(name: str) -> Callable[[ChannelAccount, Ticket, StoredPayload], PostText | None]:
    """Name the other ticket of a merge or a split, if the group may see it."""

    def compose(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
        other = queries.find(str(payload["ticket_id"]))
        number = f"#{other.number}" if sees(_sight_of(account), other) else "…"
        return PostText(texts.text(account, name, None, number=number))

    return compose


def _trouble(name: str) -> Callable[[ChannelAccount, Ticket, StoredPayload], PostText | None]:
    def compose(account: ChannelAccount, ticket: Ticket, payload: StoredPayload) -> PostText | None:
        reason = payload.get("reason") or payload.get("target") or ""
        return PostText(texts.text(account, name, None, reason=reason))

    return compose


_POST_TEXTS: dict[str, Callable[[ChannelAccount, Ticket, StoredPayload], PostText | None]] = {
    "ticket_created": _created,
    "message_received": _message,
    "message_added": _message,
    "message_edited": _edited,
    "note_added": _note_added,
    "ticket_state_changed": _moved,
    "ticket_assigned": _assigned,
    "ticket_merged": _regrouped("staff_merged"),
    "ticket_merge_received": _regrouped("staff_merge_received"),
    "ticket_merge_undone": _regrouped("staff_merge_undone"),
    "ticket_split": _regrouped("staff_split"),
    "ticket_split_undone": _regrouped("staff_merge_undone"),
    "delivery_failed": _not_delivered,
    "requester_unreachable": _trouble("staff_unreachable"),
    "ticket_escalated": _escalated,
    "sla_breached": _trouble("staff_promise_broken"),
    "automation_failed": _trouble("staff_automation_failed"),
}


def open_topic(account: ChannelAccount, ticket_id: UUID, address: str) -> None:
    """Record the ticket's topic. If another worker recorded one before, that one stays and this topic is unused."""
    database.execute(
        "INSERT INTO staff_topics (channel, account, ticket_id, address, created_at) VALUES (:channel, :account,"
        " :id, :address, :now)"
        " ON CONFLICT (channel, account, ticket_id) DO NOTHING",
        channel=account.channel,
        account=account.name,
        id=ticket_id,
        address=address,
        now=clock.now(),
    )


def record_not_posted(account: ChannelAccount, post: Post) -> None:
    """Record that the post certainly did not arrive, so the next attempt is no repetition."""
    database.execute(
        "UPDATE staff_topics SET telling_sequence = 0 WHERE channel = :channel AND account = :account AND"
        " ticket_id = :id",
        channel=account.channel,
        account=account.name,
        id=post.ticket.id,
    )


def record_posted(account: ChannelAccount, post: Post, external_id: str | None) -> None:
    """Record that the post is in its topic."""
    _set_posted(account, post.ticket.id, sequence=post.sequence)
    if post.closes is not None:
        database.execute(
            "UPDATE staff_topics SET closed = :closed WHERE channel = :channel AND account = :account AND"
            " ticket_id = :id",
            closed=post.closes,
            channel=account.channel,
            account=account.name,
            id=post.ticket.id,
        )


def _set_posted(account: ChannelAccount, ticket_id: UUID, *, sequence: int) -> None:
    database.execute(
        "UPDATE staff_topics SET told_sequence = :told, telling_sequence = 0 WHERE channel = :channel AND account"
        " = :account"
        " AND ticket_id = :id AND told_sequence < :told",
        told=sequence,
        channel=account.channel,
        account=account.name,
        id=ticket_id,
    )


def address_of(account: ChannelAccount, ticket_id: UUID) -> str | None:
    """Return the address of the ticket's topic in the account's staff group; None without one."""
    topic = _row(account, ticket_id)
    return None if topic is None else str(topic["address"])


def ticket_of(account: ChannelAccount, address: str) -> UUID | None:
    """Find the ticket of a topic."""
    row = database.one(
        "SELECT ticket_id FROM staff_topics WHERE channel = :channel AND account = :account AND address = :address",
        channel=account.channel,
        account=account.name,
        address=address,
    )
    return None if row is None else StaffTopic.converted(row)["ticket_id"]
