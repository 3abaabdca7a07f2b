"""Tables of channels."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


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


class ChannelToken(Table):
    """The OAuth tokens of an account. `source` identifies the credentials that they were obtained with."""

    sealed = ("access_token", "refresh_token")

    id = IdField(primary_key=True)
    channel = peewee.TextField()
    account = peewee.TextField()
    source = peewee.TextField()
    access_token = peewee.TextField(null=True)
    refresh_token = peewee.TextField(null=True)
    renew_at = InstantField(null=True)
    expires_at = InstantField(null=True)
    # The process that renews the tokens has its turn until then.
    renewing_until = InstantField(null=True)
    updated_at = InstantField()

    class Meta:
        table_name = "channel_tokens"


class PullerLease(Table):
    """The lease of the process that reads an account."""

    channel = peewee.TextField()
    account = peewee.TextField()
    holder = peewee.TextField()
    expires_at = InstantField()

    class Meta:
        table_name = "puller_leases"
        primary_key = peewee.CompositeKey("channel", "account")
