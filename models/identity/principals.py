"""A user or an API key that acts later than its request: its rights are those of the moment of the act."""

from __future__ import annotations

from uuid import UUID

from models.events.commands import Actor
from models.identity import queries, roles
from models.identity.rules import Principal, rights_of_key
from models.kernel import clock
from models.kernel.errors import NotFound


def find(actor: Actor) -> Principal | None:
    """Return the principal behind an actor with its present rights; None for one that may act no more.

    A deactivated user, a revoked or expired key, and a key whose owner is inactive may act no more.
    """
    if actor.id is None:
        return None
    try:
        if actor.kind == "user":
            return _user(UUID(actor.id))
        return _key(UUID(actor.id)) if actor.kind == "api_key" else None
    except NotFound:
        return None


def _user(user_id: UUID) -> Principal | None:
    user = queries.get_user(user_id)
    rights = roles.rights_of(user.role)
    if rights is None or not user.active:
        return None
    return Principal("user", user.id, user.name, rights, user.id)


def _key(key_id: UUID) -> Principal | None:
    key = queries.get_api_key(key_id)
    is_over = key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= clock.now())
    if key.owner_id is None or is_over:
        return None
    owner, role = _user(key.owner_id), roles.rights_of(key.role)
    if owner is None or role is None:
        return None
    return Principal("api_key", key.id, key.name, rights_of_key(role, key.permissions, owner.rights), key.owner_id)
