"""Commands that change API keys. A key acts for its owner, and never has more rights than the owner has now.

A key has a role, optionally fewer permissions (scopes), an owner and an end. `tokens.authenticate` intersects them at
each use, so a demoted owner's key is demoted, and a deactivated owner's key does not work.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from models.events import history
from models.events.commands import Actor
from models.events.desk_payloads import ApiKeyCreated, ApiKeyGiven, ApiKeyRevoked
from models.events.payload import UNSET
from models.identity import queries, roles, rules
from models.identity.queries import ApiKey, User
from models.identity.rules import Permission, Principal, Rights
from models.identity.sign_in import tokens
from models.identity.tables import ApiKeyRow
from models.kernel import clock, limits
from models.kernel.errors import Conflict, FieldProblem, Invalid, NotFound
from models.kernel.ids import new_id
from models.kernel.storage import database
from models.kernel.storage.table import for_update


class ApiKeyTaken(Conflict):
    """This API key exists already."""

    code = "api_key_taken"


def create(
    name: str,
    role: str | None,
    expires_at: datetime | None,
    *,
    owner_id: UUID,
    scopes: Collection[Permission] | None = None,
    by: Principal | None = None,
    actor: Actor,
) -> tuple[ApiKey, str]:
    """Create an API key for a program; the second value is the key itself, which cannot be read again.

    `role` None is the owner's role; `scopes` None is every permission of the role; `expires_at` None is in
    `limits.api_key_days` days. The owner has all rights of the key, and `by` as well (None is the operator). Raises
    Invalid or MoreThanYours.
    """
    now = clock.now()
    expires_at = expires_at or now + timedelta(days=limits.api_key_days)
    problems = [
        *rules.name_problems(name),
        *(roles.problems_of(role) if role is not None else []),
        *rules.expiry_problems(expires_at, now=now),
    ]
    if problems:
        raise Invalid(problems)
    key = tokens.new_api_key()
    with database.transaction():
        return _insert(key, name, role, expires_at, owner_id=owner_id, scopes=scopes, by=by, actor=actor), key


def create_public(key: str, name: str, *, owner_id: UUID, actor: Actor) -> ApiKey:
    """Create the demo's key, which is public, has the owner's role and never ends. Raises ApiKeyTaken."""
    assert key.count(".") != 2, "two dots make an access token"
    with database.transaction():
        return _insert(key, name, None, None, owner_id=owner_id, scopes=None, by=None, actor=actor)


def _insert(
    key: str,
    name: str,
    role: str | None,
    expires_at: datetime | None,
    *,
    owner_id: UUID,
    scopes: Collection[Permission] | None,
    by: Principal | None,
    actor: Actor,
) -> ApiKey:
    key_id, now = new_id(), clock.now()
    role = _checked_role(role, owner_id, scopes, by)
    made = ApiKeyRow.insert(
        id=key_id,
        name=name.strip(),
        role=role,
        owner_id=owner_id,
        scopes=None if scopes is None else roles.in_words(scopes),
        key_hash=tokens.fingerprint(key),
        prefix=key[: min(12, len(key) // 2)],
        created_by=actor.name or actor.kind,
        created_at=now,
        expires_at=expires_at,
    )
    if not made.on_conflict_ignore().as_rowcount().execute():
        raise ApiKeyTaken()
    created = ApiKeyCreated(
        name=name.strip(),
        role=role,
        expires_at=expires_at,
        owner_id=owner_id,
        scopes=UNSET if scopes is None else sorted(scopes),
    )
    history.append("api_key", key_id, [created], actor=actor, at=now)
    return queries.get_api_key(key_id)


def _checked_role(role: str | None, owner_id: UUID, scopes: Collection[Permission] | None, by: Principal | None) -> str:
    """Return the role of the key, after the check that its owner and `by` have all rights of the key.

    The owner's row stays locked, so that a deactivation finds every key of the owner. A key sees the tickets that its
    owner sees, so a key for another person needs the right to manage users as well.
    """
    if by is not None and by.owner_id != owner_id and Permission.users_manage not in by.permissions:
        raise roles.MoreThanYours("A key for another user needs the permission users_manage.")
    owner = _lock_owner(owner_id)
    owner_rights = roles.hold(owner.role)
    rights = roles.hold(role) if role is not None else owner_rights
    if scopes is not None:
        beyond = sorted(set(scopes) - rights.permissions)
        if beyond:
            raise Invalid([FieldProblem("scopes", f"the role {rights.name} does not have {', '.join(beyond)}")])
        rights = Rights(rights.name, rights.role, frozenset(scopes))
    roles.check_covers(by, rights)
    if not owner_rights.covers(rights):
        raise Invalid([FieldProblem("owner_id", "expected a user who has all permissions of the key")])
    return rights.name


def _lock_owner(owner_id: UUID) -> User:
    try:
        owner = queries.lock_user(owner_id)
    except NotFound as error:
        raise Invalid([FieldProblem("owner_id", "expected the id of a user")]) from error
    if not owner.active:
        raise Invalid([FieldProblem("owner_id", "expected an active user")])
    return owner


def revoke(key_id: UUID, *, actor: Actor) -> ApiKey:
    """Revoke the key; a key that is revoked already stays unchanged. Raises NotFound."""
    now = clock.now()
    with database.transaction():
        key = _lock(key_id)
        if key.revoked_at is None:
            ApiKeyRow.update(revoked_at=now).where(ApiKeyRow.id == key_id).execute()
            history.append("api_key", key_id, [ApiKeyRevoked()], actor=actor, at=now)
        return queries.get_api_key(key_id)


def revoke_all(owner_id: UUID, *, actor: Actor) -> int:
    """Revoke every key of a user and return their number. The caller has locked the user's row."""
    held = ApiKeyRow.select(ApiKeyRow.id).where(ApiKeyRow.owner_id == owner_id, ApiKeyRow.revoked_at.is_null())
    ids = [row["id"] for row in database.rows(held.order_by(ApiKeyRow.id))]
    for key_id in ids:
        revoke(key_id, actor=actor)
    return len(ids)


def give(key_id: UUID, to: UUID, *, by: Principal | None = None, actor: Actor) -> ApiKey:
    """Give the key to another owner, who has all its rights, as `by` has. Raises NotFound, Conflict, Invalid,
    MoreThanYours.
    """
    with database.transaction():
        _lock_owner(to)  # users before keys, in every command
        key = _lock(key_id)
        if key.revoked_at is not None:
            raise Conflict("The API key has been revoked.")
        _checked_role(key.role, to, key.permissions, by)
        ApiKeyRow.update(owner_id=to).where(ApiKeyRow.id == key_id).execute()
        given = ApiKeyGiven(from_owner_id=key.owner_id, owner_id=to)
        history.append("api_key", key_id, [given], actor=actor, at=clock.now())
        return queries.get_api_key(key_id)


def _lock(key_id: UUID) -> ApiKey:
    if not list(for_update(ApiKeyRow.select(ApiKeyRow.id).where(ApiKeyRow.id == key_id)).tuples()):
        raise NotFound(f"there is no API key {key_id}")
    return queries.get_api_key(key_id)
