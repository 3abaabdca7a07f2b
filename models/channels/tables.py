"""Tables of channels."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import InstantField, JsonField, Table


class ChannelHealth(Table):
    """The present error of an account, its provider's last report about it, and its failing sends."""

    channel = peewee.TextField()
    account = peewee.TextField()
    error = peewee.TextField(null=True)
    error_at = InstantField(null=True)
    told = JsonField()
    told_at = InstantField(null=True)
    error_since = InstantField(null=True)
    sending_error = peewee.TextField(null=True)
    sending_failed_since = InstantField(null=True)

    class Meta:
        table_name = "channel_health"
        primary_key = peewee.CompositeKey("channel", "account")


class ChannelPosition(Table):
    """A read position in an account's source."""

    channel = peewee.TextField()
    account = peewee.TextField()
    name = peewee.TextField()
    position = JsonField()
    updated_at = InstantField()

    class Meta:
        table_name = "channel_positions"
        primary_key = peewee.CompositeKey("channel", "account", "name")


class PullerLease(Table):
    """The lease of the process that reads an account."""

    channel = peewee.TextField()
    account = peewee.TextField()
    holder = peewee.TextField()
    expires_at = InstantField()

    class Meta:
        table_name = "puller_leases"
        primary_key = peewee.CompositeKey("channel", "account")
