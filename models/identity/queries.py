"""Read users and API keys. Password and key hashes never leave this area."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.identity.rules import ROLE_PERMISSIONS, Permission, Role, normalise_email
from models.kernel import database
from models.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class User:
    """A person who works at the desk."""

    id: UUID
    email: str
    name: str
    role: Role
    active: bool
    locale: str
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A machine's access. `prefix` is the beginning of the key, by which people recognise it."""

    id: UUID
    name: str
    role: Role
    prefix: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


_USER_COLUMNS = "id, email, name, role, active, locale, version, created_at, updated_at"
_KEY_COLUMNS = "id, name, role, prefix, created_by, created_at, expires_at, revoked_at"


def get_user(user_id: UUID) -> User:
    """One user. Raises NotFound."""
    row = database.one(f"SELECT {_USER_COLUMNS} FROM users WHERE id = :id", id=user_id)
    if row is None:
        raise NotFound(f"there is no user {user_id}")
    return _user(row)


def lock_user(user_id: UUID) -> User:
    """The user, the row held until the transaction ends; whoever writes sessions or events of the user holds it.

    Raises NotFound.
    """
    assert database.in_transaction(), "a row is held by a transaction"
    row = database.one(f"SELECT {_USER_COLUMNS} FROM users WHERE id = :id FOR_UPDATE", id=user_id)
    if row is None:
        raise NotFound(f"there is no user {user_id}")
    return _user(row)


def find_by_email(email: str) -> User | None:
    """The user with this address, however it is written."""
    row = database.one(
        f"SELECT {_USER_COLUMNS} FROM users WHERE email = :email",
        email=normalise_email(email),
    )
    return None if row is None else _user(row)


def can_take_tickets(user_id: UUID) -> bool:
    """Whether a ticket can be given to this user: active, with a role that works on tickets."""
    row = database.one("SELECT role FROM users WHERE id = :id AND active", id=user_id)
    return row is not None and Permission.tickets_write in ROLE_PERMISSIONS[Role(row["role"])]


def names_of(user_ids: set[UUID]) -> dict[UUID, str]:
    """Names by id, for a list."""
    places, values = database.in_list("id", sorted(user_ids))
    rows = database.run(f"SELECT id, name FROM users WHERE id IN {places}", values)
    return {uuid_of(row["id"]): row["name"] for row in rows}


def page_of_users(
    *,
    role: Role | None = None,
    active: bool | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[User]:
    """Users, newest first, before the cursor position (created_at, id)."""
    conditions, values = ["1 = 1"], dict[str, Any](limit=limit)
    if role is not None:
        conditions.append("role = :role")
        values["role"] = str(role)
    if active is not None:
        conditions.append("active = :active")
        values["active"] = active
    return [_user(row) for row in _page("users", _USER_COLUMNS, conditions, values, before)]


def get_api_key(key_id: UUID) -> ApiKey:
    """One API key. Raises NotFound."""
    row = database.one(f"SELECT {_KEY_COLUMNS} FROM api_keys WHERE id = :id", id=key_id)
    if row is None:
        raise NotFound(f"there is no API key {key_id}")
    return api_key_from(row)


def page_of_api_keys(*, before: tuple[datetime, UUID] | None = None, limit: int) -> list[ApiKey]:
    """API keys, revoked ones too, newest first, before the cursor position (created_at, id)."""
    return [api_key_from(row) for row in _page("api_keys", _KEY_COLUMNS, ["1 = 1"], {"limit": limit}, before)]


def _page(
    table: str,
    columns: str,
    conditions: list[str],
    values: dict[str, Any],
    before: tuple[datetime, UUID] | None,
) -> list[database.Row]:
    if before is not None:
        conditions = [*conditions, "(created_at, id) < (:before_at, :before_id)"]
        values = {**values, "before_at": before[0], "before_id": before[1]}
    return database.run(
        f"SELECT {columns} FROM {table} WHERE {' AND '.join(conditions)}"
        " ORDER BY created_at DESC, id DESC LIMIT :limit",
        values,
    )


def uuid_of(value: Any) -> UUID:
    """An id as either engine returns it."""
    return value if isinstance(value, UUID) else UUID(value)


def instant_of(value: Any) -> datetime:
    """An instant that is never null, as either engine returns it."""
    at = database.instant(value)
    assert at is not None, "the column is NOT NULL"
    return at


def _user(row: database.Row) -> User:
    return User(
        id=uuid_of(row["id"]),
        email=row["email"],
        name=row["name"],
        role=Role(row["role"]),
        active=bool(row["active"]),
        locale=row["locale"],
        version=row["version"],
        created_at=instant_of(row["created_at"]),
        updated_at=instant_of(row["updated_at"]),
    )


def api_key_from(row: database.Row) -> ApiKey:
    return ApiKey(
        id=uuid_of(row["id"]),
        name=row["name"],
        role=Role(row["role"]),
        prefix=row["prefix"],
        created_by=row["created_by"],
        created_at=instant_of(row["created_at"]),
        expires_at=database.instant(row["expires_at"]),
        revoked_at=database.instant(row["revoked_at"]),
    )
