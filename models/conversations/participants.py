"""People besides the requester who may write into a ticket: readers of copies, and people whom an agent added."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.conversations.tables import Message, TicketParticipant
from models.kernel import clock, limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database
from models.ports import channel_facts
from models.ports.inbound import Participant
from models.requesters.commands import normalise_address
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange

# The role of an address whose owner was the requester before. It may not write into the ticket and gets no copies.
FORMER: Final = "former"


def add(
    change: TicketChange, channel: str, people: Sequence[Participant], *, role: str, is_confirmed: bool = True
) -> None:
    """Add people to the ticket; a person who takes part already keeps their row.

    An unconfirmed participant may write to the ticket, but gets answers only after an agent names them as a reader.
    """
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
                "confirmed_at": change.at if is_confirmed else None,
            },
            unless_exists=True,
        )


def confirm(ticket_id: UUID, channel: str, people: Sequence[Participant]) -> None:
    """Confirm participants whom an agent named as readers of an answer. Joins the caller's transaction."""
    addresses = [normalise_address(channel, one.address) for one in people]
    names, values = database.in_list("address", addresses)
    database.execute(
        "UPDATE ticket_participants SET confirmed_at = :now, role = CASE role WHEN 'former' THEN 'copy' ELSE role END"
        " WHERE ticket_id = :ticket AND channel = :channel"
        f" AND confirmed_at IS NULL AND address IN {names}",
        values,
        now=clock.now(),
        ticket=ticket_id,
        channel=channel,
    )


