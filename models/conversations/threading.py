"""Threading: find a message's ticket by the ids that it refers to, if its sender takes part in that ticket.

Ids alone are not enough: people forward mails, and newsletters share ids. A reply from another person
therefore opens a new ticket, which notes the ticket that the reply refers to.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.conversations.tables import Message
from models.kernel import clock
from models.kernel.storage import database
from models.kernel.storage.prepared import Prepared
from models.ports import channel_facts
from models.ports.author_proof import Grade
from models.requesters.commands import normalise_address
from models.tickets.tables import Ticket

# The number of ids of one message that are looked up. A long thread repeats its first and last ids.
references_max = 50


@dataclass(frozen=True, slots=True)
class Thread:
    """The ticket of a message, and its `version` at the look-up. `related_id` is a ticket that the message refers to
    but cannot join because of `reason`. `by_number`: only a number in the subject, which anybody can write, names it.
    """

    ticket_id: UUID | None
    related_id: UUID | None = None
    reason: str = ""
    by_number: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Clues:
    """The parts of a message that can name its ticket; see `InboundMessage`."""

    references: Sequence[str] = ()
    own_id: str | None = None
    reply_token: str | None = None
    subject_number: int | None = None


def find(
    account: ChannelAccount,
    clues: Clues,
    *,
    requester_id: UUID | None,
    author_address: str,
    grade: Grade | None = None,
) -> Thread:
    """Find the ticket that a message belongs to. The clues are, in this order, the token in the recipient address, the
    ids that the message answers, and the number in its subject. A clue counts only if the author takes part in the
    ticket and the ticket is not closed.

    The last clue is the message's own id: an answer to the message can arrive before it. Only such an answer counts,
    not another mail with the same id.

    The clues that count depend on the author's `grade`: all for a proved author and on a channel that identifies its
    senders (None); all but the number for an unjudged author; only the token for an unproved one.
    """
    refused = Thread(None)
    for row, strong in _candidates(account, clues, grade):
        ticket_id: UUID = row["id"]
        closed = row["category"] == "closed"
        takes_part = _takes_part(row, account, ticket_id, requester_id, author_address)
        if takes_part and not closed:
            return Thread(ticket_id, by_number=not strong, version=row["version"])
        if strong and refused.related_id is None:
            reason = _CLOSED if closed else _STRANGER
            refused = Thread(None, ticket_id, reason)
    own = None if grade == "unproved" else _answered_already(account, clues)
    if own is not None and _takes_part(own, account, own["id"], requester_id, author_address):
        return Thread(own["id"], version=own["version"])
    return refused


_CLOSED = "the ticket it answers is closed"
_STRANGER = "its sender does not take part in the ticket it answers"
_TICKET = "t.id, t.category, t.requester_id, t.contact_address, t.merged_into, t.version"


def _candidates(account: ChannelAccount, clues: Clues, grade: Grade | None) -> Iterator[tuple[database.Row, bool]]:
    """Yield the tickets of the clues, strongest first. True: the clue proves that the sender has a message of it."""
    if clues.reply_token:
        yield from _rows("t.reply_token = :token", True, token=clues.reply_token)
    if grade == "unproved":
        return
    wanted = [one for one in dict.fromkeys(clues.references) if one != clues.own_id][:references_max]
    by_id = {row["external_id"]: row for row in _by_reference(account, wanted)}
    for reference in wanted:
        if reference in by_id:
            yield by_id[reference], True
    # Anybody can write a number, so it counts only for an author who is known.
    if clues.subject_number is not None and grade in (None, "proved"):
        yield from _rows("t.number = :number", False, number=clues.subject_number)


def _rows(conditions: str, strong: bool, **values: object) -> Iterator[tuple[database.Row, bool]]:
    for row in database.run(f"SELECT {_TICKET} FROM tickets AS t WHERE {conditions}", values):
        # A message to a merged ticket joins its target. References moved there with their messages.
        target = (ticket := Ticket.converted(row))["merged_into"]
        yield from _rows("t.id = :id", strong, id=target) if target else [(ticket, strong)]


def _by_reference(account: ChannelAccount, wanted: Sequence[str]) -> list[database.Row]:
    """Find the tickets with references to these ids.

    Global ids are searched in all accounts: a mail to another of our mailboxes belongs to the same thread. Other ids
    are unique only within an account.
    """
    if not wanted:
        return []
    places, values = database.in_list("id", wanted)
    conditions = "" if _ids_are_global(account) else " AND r.account = :account"
    rows = database.run(
        f"SELECT r.external_id, {_TICKET} FROM message_references AS r JOIN tickets AS t ON t.id = r.ticket_id"
        f" WHERE r.channel = :channel{conditions} AND r.external_id IN {places}",
        values if not conditions else {**values, "account": account.name},
        channel=account.channel,
    )
    return [Ticket.converted(row) for row in rows]


def _ids_are_global(account: ChannelAccount) -> bool:
    return channel_facts.of(account.channel).message_ids_are_global


def _answered_already(account: ChannelAccount, clues: Clues) -> database.Row | None:
    """Find the open ticket in which an answer to this message, or another reference to it, arrived earlier."""
    if clues.own_id is None:
        return None
    row = database.one(
        f"SELECT {_TICKET} FROM message_references AS r JOIN tickets AS t ON t.id = r.ticket_id JOIN messages AS m"
        " ON m.id = r.message_id WHERE r.channel = :channel AND r.account = :account AND r.external_id = :id AND"
        " t.category <> 'closed' AND (m.external_id IS NULL OR m.external_id <> :id)",
        channel=account.channel,
        account=account.name,
        id=clues.own_id,
    )
    return None if row is None else Ticket.converted(row)


def takes_part(account: ChannelAccount, ticket_id: UUID, requester_id: UUID | None, author_address: str) -> bool:
    """Return True if the author takes part in the ticket."""
    rows = _rows("t.id = :ticket", True, ticket=ticket_id)
    return any(_takes_part(row, account, ticket_id, requester_id, author_address) for row, _ in rows)


def has_come_by(account: ChannelAccount, ticket_id: UUID) -> bool:
    """Return True if the account has received or sent a message of the ticket."""
    row = database.one(
        "SELECT 1 AS yes FROM messages WHERE ticket_id = :ticket AND channel = :channel AND account = :account LIMIT 1",
        ticket=ticket_id,
        channel=account.channel,
        account=account.name,
    )
    return row is not None


def _takes_part(
    row: database.Row, account: ChannelAccount, ticket_id: UUID, requester_id: UUID | None, author_address: str
) -> bool:
    """Return True if the author is the requester, the contact, a recipient of copies, or an earlier author in the
    ticket.
    """
    if requester_id is not None and row["requester_id"] == requester_id:
        return True
    address = normalise_address(account.channel, author_address)
    contact = row["contact_address"]
    if contact is not None and normalise_address(account.channel, contact) == address:
        return True
    known = database.run(
        "SELECT role FROM ticket_participants WHERE ticket_id = :ticket AND channel = :channel AND address = :address"
        " UNION ALL SELECT 'author' WHERE EXISTS (SELECT 1 FROM messages WHERE ticket_id = :ticket"
        " AND author_kind = 'requester' AND author_id = :author)",
        ticket=ticket_id,
        channel=account.channel,
        address=address,
        author=requester_id,
    )
    roles = {one["role"] for one in known}
    return bool(roles) and "former" not in roles


def earlier_copy(
    account: ChannelAccount, external_id: str, author_address: str, *, body: str, sent_at: datetime | None
) -> database.Row | None:
    """Find the copy of a mail that one of our mailboxes received. One mail to two mailboxes is one message, also if a
    list or a gateway added a footer to one copy: Message-ID, author and Date are the same.

    A mail with another Date is another mail. Messages of earlier releases have no time; their text is compared.
    """
    if not _ids_are_global(account):
        return None
    rows = database.run(
        Prepared(
            "SELECT m.id, m.ticket_id, m.account, m.body, m.details FROM message_references AS r JOIN messages AS m ON"
            " m.id = r.message_id JOIN identities AS i ON i.requester_id = m.author_id AND i.channel = m.channel WHERE"
            " r.channel = :channel AND r.external_id = :id AND m.external_id = :id AND m.direction = 'inbound' AND"
            " i.address = :address"
        ),
        channel=account.channel,
        id=external_id,
        address=normalise_address(account.channel, author_address),
    )
    at = None if sent_at is None else clock.rfc3339(sent_at)
    for found in map(Message.converted, rows):
        written = found["details"].get("sent_at")
        if found["body"] == body if None in (written, at) else written == at:
            return found
    return None


def ticket_of_earlier_event(
    account: ChannelAccount, external_id: str, group_key: str | None, sent_at: datetime | None
) -> UUID | None:
    """Find the ticket of a chat message that arrived already in another event. After a week without updates, Telegram
    chooses a random id for the next update (https://core.telegram.org/bots/api#update), but it keeps message ids.

    If the account gets another bot, message ids start at 1 again. A message with the same id and another send time is
    therefore a new message, and the older message loses its id. Joins the caller's transaction.
    """
    row = database.one(
        "SELECT m.ticket_id, m.details, m.group_key FROM message_references AS r JOIN messages AS m ON m.id ="
        " r.message_id WHERE r.channel = :channel AND r.account = :account AND r.external_id = :id AND m.direction ="
        " 'inbound' AND (m.external_id = :id OR m.group_key = :group)",
        channel=account.channel,
        account=account.name,
        id=external_id,
        group=group_key,
    )
    if row is None:
        return None
    found = Message.converted(row)
    written = found["details"].get("sent_at")
    # The parts of an album have send times that differ by some seconds.
    if written and sent_at and row["group_key"] is None and written != clock.rfc3339(sent_at):
        database.execute(
            "DELETE FROM message_references WHERE channel = :channel AND account = :account AND external_id = :id",
            channel=account.channel,
            account=account.name,
            id=external_id,
        )
        return None
    ticket_id: UUID = found["ticket_id"]
    return ticket_id


def take_over(account: ChannelAccount, external_id: str) -> None:
    """Delete the references of other messages to the id of a message that has now arrived.

    Joins the caller's transaction; the caller then stores the id for the message. The id of a stored message stays.
    """
    database.execute(
        Prepared(
            "DELETE FROM message_references WHERE channel = :channel AND account = :account AND external_id ="
            " :external_id AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = message_references.message_id"
            " AND m.external_id = message_references.external_id)"
        ),
        channel=account.channel,
        account=account.name,
        external_id=external_id,
    )


def ticket_of_message(account: ChannelAccount, external_id: str) -> UUID | None:
    """Find the ticket with the message that has this provider id; None when the message has not arrived."""
    row = database.one(
        "SELECT m.ticket_id FROM message_references AS r JOIN messages AS m ON m.id = r.message_id WHERE r.channel ="
        " :channel AND r.account = :account AND r.external_id = :external_id AND m.external_id = :external_id AND"
        " m.direction = 'inbound'",
        channel=account.channel,
        account=account.name,
        external_id=external_id,
    )
    return _ticket_id(row)


def is_sent_by_us(account: ChannelAccount, external_id: str) -> bool:
    """Return True if the desk sent the message with this provider id."""
    row = database.one(
        "SELECT 1 AS yes FROM message_references AS r JOIN messages AS m ON m.id = r.message_id"
        " WHERE r.channel = :channel AND r.external_id = :id AND m.external_id = :id AND m.direction = 'outbound'",
        channel=account.channel,
        id=external_id,
    )
    return row is not None


def _ticket_id(row: database.Row | None) -> UUID | None:
    return None if row is None else Message.converted(row)["ticket_id"]


_DOMAIN = re.compile(r"@([A-Za-z0-9.-]+)$")


def ticket_of_group(account: ChannelAccount, group_key: str) -> UUID | None:
    """Find the ticket with the message of this group of provider messages; None for the first message of a group."""
    row = database.one(
        "SELECT ticket_id FROM messages WHERE channel = :channel AND account = :account AND group_key = :key LIMIT 1",
        channel=account.channel,
        account=account.name,
        key=group_key,
    )
    return _ticket_id(row)


def new_external_id(
    account: ChannelAccount, ticket_number: int, message_id: UUID, *, mark: str | None = None
) -> str | None:
    """Create the Message-ID of an outbound mail (RFC 5322 3.6.4) with an unguessable random part; None for other
    channels.

    `mark` replaces the random part where the id is not stored. It must be the same at each attempt.
    """
    if not _ids_are_global(account):
        return None
    match = _DOMAIN.search(str(account.config.get("address", "")))
    if match is None:
        return None
    return f"<nestor.{ticket_number}.{message_id.hex}.{mark or secrets.token_hex(8)}@{match[1]}>"


def outgoing_references(ticket_id: UUID, account: ChannelAccount) -> tuple[str | None, tuple[str, ...]]:
    """Return the In-Reply-To and References of an outbound mail (RFC 5322 3.6.4). The references are the ids of the
    thread, oldest first: at most ten, which are the first and the last nine.
    """
    rows = database.run(
        Prepared(
            "SELECT external_id, direction FROM messages WHERE ticket_id = :ticket AND channel = :channel AND account ="
            " :account AND external_id IS NOT NULL ORDER BY sequence"
        ),
        ticket=ticket_id,
        channel=account.channel,
        account=account.name,
    )
    ids = [row["external_id"] for row in rows]
    inbound = [row["external_id"] for row in rows if row["direction"] == "inbound"]
    return (inbound[-1] if inbound else None), tuple(ids if len(ids) <= 10 else [ids[0], *ids[-9:]])
