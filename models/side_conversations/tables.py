"""Tables of side conversations."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, Table


class SideConversation(Table):
    """A conversation with a third party about a ticket: that of `first_message_id`.

    `reply_token`: the token of the address for answers. `started_kind`, `started_id`, `started_name`: the agent or the
    API key that started it.
    """

    id = IdField(primary_key=True)
    first_message_id = IdField()
    channel = peewee.TextField()
    account = peewee.TextField()
    address = peewee.TextField()
    name = peewee.TextField()
    subject = peewee.TextField()
    reply_token = peewee.TextField()
    started_kind = peewee.TextField()
    started_id = IdField(null=True)
    started_name = peewee.TextField()
    created_at = InstantField()
    last_answer_at = InstantField(null=True)

    class Meta:
        table_name = "side_conversations"


class SideMessage(Table):
    """A note that is a message of a side conversation. `is_answer`: the third party wrote it."""

    message_id = IdField(primary_key=True)
    side_id = IdField()
    is_answer = peewee.BooleanField()

    class Meta:
        table_name = "side_messages"
