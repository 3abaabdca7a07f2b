"""Tables of channels."""

from __future__ import annotations

import peewee

from models.kernel.table import InstantField, JsonField, Table


class ChannelHealth(Table):
    """The last trouble of an account, and the last word of its provider about it."""

    channel = peewee.TextField()
    account = peewee.TextField()
    error = peewee.TextField(null=True)
    error_at = InstantField(null=True)
    told = JsonField()
    told_at = InstantField(null=True)

    class Meta:
        table_name = "channel_health"
        primary_key = peewee.CompositeKey("channel", "account")


class ChannelPosition(Table):
    """How far an account's source has been read."""

    channel = peewee.TextField()
    account = peewee.TextField()
    name = peewee.TextField()
    position = JsonField()
    updated_at = InstantField()

    class Meta:
        table_name = "channel_positions"
        primary_key = peewee.CompositeKey("channel", "account", "name")


class PullerLease(Table):
    """The process that reads an account now."""

    channel = peewee.TextField()
    account = peewee.TextField()
    holder = peewee.TextField()
    expires_at = InstantField()

    class Meta:
        table_name = "puller_leases"
        primary_key = peewee.CompositeKey("channel", "account")
