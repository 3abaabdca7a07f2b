"""Queries for users and API keys. Password and key hashes never leave this package."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.identity import roles
from models.identity.rules import Permission, normalise_email
from models.identity.tables import ApiKeyRow, UserRow
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.kernel.storage.table import RowView, newest_first


@dataclass(frozen=True, slots=True)
class User:
    """A person who works at the desk."""

    id: UUID
    email: str
    name: str
    role: str
    active: bool
    locale: str
    version: int
    created_at: datetime
    updated_at: datetime
    ready_at: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key of a program. `prefix` is the beginning of the key, by which people recognise it.

    `scopes` is the stored form of the key's permissions, None for every permission of the role.
    """

    id: UUID
    name: str
    role: str
    owner_id: UUID | None
    scopes: str | None
    prefix: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @property
    def permissions(self) -> frozenset[Permission] | None:
        return None if self.scopes is None else roles.from_words(self.scopes)


_USER = RowView(User, UserRow)
_API_KEY = RowView(ApiKey, ApiKeyRow)


def get_user(user_id: UUID) -> User:
    """Read one user. Raises NotFound."""
    return _user(database.one(f"SELECT {_USER.selected()} FROM users WHERE id = :id", id=user_id), user_id)


def lock_user(user_id: UUID) -> User:
    """Read a user and lock the row until the transaction ends. Raises NotFound.

    Every writer of a user's sessions or events takes this lock.
    """
    assert database.in_transaction(), "a row is held by a transaction"
    row = database.one(f"SELECT {_USER.selected()} FROM users WHERE id = :id FOR_UPDATE", id=user_id)
    return _user(row, user_id)


def _user(row: database.Row | None, user_id: UUID) -> User:
    if row is None:
        raise NotFound(f"there is no user {user_id}")
    return _USER.read(row)


def find_by_email(email: str) -> User | None:
    """Find the user with this address, ignoring case."""
    users = _USER.all(UserRow.select(*_USER.fields).where(UserRow.email == normalise_email(email)))
    return users[0] if users else None


def can_take_tickets(user_id: UUID) -> bool:
    """Return True if a ticket can be assigned to the user: active, with an account and a role that works on tickets."""
    row = database.one("SELECT role FROM users WHERE id = :id AND active AND ready_at IS NOT NULL", id=user_id)
    return row is not None and roles.works_on_tickets(row["role"])


def can_read_tickets(user_id: UUID) -> bool:
    """Return True if this user is active, with a role that reads tickets."""
    row = database.one("SELECT role FROM users WHERE id = :id AND active", id=user_id)
    rights = None if row is None else roles.rights_of(row["role"])
    return rights is not None and Permission.tickets_read in rights.permissions


def active_ids(with_roles: Collection[str]) -> list[UUID]:
    """Return the ids of the active users with one of the roles."""
    query = UserRow.select(UserRow.id).where(UserRow.active & UserRow.role.in_(list(with_roles)))
    return [row["id"] for row in database.rows(query.order_by(UserRow.id))]


def names_of(user_ids: set[UUID]) -> dict[UUID, str]:
    """Read the names of several users by id."""
    if not user_ids:
        return {}
    places, values = database.in_list("id", sorted(user_ids))
    rows = database.run(f"SELECT id, name FROM users WHERE id IN {places}", values)
    return {row["id"]: row["name"] for row in map(UserRow.converted, rows)}


def page_of_users(
    *,
    role: str | None = None,
    active: bool | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[User]:
    """List users, newest first, before the cursor position (created_at, id)."""
    query = UserRow.select(*_USER.fields)
    if role is not None:
        query = query.where(UserRow.role == role)
    if active is not None:
        query = query.where(UserRow.active == active)
    return _USER.all(newest_first(query, UserRow.created_at, UserRow.id, before=before, limit=limit))


def get_api_key(key_id: UUID) -> ApiKey:
    """Read one API key. Raises NotFound."""
    keys = _API_KEY.all(ApiKeyRow.select(*_API_KEY.fields).where(ApiKeyRow.id == key_id))
    if not keys:
        raise NotFound(f"there is no API key {key_id}")
    return keys[0]


def api_keys_of(owner_id: UUID) -> list[ApiKey]:
    """List the keys of a user that are not revoked, oldest first."""
    query = ApiKeyRow.select(*_API_KEY.fields).where(ApiKeyRow.owner_id == owner_id, ApiKeyRow.revoked_at.is_null())
    return _API_KEY.all(query.order_by(ApiKeyRow.created_at, ApiKeyRow.id))


def page_of_api_keys(*, before: tuple[datetime, UUID] | None = None, limit: int) -> list[ApiKey]:
    """List API keys including revoked ones, newest first, before the cursor position (created_at, id)."""
    query = ApiKeyRow.select(*_API_KEY.fields)
    return _API_KEY.all(newest_first(query, ApiKeyRow.created_at, ApiKeyRow.id, before=before, limit=limit))