def of_ticket(ticket_id: UUID) -> list[database.Row]:
    """Return all people of the ticket, in the order in which they were added."""
    rows = database.run(
        "SELECT channel, address, name, role, added_at, confirmed_at FROM ticket_participants WHERE ticket_id = :id"
        " AND role <> :former ORDER BY added_at, address",
        id=ticket_id,
        former=FORMER,
    )
    return [TicketParticipant.converted(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who gets a copy of an answer, or whom the last mail names and who gets none, with the reason."""

    person: Participant
    reason: str


@dataclass(frozen=True, slots=True)
class Readers:
    """The readers of an answer besides the contact, and the people who are left out."""

    copies: tuple[Reader, ...] = ()
    left_out: tuple[Reader, ...] = ()

    @property
    def people(self) -> tuple[Participant, ...]:
        return tuple(one.person for one in self.copies)


def _last_copies(ticket: Ticket, channel: str, contact: str) -> Readers:
    """Return the author and the readers of the last message that a person wrote on the channel, without the contact.

    An answer goes to them as well, unless the agent chooses other readers. Nobody gets a copy because of an unproved
    mail, and because of an unjudged mail only people who are confirmed.
    """
    row = database.one(
        "SELECT copies, details, author_name, verdict FROM messages WHERE ticket_id = :id AND direction = 'inbound'"
        " AND channel = :channel AND NOT by_machine ORDER BY sequence DESC LIMIT 1",
        id=ticket.id,
        channel=channel,
    )
    if row is None:
        return Readers()
    last = Message.converted(row)
    people = [
        Reader(Participant(one["name"], one["address"]), "the last mail went to them, too") for one in last["copies"]
    ]
    author = last["details"].get("from")
    reply_to = (last["details"].get("reply_to") or {}).get("address")
    # An author who asks for answers at another address gets none at this one.
    if author and (reply_to is None or normalise_address(channel, reply_to) != contact):
        people.insert(0, Reader(Participant(last["author_name"], author), "they wrote the last mail"))
    known = {normalise_address(channel, one.person.address): one for one in reversed(people)}
    known.pop(contact, None)
    refused = _refused(ticket, channel, known, last)
    ordered = list(reversed(known.items()))
    return Readers(
        tuple(one for address, one in ordered if address not in refused),
        tuple(Reader(one.person, refused[address]) for address, one in ordered if address in refused),
    )


def _refused(ticket: Ticket, channel: str, known: Collection[str], last: Mapping[str, Any]) -> dict[str, str]:
    """Return those of the addresses that get no copy by default, each with the reason."""
    if not known:
        return {}
    grade = (last["details"].get("author_proof") or {}).get("grade")
    if grade == "unproved" or is_unproved(last["details"], last["verdict"]):
        return dict.fromkeys(known, "the author of the last mail is not proved")
    refused: dict[str, str] = {}
    if grade == "unjudged":
        confirmed = _confirmed(ticket, channel, known)
        refused = {address: _UNCONFIRMED for address in known if address not in confirmed}
    refused |= dict.fromkeys(_former(ticket.id, channel, known), "does not take part in the ticket any more")
    suppressed = _suppressed(channel, known)
    reasons = {address: _refusal(channel, address, suppressed) for address in known}
    return refused | {address: why for address, why in reasons.items() if why}


def _former(ticket_id: UUID, channel: str, addresses: Collection[str]) -> set[str]:
    """Return those of the addresses that belong to a former requester of the ticket."""
    mine = (TicketParticipant.ticket_id == ticket_id) & (TicketParticipant.channel == channel)
    query = TicketParticipant.select(TicketParticipant.address).where(mine, TicketParticipant.role == FORMER)
    return {row["address"] for row in database.rows(query)} & set(addresses)


_UNCONFIRMED = "is not confirmed: an unjudged mail names them; name them in `copies` to confirm them"


def _confirmed(ticket: Ticket, channel: str, addresses: Collection[str]) -> set[str]:
    """Return those of the addresses that are confirmed participants or belong to the ticket's requester."""
    names, values = database.in_list("address", list(addresses))
    rows = database.run(
        "SELECT address FROM ticket_participants WHERE ticket_id = :ticket AND channel = :channel"
        f" AND confirmed_at IS NOT NULL AND address IN {names}"
        " UNION SELECT address FROM identities WHERE requester_id = :requester AND channel = :channel"
        f" AND address IN {names}",
        values,
        ticket=ticket.id,
        channel=channel,
        requester=ticket.requester_id,
    )
    return {row["address"] for row in rows}


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


@dataclass(frozen=True, slots=True)
class ChosenRecipient:
    """The address that an agent chose for a mail instead of the requester's, and the account that sends it."""

    account: ChannelAccount
    address: str


def chosen_recipient(ticket: Ticket, wanted: str | None) -> ChosenRecipient | None:
    """Return the recipient that the agent chose; None for the requester's contact.

    Raises Invalid for a mailbox of this desk, for an address that returned our mail, and if no account sends mail.
    """
    if wanted is None:
        return None
    has_mail_contact = ticket.contact_channel is not None and channel_facts.of(ticket.contact_channel).has_copies
    channel = str(ticket.contact_channel) if has_mail_contact else channel_facts.with_emails()
    address = normalise_address(channel, wanted)
    if has_mail_contact and address == normalise_address(channel, ticket.contact_address or ""):
        return None
    if has_mail_contact and ticket.contact_account is not None:
        account: ChannelAccount | None = accounts.find(channel, ticket.contact_account)
    else:
        account = accounts.default_for(channel)
    why = "cannot be written to: no account sends mail" if account is None else ""
    why = why or _refusal(channel, address, _suppressed(channel, [address]))
    if account is None or why:
        raise Invalid([FieldProblem("/to", f"{wanted} {why}")])
    return ChosenRecipient(account, address)


def let_take_part(
    change: TicketChange, readers: Sequence[Participant], chosen: ChosenRecipient | None, *, is_chosen: bool
) -> None:
    """Let the readers of an answer write to the ticket; those whom the agent chose also get later answers."""
    channel = change.ticket.contact_channel if chosen is None else chosen.account.channel
    people = [*([] if chosen is None else [Participant("", chosen.address)]), *readers]
    if not people or channel is None:
        return
    add(change, channel, people, role="copy")
    if is_chosen or chosen is not None:
        confirm(change.ticket.id, channel, people)


def reaches_requester(ticket: Ticket, chosen: ChosenRecipient | None, copies: Sequence[Participant]) -> bool:
    """Return True if an answer goes to an address of the requester, as its recipient or as a copy."""
    if chosen is None:
        return True
    channel = chosen.account.channel
    addresses = [chosen.address, *(normalise_address(channel, one.address) for one in copies)]
    if ticket.contact_channel == channel and ticket.contact_address is not None:
        contact = normalise_address(channel, ticket.contact_address)
        if contact in addresses:
            return True
    names, values = database.in_list("address", addresses)
    row = database.one(
        "SELECT 1 AS yes FROM identities WHERE requester_id = :requester AND channel = :channel"
        f" AND address IN {names} LIMIT 1",
        values,
        requester=ticket.requester_id,
        channel=channel,
    )
    return row is not None


def last_without_requester(ticket: Ticket) -> str | None:
    """Return the address that the last reply of a person went to, if it did not go to the requester; else None."""
    row = database.one(
        "SELECT details FROM messages WHERE ticket_id = :id AND direction = 'outbound' AND kind = 'reply'"
        " AND NOT by_machine ORDER BY sequence DESC LIMIT 1",
        id=ticket.id,
    )
    to = None if row is None else Message.converted(row)["details"].get("to")
    return None if to is None or to["reaches_requester"] else str(to["address"])


def of_reply(ticket: Ticket, wanted: Sequence[str] | None, *, to: ChosenRecipient | None = None) -> Readers:
    """Return the readers who get a copy of an answer: the addresses that the agent names, else those of the requester's
    last mail. A mail to somebody else (`to`) has no copies by default.

    Raises Invalid for copies on a channel that has none, for a mailbox of this desk, and for an address that returned
    our mail.
    """
    channel = ticket.contact_channel if to is None else to.account.channel
    if channel is None or not channel_facts.of(channel).has_copies:
        if wanted:
            raise Invalid([FieldProblem("/copies", f"only mails have copies; this ticket is answered by {channel}")])
        return Readers()
    contact = normalise_address(channel, ticket.contact_address or "") if to is None else to.address
    if wanted is None:
        return _last_copies(ticket, channel, contact) if to is None else Readers()
    chosen = _allowed(channel, [normalise_address(channel, address) for address in wanted])
    named = (Participant("", address) for address in dict.fromkeys(chosen) if address != contact)
    return Readers(tuple(Reader(one, "the agent names them") for one in named))


_CONTACT = {
    None: "the requester's address",
    "proved": "the requester's address, proved by their mail",
    "unjudged": "the From address of the requester's mail; this mailbox has no judge",
    "unproved": "the address that the requester's mail names; nothing proves that it is theirs",
}


def contact_of(ticket: Ticket) -> Reader | None:
    """Return the contact of a ticket with the reason for it; None if the requester cannot be reached."""
    if ticket.contact_channel is None or ticket.contact_address is None:
        return None
    return Reader(Participant("", ticket.contact_address), _CONTACT[ticket.contact_grade])


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
