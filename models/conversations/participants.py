"""People besides the requester who may write into a ticket: readers of copies, and people whom an agent added."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from models.channels import accounts
from models.conversations.tables import Message
from models.kernel import database, limits
from models.kernel.errors import FieldProblem, Invalid
from models.ports import channel_facts
from models.ports.inbound import Participant
from models.requesters.commands import normalise_address
from models.tickets.ticket_change import TicketChange


def add(change: TicketChange, channel: str, people: Sequence[Participant], *, role: str) -> None:
    """Add people to the ticket; a person who takes part already keeps their row."""
    for one in people[: limits.participants_max]:
        if accounts.is_ours(channel, one.address):
            # Another mailbox of this desk reads no copies.
            continue
        change.batch.insert(
            "ticket_participants",
            {
                "ticket_id": change.ticket.id,
                "channel": channel,
                "address": normalise_address(channel, one.address),
                "name": one.name[: limits.name_chars_max],
                "role": role,
                "added_at": change.at,
            },
            unless_exists=True,
        )


def of_ticket(ticket_id: UUID) -> list[database.Row]:
    """Return all people of the ticket, in the order in which they were added."""
    return database.run(
        "SELECT channel, address, name, role, added_at FROM ticket_participants WHERE ticket_id = :id ORDER BY"
        " added_at, address",
        id=ticket_id,
    )


def _last_copies(ticket_id: UUID, channel: str, contact: str) -> tuple[Participant, ...]:
    """Return the author and the readers of the last message that a person wrote on the channel, without the contact.

    An answer goes to them as well, unless the agent chooses other readers.
    """
    row = database.one(
        "SELECT copies, details, author_name, verdict FROM messages WHERE ticket_id = :id AND direction = 'inbound'"
        " AND channel = :channel AND automatic IS NULL ORDER BY sequence DESC LIMIT 1",
        id=ticket_id,
        channel=channel,
    )
    if row is None:
        return ()
    last = Message.converted(row)
    if is_unproved(last["details"], last["verdict"]):
        return ()
    people = [Participant(one["name"], one["address"]) for one in last["copies"]]
    author = last["details"].get("from")
    if author:
        people.insert(0, Participant(last["author_name"], author))
    known = {normalise_address(channel, one.address): one for one in reversed(people)}
    known.pop(contact, None)
    silent = _suppressed(channel, known)
    return tuple(
        one
        for address, one in reversed(known.items())
        if address not in silent and not accounts.is_ours(channel, address)
    )


def _suppressed(channel: str, addresses: Collection[str]) -> dict[str, str]:
    """Return the suppressed ones of the addresses with the reasons: they returned our mail, or complained about it."""
    if not addresses:
        return {}
    names, values = database.in_list("address", list(addresses))
    rows = database.run(
        "SELECT address, suppressed_reason FROM identities WHERE channel = :channel AND suppressed_reason IS NOT NULL"
        f" AND address IN {names}",
        values,
        channel=channel,
    )
    return {row["address"]: row["suppressed_reason"] for row in rows}


def of_reply(change: TicketChange, wanted: Sequence[str] | None) -> tuple[Participant, ...]:
    """Return the readers who get a copy of an answer: the addresses that the agent names, else those of the requester's
    last mail.

    Raises Invalid for copies on a channel that has none, for a mailbox of this desk, and for an address that returned
    our mail.
    """
    channel = change.ticket.contact_channel
    if channel is None or not channel_facts.of(channel).has_copies:
        if wanted:
            raise Invalid([FieldProblem("/copies", f"only mails have copies; this ticket is answered by {channel}")])
        return ()
    contact = normalise_address(channel, change.ticket.contact_address or "")
    if wanted is None:
        return _last_copies(change.ticket.id, channel, contact)
    chosen = _allowed(channel, [normalise_address(channel, address) for address in wanted])
    return tuple(Participant("", address) for address in dict.fromkeys(chosen) if address != contact)


def _allowed(channel: str, addresses: Sequence[str]) -> Sequence[str]:
    """Return the addresses if each of them may get a copy. Raises Invalid."""
    suppressed = _suppressed(channel, addresses)
    refused = {index: _refusal(channel, address, suppressed) for index, address in enumerate(addresses)}
    problems = [FieldProblem(f"/copies/{index}", f"{addresses[index]} {why}") for index, why in refused.items() if why]
    if problems:
        raise Invalid(problems)
    return addresses


def _refusal(channel: str, address: str, suppressed: Mapping[str, str]) -> str:
    """Return the reason why the address gets no copy; empty when it gets one."""
    if accounts.is_ours(channel, address):
        return "is a mailbox of this desk"
    return f"gets no mail: {suppressed[address]}" if address in suppressed else ""


def is_unproved(details: Mapping[str, Any], verdict: str | None) -> bool:
    """Return True if a mail joined its ticket only by the number in its subject, which anybody can write, from an
    unproved address.

    The readers that such a mail names get no copies of answers.
    """
    return details.get("joined_by") == "number" and verdict != "pass"
