"""Look-ups of people and tickets for values of fields: only those that the actor may see.

Without this bound, a field of the kind `ticket` or `person` is an oracle: its answer tells which numbers and which
addresses exist. An agent finds the tickets that the agent sees. A requester finds the requester's own tickets, and the
people who wrote to the requester. The error is the same for a ticket or person that does not exist.
"""

from __future__ import annotations

from uuid import UUID

from models.conversations.tables import Message
from models.events.commands import Actor
from models.identity import queries as identity
from models.identity import roles
from models.identity.rules import Permission, rights_of_key
from models.infomodel.normal_form import Lookups
from models.kernel.errors import NotFound
from models.kernel.ids import parse_id
from models.requesters import commands as requesters
from models.tickets import queries
from models.tickets.tables import Ticket
from models.tickets.ticket_fields import LOOKUPS
from models.visibility import sight
from models.visibility.sight import Sight


def of(actor: Actor) -> Lookups:
    """Return the look-ups of an actor. They cost a statement only where a field has a value of these kinds."""
    if actor.kind == "requester":
        return _of_requester(UUID(actor.id)) if actor.id else Lookups(_nothing, _nothing)
    if actor.kind == "system" or actor.id is None:
        return LOOKUPS
    return Lookups(LOOKUPS.people, lambda text: _visible_ticket(text, _sight_of(actor)))


def of_sight(mine: Sight) -> Lookups:
    """Return the look-ups of a caller whose sight is known."""
    return Lookups(LOOKUPS.people, lambda text: _visible_ticket(text, mine))


def _nothing(text: str) -> None:
    return None


def _visible_ticket(text: str, mine: Sight) -> str | None:
    try:
        return str(sight.find(text, mine).id)
    except NotFound:
        return None


def _sight_of(actor: Actor) -> Sight:
    assert actor.id is not None, "only users and API keys have a sight"
    if actor.kind == "user":
        return Sight.of_user(identity.get_user(UUID(actor.id)))
    key = identity.get_api_key(UUID(actor.id))
    if key.owner_id is None:
        return Sight(None, "agent")
    owner = identity.get_user(key.owner_id)
    of_owner, of_role = roles.rights_of(owner.role), roles.rights_of(key.role)
    if of_owner is None or of_role is None:
        return Sight(owner.id, "agent")
    rights = rights_of_key(of_role, key.permissions, of_owner)
    return Sight(owner.id, str(rights.role), Permission.tickets_see_all in rights.permissions)


def _of_requester(requester_id: UUID) -> Lookups:
    current = requesters.current_id(requester_id)
    return Lookups(lambda text: _known_person(text, current), lambda text: _own_ticket(text, current))


def _own_ticket(text: str, requester_id: UUID) -> str | None:
    try:
        ticket = queries.find(text)
    except NotFound:
        return None
    return str(ticket.id) if ticket.requester_id == requester_id else None


def _known_person(text: str, requester_id: UUID) -> str | None:
    """Return the user of an id or address who wrote to the requester in one of the requester's tickets."""
    found = LOOKUPS.people(text)
    if found is None:
        return None
    written = (
        Message.select()
        .join(Ticket, on=Ticket.id == Message.ticket_id)
        .where(
            Ticket.requester_id == requester_id,
            Message.author_kind == "agent",
            Message.author_id == parse_id(found),
            Message.kind == "reply",
            Message.direction == "outbound",
        )
    )
    return found if written.exists() else None
