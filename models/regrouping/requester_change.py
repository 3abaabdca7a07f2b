"""The change of a ticket's requester, and of the address to which answers go, with their undo.

The former requester takes part no more: their chats leave the ticket, their answers open a new ticket, and they get no
copies until an agent names them again. Messages stay their authors'. Commands join the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.channels import accounts
from models.conversations import participants
from models.conversations.tables import Conversation, TicketParticipant
from models.deliveries.tables import Button, Delivery
from models.dialogues.tables import TransitionDialogue
from models.events.commands import Actor
from models.events.sorting_payloads import ContactChanged, RequesterChanged
from models.identity.rules import Permission
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.ports import channel_facts
from models.regrouping import moved_messages
from models.requesters import queries as people
from models.requesters.commands import normalise_address
from models.requesters.tables import Identity, Requester
from models.ticket_workflow.people_acts import explain
from models.tickets.tables import Ticket
from models.tickets.ticket_change import TicketChange
from models.undo import commands as undo
from models.undo.commands import UndoRefused
from models.undo.restorers import Restorer
from models.undo.row_types import UndoRow

KIND = "requester"
_CONTACT = ("contact_channel", "contact_account", "contact_address", "contact_grade")


def change_requester(
    ticket_id: UUID, requester_id: UUID, *, actor: Actor, expected_version: int | None = None
) -> UUID | None:
    """Give a ticket to another requester, with an address of theirs as its contact; return the id of the undo.

    None: the ticket is theirs already. Raises Invalid for a requester who does not exist, is merged or was erased.
    """
    moved_messages.lock_chats(Conversation.ticket_id == ticket_id)
    change = TicketChange.of(ticket_id, actor=actor)
    change.expect_version(expected_version)
    ticket = change.ticket
    if ticket.requester_id == requester_id:
        return None
    _check_requester(requester_id)
    former = ticket.requester_id
    before = _state(ticket)
    ticket.requester_id, ticket.requester_name = requester_id, None
    _set_contact(ticket, *_contact_for(ticket, requester_id))
    addresses = [] if former is None else _identities(former)
    act: JsonObject = {
        "before": before,
        "after": _state(ticket),
        "chats": _leave_chats(ticket.id, addresses),
        "participants": _end_part(change, addresses),
    }
    if former is not None:
        Button.delete().where(Button.ticket_id == ticket.id, Button.requester_id == former).execute()
        by_former = (TransitionDialogue.actor_kind == "requester") & (TransitionDialogue.actor_id == str(former))
        TransitionDialogue.delete().where(TransitionDialogue.ticket_id == ticket.id, by_former).execute()
    _return_part(ticket.id, _identities(requester_id))
    return _finish(change, act, RequesterChanged(from_=former, to=requester_id), AuditAction.ticket_requester_changed)


def change_contact(
    ticket_id: UUID,
    channel: str,
    address: str,
    *,
    account: str | None,
    actor: Actor,
    expected_version: int | None = None,
) -> UUID | None:
    """Send later answers to another address: one of the requester, or of a participant. Returns the id of the undo.

    None: answers go there already. Raises Invalid for an address of nobody in the ticket, for one that is blocked or
    returned our mail, and for a channel or an account that sends nothing.
    """
    change = TicketChange.of(ticket_id, actor=actor)
    change.expect_version(expected_version)
    ticket = change.ticket
    wanted = normalise_address(channel, address)
    named = _account_name(channel, account)
    if (ticket.contact_channel, ticket.contact_account, ticket.contact_address) == (channel, named, wanted):
        return None
    grade = _grade_of(ticket, channel, wanted)
    before = _state(ticket)
    _set_contact(ticket, channel, named, wanted, grade)
    act: JsonObject = {"before": before, "after": _state(ticket), "chats": [], "participants": []}
    return _finish(change, act, ContactChanged(channel=channel, account=named), AuditAction.ticket_contact_changed)


def warnings(ticket: Ticket) -> list[str]:
    """Return sentences for the agent about the present contact, as the preview of a reply has them."""
    found = []
    if ticket.contact_address is None:
        found.append("No account of the desk reaches the requester; a reply is refused.")
    elif not _is_of_requester(ticket, str(ticket.contact_channel), ticket.contact_address):
        found.append("The requester does not get the answers of this ticket.")
    if ticket.contact_grade in ("unjudged", "unproved"):
        found.append("Nothing proves that the address is the requester's.")
    elsewhere = Delivery.select().where(
        Delivery.ticket_id == ticket.id,
        Delivery.state.in_(("scheduled", "pending", "sending")),
        Delivery.address != (ticket.contact_address or ""),
    )
    if (count := elsewhere.count()) > 0:
        found.append(f"{count} messages that are not sent yet go to another address.")
    return found


def _check_requester(requester_id: UUID) -> None:
    row = first(Requester.select(Requester.merged_into, Requester.erased_at).where(Requester.id == requester_id))
    if row is None or row["merged_into"] is not None or row["erased_at"] is not None:
        raise Invalid([FieldProblem("/requester_id", "expected the id of a requester who is not merged or erased")])


def _identities(requester_id: UUID) -> list[tuple[str, str]]:
    query = Identity.select(Identity.channel, Identity.address).where(Identity.requester_id == requester_id)
    return [(row["channel"], row["address"]) for row in database.rows(query)]


def _contact_for(ticket: Ticket, requester_id: UUID) -> tuple[str | None, str | None, str | None, str | None]:
    """Return the contact for a new requester: on the present channel if possible, else the oldest address."""
    known = people.addresses_of(requester_id)
    known.sort(key=lambda one: one[0] != ticket.contact_channel)
    for channel, address in known:
        if channel == ticket.contact_channel and ticket.contact_account is not None:
            return channel, ticket.contact_account, address, _proof(channel, address)
        if (account := accounts.default_for(channel)) is not None:
            return channel, account.name, address, _proof(channel, address)
    return None, None, None, None


def _proof(channel: str, address: str) -> str | None:
    """Return the grade of an address: a mail address that nobody confirmed is unjudged."""
    if not channel_facts.of(channel).authenticates_senders:
        return None
    named = (Identity.channel == channel) & (Identity.address == address) & Identity.verified_by.is_null(False)
    return None if Identity.select().where(named).exists() else "unjudged"


def _grade_of(ticket: Ticket, channel: str, address: str) -> str | None:
    """Return the grade of an address that may become the contact. Raises Invalid."""
    owner = ticket.requester_id
    if owner is not None and _is_of_requester(ticket, channel, address):
        if (channel, address) not in people.addresses_of(owner):
            raise Invalid([FieldProblem("/address", "expected an address that is not blocked and takes our messages")])
        return _proof(channel, address)
    row = next(
        (one for one in participants.of_ticket(ticket.id) if (one["channel"], one["address"]) == (channel, address)),
        None,
    )
    if row is None:
        raise Invalid([FieldProblem("/address", "expected an address of the requester or of a participant")])
    if row["confirmed_at"] is None:
        raise Invalid([FieldProblem("/address", "expected a confirmed participant; name them in `copies` of a reply")])
    return _proof(channel, address)


def _is_of_requester(ticket: Ticket, channel: str, address: str) -> bool:
    return ticket.requester_id is not None and (channel, address) in _identities(ticket.requester_id)


def _account_name(channel: str, account: str | None) -> str:
    if account is not None:
        try:
            return accounts.find(channel, account).name
        except NotFound as error:
            raise Invalid([FieldProblem("/account", error.message)]) from error
    found = accounts.default_for(channel)
    if found is None:
        raise Invalid([FieldProblem("/channel", f"expected a channel with an account; none serves {channel}")])
    return found.name


def _state(ticket: Ticket) -> JsonObject:
    return {name: getattr(ticket, name) for name in ("requester_id", *_CONTACT)}


def _set_contact(
    ticket: Ticket, channel: str | None, account: str | None, address: str | None, grade: str | None
) -> None:
    ticket.contact_channel, ticket.contact_account, ticket.contact_address = channel, account, address
    ticket.contact_grade = grade


def _leave_chats(ticket_id: UUID, addresses: Sequence[tuple[str, str]]) -> list[str]:
    """Let the own chats of the former requester leave the ticket: their next message opens a new one."""
    rows = database.rows(Conversation.select().where(Conversation.ticket_id == ticket_id))
    left = [str(row["id"]) for row in rows if (row["channel"], row["address"]) in addresses]
    Conversation.update(ticket_id=None).where(Conversation.id.in_(left)).execute()
    return left


def _end_part(change: TicketChange, addresses: Sequence[tuple[str, str]]) -> list[JsonObject]:
    """Mark the addresses as former; return the rows that they had as participants."""
    found = []
    for channel, address in addresses:
        mine = _row_of(change.ticket.id, channel, address)
        row = first(TicketParticipant.select().where(mine))
        if row is not None:
            found.append({**row, "ticket_id": str(row["ticket_id"])})
            TicketParticipant.delete().where(mine).execute()
        values: database.Row = {"ticket_id": change.ticket.id, "channel": channel, "address": address, "name": ""}
        TicketParticipant.insert(**values, role=participants.FORMER, added_at=change.at, confirmed_at=None).execute()
    return found


def _return_part(ticket_id: UUID, addresses: Sequence[tuple[str, str]]) -> None:
    """Remove the mark of a former requester from addresses."""
    for channel, address in addresses:
        former = _row_of(ticket_id, channel, address) & (TicketParticipant.role == participants.FORMER)
        TicketParticipant.delete().where(former).execute()


def _row_of(ticket_id: UUID, channel: str, address: str) -> Any:
    at = (TicketParticipant.channel == channel) & (TicketParticipant.address == address)
    return (TicketParticipant.ticket_id == ticket_id) & at


def _finish(change: TicketChange, act: JsonObject, event: RequesterChanged | ContactChanged, done: AuditAction) -> UUID:
    change.record(event)
    explain(change, KIND, f"the request of {change.actor.kind}")
    change.save()
    audit.record(done, "ticket", change.ticket.id)
    return undo.remember(KIND, act, actor=change.actor, ticket_id=change.ticket.id)


def _run(undone: UndoRow, actor: Actor) -> list[str]:
    """Restore the requester, the contact, the chats and the participants of before."""
    act = undone["act"]
    assert undone["ticket_id"] is not None, "a change has its ticket"
    moved_messages.lock_chats(Conversation.id.in_(act["chats"]))
    change = TicketChange.of(undone["ticket_id"], actor=actor)
    ticket = change.ticket
    before, after = (Ticket.converted(act[side]) for side in ("before", "after"))
    if ticket.requester_id != after["requester_id"]:
        raise UndoRefused(f"Ticket #{ticket.number} was given to another requester since; undo that first.")
    kept = []
    same_contact = all(getattr(ticket, name) == after[name] for name in _CONTACT)
    ticket.requester_id, ticket.requester_name = before["requester_id"], None
    if same_contact:
        _set_contact(ticket, *(before[name] for name in _CONTACT))
    else:
        kept.append(f"The contact of ticket #{ticket.number} changed since and stays.")
    if before["requester_id"] not in (None, after["requester_id"]):
        _return_part(ticket.id, _identities(before["requester_id"]))
        for row in act["participants"]:
            TicketParticipant.insert(TicketParticipant.converted(row)).on_conflict_ignore().execute()
    free = Conversation.id.in_(act["chats"]) & Conversation.ticket_id.is_null()
    Conversation.update(ticket_id=ticket.id).where(free).execute()
    if before["requester_id"] != after["requester_id"]:
        change.record(RequesterChanged(from_=after["requester_id"], to=before["requester_id"]))
    else:
        change.record(ContactChanged(channel=ticket.contact_channel, account=ticket.contact_account))
    explain(change, "requester_undone", f"the request of {actor.kind}")
    change.save()
    return kept


def _needs_also(undo: UndoRow) -> tuple[Permission, ...]:
    before, after = undo["act"]["before"], undo["act"]["after"]
    return (Permission.requesters_write,) if before["requester_id"] != after["requester_id"] else ()


RESTORER = Restorer(Permission.tickets_write, _run, _needs_also)
