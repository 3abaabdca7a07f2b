"""What a program sees on behalf of the user who owns it: an outgoing webhook."""

from __future__ import annotations

from uuid import UUID

from models.identity import queries as identity
from models.identity import roles
from models.identity.rules import Permission
from models.kernel.errors import NotFound
from models.kernel.ids import parse_id
from models.subscriptions.row_types import OutgoingEvent
from models.visibility import seen, sight
from models.visibility.sight import DESK, Sight


def sight_of(owner_id: UUID | None) -> Sight | None:
    """The sight of an owner as of now; None for one who may read no tickets (any more).

    Without an owner, every ticket is visible: only administrators could create such a webhook.
    """
    if owner_id is None:
        return DESK
    user = identity.get_user(owner_id)
    rights = roles.rights_of(user.role)
    if not user.active or rights is None or Permission.tickets_read not in rights.permissions:
        return None
    return Sight.of_user(user)


def seen_event(event: OutgoingEvent, owner_id: UUID | None) -> OutgoingEvent | None:
    """An event as an owner sees it; None for an event of a ticket that the owner may not see."""
    ticket_id = parse_id(str(event["aggregate_id"])) if event["aggregate"] == "ticket" else None
    if ticket_id is None:
        return event
    found = sight_of(owner_id)
    if found is None:
        return None
    try:
        ticket = sight.find(str(ticket_id), found)
    except NotFound:
        return None
    return {**event, "payload": seen.payload(event["event_type"], event["payload"], ticket, found)}
