"""Values that a merged ticket gives to its target: followers, participants, tags, chats, links and promises.

Each function returns the record by which the undo takes exactly these values back. Commands join the caller's
transaction.
"""

from __future__ import annotations

from uuid import UUID

from models.conversations.tables import Conversation, TicketParticipant
from models.events.ticket_payloads import TicketUpdated
from models.kernel import limits
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.table import first
from models.regrouping.errors import MergeRefused
from models.sla.clocks import Clock
from models.tasks import timers
from models.ticket_workflow import sla_clocks
from models.ticket_workflow.acts.apply_acts import ticket_key
from models.ticket_workflow.tables import SlaClock
from models.tickets import followers
from models.tickets.ticket_change import TicketChange


def add_tags(source: TicketChange, target: TicketChange) -> list[str]:
    """Add the tags of the source; return those that the target did not have. Raises MergeRefused beyond the bound."""
    before = list(target.ticket.tags)
    added = [tag for tag in source.ticket.tags if tag not in before]
    if len(before) + len(added) > limits.tags_max:
        raise MergeRefused(f"Expected at most {limits.tags_max} tags of both tickets; remove some first.")
    if added:
        _set_tags(target, [*before, *added])
    return added


def remove_tags(target: TicketChange, added: list[str]) -> None:
    """Remove the tags that a merge added."""
    after = [tag for tag in target.ticket.tags if tag not in added]
    if after != target.ticket.tags:
        _set_tags(target, after)


def _set_tags(change: TicketChange, after: list[str]) -> None:
    change.record(TicketUpdated(changes={"tags": {"from": list(change.ticket.tags), "to": after}}))
    change.ticket.tags = after


def add_followers(source: TicketChange, target: TicketChange) -> list[str]:
    """Let the followers and the assignee of the source follow the target. Raises Conflict beyond the bound.

    So nobody who worked on the source loses sight of it.
    """
    found = {row["user_id"]: row["reason"] for row in followers.of_ticket(source.ticket.id)}
    assignee = source.ticket.assignee_id
    if assignee is not None and assignee != target.ticket.assignee_id:
        found.setdefault(assignee, "follows")
    return [str(user) for user, reason in found.items() if followers.add(target, user, reason=reason)]


def remove_followers(target: TicketChange, added: list[str]) -> None:
    """Remove the followers that a merge added."""
    for user in added:
        followers.remove(target, UUID(user))


def add_participants(source: TicketChange, target: TicketChange) -> list[list[str]]:
    """Let the participants and the contact of the source take part in the target."""
    columns = (TicketParticipant.channel, TicketParticipant.address, TicketParticipant.name, TicketParticipant.role)
    query = TicketParticipant.select(*columns, TicketParticipant.confirmed_at)
    rows = database.rows(query.where(TicketParticipant.ticket_id == source.ticket.id))
    ticket = source.ticket
    if ticket.contact_address is not None and ticket.requester_id != target.ticket.requester_id:
        contact = {"channel": ticket.contact_channel, "address": ticket.contact_address, "name": "", "role": "copy"}
        rows.append({**contact, "confirmed_at": None})
    added = []
    for row in rows:
        values = {**row, "ticket_id": target.ticket.id, "added_at": target.at}
        if TicketParticipant.insert(values).on_conflict_ignore().as_rowcount().execute():
            added.append([row["channel"], row["address"]])
    return added


def remove_participants(target: TicketChange, added: list[list[str]]) -> None:
    """Remove the participants that a merge added."""
    for channel, address in added:
        TicketParticipant.delete().where(
            TicketParticipant.ticket_id == target.ticket.id,
            TicketParticipant.channel == channel,
            TicketParticipant.address == address,
        ).execute()


def move_chats(source_id: UUID, target_id: UUID) -> list[str]:
    """Let the chats of the source continue in the target; return the ids of their rows."""
    ids = [row["id"] for row in database.rows(Conversation.select().where(Conversation.ticket_id == source_id))]
    Conversation.update(ticket_id=target_id).where(Conversation.id.in_(ids)).execute()
    return [str(one) for one in ids]


def return_chats(source_id: UUID, target_id: UUID, moved: list[str]) -> None:
    """Let those of the chats continue in the source again that did not move on meanwhile."""
    still_here = Conversation.id.in_(moved) & (Conversation.ticket_id == target_id)
    Conversation.update(ticket_id=source_id).where(still_here).execute()


def keep_promises(source: TicketChange, target: TicketChange) -> list[JsonObject]:
    """Keep the earliest of the running promises of each kind; the target gets those of the source that are due first.

    A promise is counted by the calendars of its life cycle, so another life cycle does not take it over.
    """
    if source.ticket.workflow != target.ticket.workflow:
        return []
    mine, theirs = sla_clocks.of_ticket(target.ticket.id), sla_clocks.of_ticket(source.ticket.id)
    taken: list[JsonObject] = []
    for name, clock in sorted(theirs.items()):
        before = mine.get(name)
        if clock.state != "running" or not _is_earlier(clock, before):
            continue
        put_clock(target, clock)
        mine[name] = clock
        taken.append({"target": name, "before": None if before is None else _row(before), "after": _row(clock)})
    target.ticket.next_due_at = sla_clocks.next_due_at(mine)
    return taken


def _is_earlier(clock: Clock, other: Clock | None) -> bool:
    """Return True if a running promise replaces another one. A paused one waits for the requester, and stays."""
    if other is None or other.state in ("met", "cancelled"):
        return True
    if other.state != "running" or clock.due_at is None or other.due_at is None:
        return False
    return clock.due_at < other.due_at


def put_clock(change: TicketChange, clock: Clock) -> None:
    """Write a promise of the ticket, with its timer."""
    sla_clocks.put(change, clock.target, clock, timer_key=ticket_key(change.ticket.id))


def _row(clock: Clock) -> JsonObject:
    found: JsonObject = sla_clocks.columns(clock)["clock"]
    return found


def return_promises(target: TicketChange, taken: list[JsonObject]) -> list[str]:
    """Restore the promises that a merge replaced; return the names of those that changed since then and stay."""
    kept = []
    for one in taken:
        name = one["target"]
        mine = (SlaClock.ticket_id == target.ticket.id) & (SlaClock.target == name)
        present = first(SlaClock.select(SlaClock.clock).where(mine))
        if present is None or sla_clocks.read(present["clock"]) != sla_clocks.read(one["after"]):
            kept.append(name)
        elif one["before"] is not None:
            put_clock(target, sla_clocks.read(one["before"]))
        else:
            SlaClock.delete().where(mine).execute()
            timers.stop(f"ticket:{target.ticket.id}:sla:{name}", pending=ticket_key(target.ticket.id))
    target.ticket.next_due_at = sla_clocks.next_due_at(sla_clocks.of_ticket(target.ticket.id))
    return kept
