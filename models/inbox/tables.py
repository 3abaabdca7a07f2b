"""Tables of inbox."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class InboxEvent(Table):
    """One raw event of a provider."""

    id = IdField(primary_key=True)
    channel = peewee.TextField()
    account = peewee.TextField()
    event_key = peewee.TextField()
    content_type = peewee.TextField()
    envelope = JsonField()
    raw_bytes = peewee.BlobField(column_name="raw")
    status = peewee.TextField()
    reason = peewee.TextField(null=True)
    ticket_id = IdField(null=True)
    message_id = IdField(null=True)
    request_id = peewee.TextField(null=True)
    received_at = InstantField()
    processed_at = InstantField(null=True)
    fetched = peewee.BlobField(null=True)
    released_by = peewee.TextField(null=True)
    # Whose event it is: the comparable form of the author's address, set when the event is read.
    author_address = peewee.TextField(null=True)

    class Meta:
        table_name = "inbox"


class InboxPerson(Table):
    """A person of an event that is several people's, such as a report about several recipients."""

    inbox_id = IdField()
    channel = peewee.TextField()
    address = peewee.TextField()

    class Meta:
        table_name = "inbox_people"
        primary_key = peewee.CompositeKey("inbox_id", "address")


class ErasedAddress(Table):
    """An address whose person's data was erased. Only a keyed hash of the address is stored."""

    channel = peewee.TextField()
    address_hash = peewee.TextField()
    erased_at = InstantField()

    class Meta:
        table_name = "erased_addresses"
        primary_key = peewee.CompositeKey("channel", "address_hash")


class WebhookNonce(Table):
    """A signature's nonce, kept until it is too old to be accepted."""

    channel = peewee.TextField()
    account = peewee.TextField()
    nonce = peewee.TextField()
    sha256 = peewee.TextField()
    expires_at = InstantField()

    class Meta:
        table_name = "webhook_nonces"
        primary_key = peewee.CompositeKey("channel", "account", "nonce")
