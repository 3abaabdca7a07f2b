"""The sight of a program on behalf of the user who owns it: an outgoing webhook."""

from __future__ import annotations

from uuid import UUID

from models.identity import queries as identity
from models.identity import roles
from models.identity.rules import Permission, Principal
from models.kernel.errors import Forbidden, NotFound
from models.kernel.ids import parse_id
from models.subscriptions.row_types import OutgoingEvent
from models.visibility import seen, sight
from models.visibility.sight import DESK, Sight

# The aggregates that the API shows to everybody with the permission `tickets_read`.
_READ_WITH_TICKETS = frozenset({"requester", "organisation"})


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


def check_receiver(caller: Principal, owner_id: UUID | None) -> None:
    """Check that a caller may choose where the events of an owner's webhook go, and which ones.

    The receiver reads what the owner sees. The caller must therefore see all of it: else a key that may only manage
    webhooks would read tickets, and a manager of webhooks the tickets of a hidden team. Raises Forbidden.
    """
    mine, owner = Sight.of(caller), DESK if owner_id is None else sight_of(owner_id)
    sees = Permission.tickets_read in caller.permissions
    is_own = owner_id is not None and owner_id == caller.owner_id
    wider = owner is None or owner.sees_all or not is_own
    if not sees or (wider and not mine.sees_all) or (owner not in (None, DESK) and owner.role != mine.role != "admin"):
        raise Forbidden("The owner of the webhook sees tickets or fields that you do not see.")


def seen_event(event: OutgoingEvent, owner_id: UUID | None) -> OutgoingEvent | None:
    """Return an event as an owner sees it; None for an event of a ticket that the owner may not see.

    An owner who may read no tickets sees no events of requesters and organisations either.
    """
    if event["aggregate"] in _READ_WITH_TICKETS:
        return None if sight_of(owner_id) is None else event
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
