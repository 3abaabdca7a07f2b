"""Links that people add between tickets, and remove. Commands join the caller's transaction."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.events.commands import Actor
from models.events.sorting_payloads import TicketLinked, TicketUnlinked
from models.kernel.errors import Conflict, NotFound
from models.regrouping import limits
from models.ticket_workflow import links
from models.ticket_workflow.tables import TicketLink
from models.tickets.ticket_change import TicketChange
from models.visibility.sight import Sight

# The relation as seen from the ticket of the request. `child`: the other ticket is its child.
Kind = Literal["related", "child", "parent", "blocks", "blocked_by", "duplicates", "duplicated_by"]
_TURNED: Final = {"parent": "child", "blocked_by": "blocks", "duplicated_by": "duplicates"}


class LinkRefused(Conflict):
    """The tickets cannot be linked."""

    code = "link_refused"


def add(ticket_id: UUID, other_id: UUID, kind: Kind, *, actor: Actor, sight: Sight) -> None:
    """Link two tickets. A repetition changes nothing. The caller has checked that the actor sees both.

    Raises LinkRefused for a ticket and itself, for a circle of parents or blocks over tickets of the actor's `sight`,
    and beyond the bound; TicketMerged.
    """
    if ticket_id == other_id:
        raise LinkRefused("A ticket cannot be linked with itself.")
    from_id, to_id, stored = _stored(ticket_id, other_id, kind)
    links.lock_circles()
    held = {one: TicketChange.of(one, actor=actor) for one in sorted((ticket_id, other_id))}
    if _find(from_id, to_id, stored) or (stored == "related" and _find(to_id, from_id, stored)):
        return
    if links.closes_circle(from_id, to_id, stored, sight):
        raise LinkRefused(f"The link would make ticket #{held[from_id].ticket.number} its own {_CIRCLES[stored]}.")
    for change in held.values():
        touching = (TicketLink.from_id == change.ticket.id) | (TicketLink.to_id == change.ticket.id)
        if TicketLink.select().where(touching).count() >= limits.links_max:
            raise LinkRefused(f"Expected at most {limits.links_max} links of ticket #{change.ticket.number}.")
    at = held[ticket_id].at
    TicketLink.insert(from_id=from_id, to_id=to_id, kind=stored, created_at=at).execute()
    _record(TicketLinked, held[from_id], held[to_id], stored)
    audit.record(AuditAction.tickets_linked, "ticket", from_id, after={"with": to_id, "kind": stored})


_CIRCLES: Final = {"child": "ancestor", "blocks": "blocker"}


def remove(ticket_id: UUID, other_id: UUID, kind: str, *, actor: Actor) -> None:
    """Remove a link, also one of a split. Raises NotFound, TicketMerged."""
    from_id, to_id, stored = _stored(ticket_id, other_id, kind)
    held = {one: TicketChange.of(one, actor=actor) for one in sorted((ticket_id, other_id))}
    if stored == "related" and not _find(from_id, to_id, stored):
        from_id, to_id = to_id, from_id
    if not _find(from_id, to_id, stored):
        raise NotFound(f"there is no link {kind} with ticket {other_id}")
    TicketLink.delete().where(_is(from_id, to_id, stored)).execute()
    _record(TicketUnlinked, held[from_id], held[to_id], stored)
    audit.record(AuditAction.tickets_unlinked, "ticket", from_id, after={"with": to_id, "kind": stored})


def _stored(ticket_id: UUID, other_id: UUID, kind: str) -> tuple[UUID, UUID, str]:
    """Return the ends and the kind of a link as the table has them."""
    if kind == "split_into":
        return other_id, ticket_id, "split_from"
    turned = _TURNED.get(kind)
    return (ticket_id, other_id, kind) if turned is None else (other_id, ticket_id, turned)


def _is(from_id: UUID, to_id: UUID, kind: str) -> object:
    return (TicketLink.from_id == from_id) & (TicketLink.to_id == to_id) & (TicketLink.kind == kind)


def _find(from_id: UUID, to_id: UUID, kind: str) -> bool:
    return bool(TicketLink.select().where(_is(from_id, to_id, kind)).exists())


def _record(
    happened: type[TicketLinked] | type[TicketUnlinked], start: TicketChange, end: TicketChange, kind: str
) -> None:
    """Record the event in both logs, each with the kind as seen from there."""
    start.record(happened(ticket_id=end.ticket.id, number=end.ticket.number, kind=kind))
    seen = links.SEEN_FROM_OTHER_END.get(kind, kind)
    end.record(happened(ticket_id=start.ticket.id, number=start.ticket.number, kind=seen))
    start.save()
    end.save()
