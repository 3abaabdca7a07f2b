"""Tables of staff."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class UserAddress(Table):
    """An agent's own address on a channel. `account` is the account whose chat connected it, unless it is older."""

    channel = peewee.TextField()
    address = peewee.TextField()
    user_id = IdField()
    created_at = InstantField()
    access_mark = peewee.TextField(null=True)
    account = peewee.TextField(null=True)

    class Meta:
        table_name = "user_addresses"
        primary_key = peewee.CompositeKey("channel", "address")


class UserLink(Table):
    """A link by which an agent connects an address. The token is kept as a hash only."""

    token_hash = peewee.TextField(primary_key=True)
    user_id = IdField()
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)
    asked_channel = peewee.TextField(null=True)
    asked_address = peewee.TextField(null=True)
    tries_left = peewee.IntegerField(default=5)
    access_mark = peewee.TextField(null=True)
    asked_account = peewee.TextField(null=True)

    class Meta:
        table_name = "user_links"
