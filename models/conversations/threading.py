"""Which ticket a message belongs to: by the ids it refers to, and only if its sender takes part in that ticket.

Ids alone are not enough: people forward mails, and newsletters share ids (INGRESS 1.2). A stranger's reply therefore opens a
ticket of its own, which notes the one it referred to.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.channels.accounts import ChannelAccount
from models.kernel import database
from models.requesters.commands import normalise_address

references_max = 50  # ids of one message that are looked up; a long thread repeats its first and last ones


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a message belongs. `related_id` is a ticket that it referred to but may not join, with the reason."""

    ticket_id: UUID | None
    related_id: UUID | None = None
    reason: str = ""


def find(
    account: ChannelAccount,
    references: Sequence[str],
    *,
    requester_id: UUID,
    author_address: str,
    own_id: str | None = None,
) -> Thread:
    """The ticket of the most telling reference whose ticket the author takes part in and which is not closed.

    Last comes the message's own id: a mail that answers it may have overtaken it. Only such an answer counts, no other mail that
    has the same id.
    """
    wanted = list(dict.fromkeys(references))[:references_max]
    if own_id is not None and own_id not in wanted:
        wanted.append(own_id)
    places, values = database.in_list("id", wanted)
    rows = database.run(
        "SELECT r.external_id, r.ticket_id, t.category, t.requester_id, t.contact_address, m.external_id AS owner_id"
        " FROM message_references AS r JOIN tickets AS t ON t.id = r.ticket_id JOIN messages AS m ON m.id = r.message_id"
        f" WHERE r.channel = :channel AND r.account = :account AND r.external_id IN {places}",
        values,
        channel=account.channel,
        account=account.name,
    )
    by_id = {row["external_id"]: row for row in rows}
    related: UUID | None = None
    reason = ""
    for reference in wanted:
        row = by_id.get(reference)
        if row is None:
            continue
        ticket_id = UUID(str(row["ticket_id"]))
        if reference == own_id:
            # It answers nothing, so there is no ticket to relate it to either.
            answered_already = row["owner_id"] != own_id and row["category"] != "closed"
            if answered_already and _takes_part(row, account, ticket_id, requester_id, author_address):
                return Thread(ticket_id)
        elif row["category"] == "closed":
            related, reason = related or ticket_id, reason or "the ticket it answers is closed"
        elif not _takes_part(row, account, ticket_id, requester_id, author_address):
            related, reason = (
                related or ticket_id,
                reason or "its sender does not take part in the ticket it answers",
            )
        else:
            return Thread(ticket_id)
    return Thread(None, related, reason)


def _takes_part(
    row: database.Row, account: ChannelAccount, ticket_id: UUID, requester_id: UUID, author_address: str
) -> bool:
    if row["requester_id"] is not None and UUID(str(row["requester_id"])) == requester_id:
        return True
    contact = row["contact_address"]
    if contact is not None and normalise_address(account.channel, contact) == normalise_address(
        account.channel, author_address
    ):
        return True
    wrote = database.one(
        "SELECT 1 AS yes FROM messages WHERE ticket_id = :ticket AND author_kind = 'requester' AND author_id = :author LIMIT 1",
        ticket=ticket_id,
        author=requester_id,
    )
    return wrote is not None


def take_over(account: ChannelAccount, external_id: str) -> None:
    """The message with this id is here: the id no longer belongs to a message that only referred to it.

    Joins the caller's transaction; the caller remembers the id anew. Nobody takes the id of a message that we have, ours least.
    """
    database.execute(
        "DELETE FROM message_references WHERE channel = :channel AND account = :account AND external_id = :external_id"
        " AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = message_references.message_id"
        " AND m.external_id = message_references.external_id)",
        channel=account.channel,
        account=account.name,
        external_id=external_id,
    )


def ticket_of_message(account: ChannelAccount, external_id: str) -> UUID | None:
    """The ticket in which the message with this provider id is; None when we never saw the message itself."""
    row = database.one(
        "SELECT m.ticket_id FROM message_references AS r JOIN messages AS m ON m.id = r.message_id"
        " WHERE r.channel = :channel AND r.account = :account AND r.external_id = :external_id AND m.external_id = :external_id",
        channel=account.channel,
        account=account.name,
        external_id=external_id,
    )
    return None if row is None else UUID(str(row["ticket_id"]))


_DOMAIN = re.compile(r"@([A-Za-z0-9.-]+)$")


def new_external_id(account: ChannelAccount, ticket_number: int, message_id: UUID) -> str | None:
    """The Message-ID of a mail of ours (RFC 5322 3.6.4), with a random part so that nobody can guess one; None for other channels."""
    match = _DOMAIN.search(str(account.config.get("address", "")))
    if match is None:
        return None
    return f"<nestor.{ticket_number}.{message_id.hex}.{secrets.token_hex(8)}@{match[1]}>"


def outgoing_references(ticket_id: UUID, account: ChannelAccount) -> tuple[str | None, tuple[str, ...]]:
    """What a mail of ours answers, and the thread's ids, oldest first: at most ten, the first and the last nine (INGRESS 1.2)."""
    rows = database.run(
        "SELECT external_id, direction FROM messages WHERE ticket_id = :ticket AND channel = :channel AND account = :account"
        " AND external_id IS NOT NULL ORDER BY sequence",
        ticket=ticket_id,
        channel=account.channel,
        account=account.name,
    )
    ids = [row["external_id"] for row in rows]
    inbound = [row["external_id"] for row in rows if row["direction"] == "inbound"]
    return (inbound[-1] if inbound else None), tuple(ids if len(ids) <= 10 else [ids[0], *ids[-9:]])
