"""Tables of users, custom roles, sessions and API keys."""

from __future__ import annotations

import peewee

from models.identity.rules import Role
from models.kernel.storage.table import EnumField, IdField, InstantField, Table


class UserRow(Table):
    """A person who works at the desk. Other packages see it as `queries.User`.

    `ready_at`: when the ledger had opened the account (activation.py); NULL means that the user can be given no work.
    """

    id = IdField(primary_key=True)
    email = peewee.TextField()
    name = peewee.TextField()
    role = peewee.TextField()
    password_hash = peewee.TextField()
    active = peewee.BooleanField(default=True)
    locale = peewee.TextField(default="en")
    version = peewee.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()
    ready_at = InstantField(null=True)

    class Meta:
        table_name = "users"


class RoleRow(Table):
    """A custom role. `permissions` holds the names, each between two blanks, so that LIKE finds one."""

    name = peewee.TextField(primary_key=True)
    id = IdField(unique=True)
    based_on = EnumField(Role)
    description = peewee.TextField()
    permissions = peewee.TextField()
    version = peewee.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "roles"


class Session(Table):
    """A user's session. The table stores tokens as hashes only."""

    id = IdField(primary_key=True)
    user_id = IdField()
    refresh_hash = peewee.TextField()
    previous_hash = peewee.TextField(null=True)
    created_at = InstantField()
    refreshed_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True)
    client = peewee.TextField(null=True)
    user_agent = peewee.TextField(null=True)
    device_id = IdField(null=True)
    last_seen_at = InstantField(null=True)
    authenticated_at = InstantField(null=True)

    class Meta:
        table_name = "sessions"


class ApiKeyRow(Table):
    """An API key of a program. The table stores the key as a hash only.

    `scopes` has the form of `RoleRow.permissions`; NULL means every permission of the role. A key without an owner does
    not work; programs before the schema of owners created such keys. Other packages see the row as `queries.ApiKey`.
    """

    id = IdField(primary_key=True)
    name = peewee.TextField()
    role = peewee.TextField()
    owner_id = IdField(null=True)
    scopes = peewee.TextField(null=True)
    key_hash = peewee.TextField()
    prefix = peewee.TextField()
    created_by = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField(null=True)
    revoked_at = InstantField(null=True)
    last_used_at = InstantField(null=True)

    class Meta:
        table_name = "api_keys"
