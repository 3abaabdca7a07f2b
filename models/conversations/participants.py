"""Who may write into a ticket beside its requester: those who got copies, and those whom an agent added."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from models.channels import accounts
from models.kernel import database, limits
from models.kernel.batch import from_json
from models.kernel.errors import FieldProblem, Invalid
from models.ports.inbound import Participant
from models.requesters.commands import normalise_address
from models.tickets.ticket_change import TicketChange


def add(change: TicketChange, channel: str, people: Sequence[Participant], *, role: str) -> None:
    """Note them; who is there already stays as they are."""
    for one in people[: limits.participants_max]:
        if accounts.is_ours(channel, one.address):
            continue  # another mailbox of this desk reads no copies
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


def of_ticket(ticket_id: UUID) -> list[dict[str, Any]]:
    """All of them, in the order in which they came."""
    return database.run(
        "SELECT channel, address, name, role, added_at FROM ticket_participants WHERE ticket_id = :id ORDER BY added_at, address",
        id=ticket_id,
    )


def last_copies(ticket_id: UUID, contact: str) -> tuple[Participant, ...]:
    """Whom the last mail of a person named, and who wrote it, without the contact: an answer goes to them as well, unless the agent
    says otherwise."""
    row = database.one(
        "SELECT copies, details, author_name, verdict FROM messages WHERE ticket_id = :id AND direction = 'inbound' AND channel = 'email'"
        " AND automatic IS NULL ORDER BY sequence DESC LIMIT 1",
        id=ticket_id,
    )
    if row is None or is_unproved(from_json(row["details"]), row["verdict"]):
        return ()
    people = [Participant(one["name"], one["address"]) for one in from_json(row["copies"])]
    author = from_json(row["details"]).get("from")
    if author:
        people.insert(0, Participant(row["author_name"], author))
    known = {normalise_address("email", one.address): one for one in reversed(people)}
    known.pop(contact, None)
    silent = _suppressed(known)
    return tuple(
        one
        for address, one in reversed(known.items())
        if address not in silent and not accounts.is_ours("email", address)
    )


def _suppressed(addresses: Collection[str]) -> dict[str, str]:
    """Why nothing is sent to those of them that returned our mail or complained of it: a copy would be one more such mail."""
    if not addresses:
        return {}
    names, values = database.in_list("address", list(addresses))
    rows = database.run(
        "SELECT address, suppressed_reason FROM identities WHERE channel = 'email' AND suppressed_reason IS NOT NULL"
        f" AND address IN {names}",
        values,
    )
    return {row["address"]: row["suppressed_reason"] for row in rows}


def of_reply(change: TicketChange, wanted: Sequence[str] | None) -> tuple[Participant, ...]:
    """Who gets a copy of an answer: those whom the agent names, else those of the requester's last mail.

    Raises Invalid for copies where the ticket's channel knows none, to a mailbox of this desk, and to an address that returned our mail.
    """
    if change.ticket.contact_channel != "email":
        if wanted:
            raise Invalid(
                [
                    FieldProblem(
                        "/copies",
                        f"only mails have copies; this ticket is answered by {change.ticket.contact_channel}",
                    )
                ]
            )
        return ()
    contact = normalise_address("email", change.ticket.contact_address or "")
    if wanted is None:
        return last_copies(change.ticket.id, contact)
    chosen = [normalise_address("email", address) for address in wanted]
    silent = _suppressed(chosen)
    problems = [
        FieldProblem(f"/copies/{index}", f"{address} {reason}")
        for index, address in enumerate(chosen)
        if (
            reason := "is a mailbox of this desk"
            if accounts.is_ours("email", address)
            else f"gets no mail: {silent[address]}"
            if address in silent
            else ""
        )
    ]
    if problems:
        raise Invalid(problems)
    return tuple(Participant("", address) for address in dict.fromkeys(chosen) if address != contact)


def is_unproved(details: Mapping[str, Any], verdict: str | None) -> bool:
    """Whether a mail got into its ticket by nothing but a number in its subject and an address that anybody can write: whom it names
    then gets no copies of answers."""
    return details.get("joined_by") == "number" and verdict != "pass"
