"""Tables of conversations."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Conversation(Table):
    """A chat and its current ticket. The row is also the lock under which one writer chooses the ticket.

    `asked_until`: until then the next text in the chat may answer a question of a dialogue.
    """

    id = IdField(primary_key=True)
    channel = peewee.TextField()
    account = peewee.TextField()
    address = peewee.TextField()
    ticket_id = IdField(null=True)
    updated_at = InstantField()
    asked_until = InstantField(null=True)

    class Meta:
        table_name = "conversations"


class Message(Table):
    """One message: inbound, outbound, or an internal note."""

    id = IdField(primary_key=True)
    ticket_id = IdField()
    sequence = peewee.IntegerField()
    direction = peewee.TextField()
    kind = peewee.TextField()
    author_kind = peewee.TextField()
    author_id = IdField(null=True)
    author_name = peewee.TextField()
    subject = peewee.TextField(null=True)
    body = peewee.TextField()
    body_full = peewee.TextField(null=True)
    body_format = peewee.TextField()
    body_html = peewee.TextField(null=True)
    channel = peewee.TextField()
    account = peewee.TextField(null=True)
    external_id = peewee.TextField(null=True)
    in_reply_to = peewee.TextField(null=True)
    # Why the desk must not answer the message automatically; NULL if it may.
    automatic = peewee.TextField(null=True)
    # A machine wrote it: it reopens no ticket, gets no promise, and its sender is not the contact.
    by_machine = peewee.BooleanField(default=False)
    attachments = JsonField()
    inbox_id = IdField(null=True)
    created_at = InstantField()
    edited_at = InstantField(null=True)
    # Kind, id and name of the person who edited or deleted the message last.
    edited_by = JsonField(null=True)
    details = JsonField()
    copies = JsonField()
    reactions = JsonField()
    verdict = peewee.TextField(null=True)
    body_html_remote = peewee.TextField(null=True)
    group_key = peewee.TextField(null=True)
    deleted_at = InstantField(null=True)
    # The ticket in which the message was written, if a merge or a split moved it to another one.
    moved_from = IdField(null=True)

    class Meta:
        table_name = "messages"


class MessageMove(Table):
    """A ticket that a message was in before. The log of that ticket keeps the events about the message."""

    message_id = IdField()
    ticket_id = IdField()
    moved_at = InstantField()

    class Meta:
        table_name = "message_moves"
        primary_key = peewee.CompositeKey("message_id", "ticket_id")


class MessageWholeHtml(Table):
    """The HTML of a mail without any cut. A mail from which nothing was cut has no row."""

    message_id = IdField(primary_key=True)
    html = peewee.TextField()
    # The same with remote pictures; NULL if it has none.
    html_remote = peewee.TextField(null=True)
    blocked_remote = peewee.IntegerField(default=0)

    class Meta:
        table_name = "message_whole_html"


class MessageReference(Table):
    """A provider's id of a message, by which an answer finds its ticket."""

    channel = peewee.TextField()
    account = peewee.TextField()
    external_id = peewee.TextField()
    ticket_id = IdField()
    message_id = IdField()
    created_at = InstantField()

    class Meta:
        table_name = "message_references"
        primary_key = peewee.CompositeKey("channel", "account", "external_id")


class TicketParticipant(Table):
    """An address besides the requester's that may write into a ticket."""

    ticket_id = IdField()
    channel = peewee.TextField()
    address = peewee.TextField()
    name = peewee.TextField()
    role = peewee.TextField()
    added_at = InstantField()
    confirmed_at = InstantField(null=True)

    class Meta:
        table_name = "ticket_participants"
        primary_key = peewee.CompositeKey("ticket_id", "channel", "address")


class UnreachableChat(Table):
    """A chat that blocked the account, or a group that removed it."""

    channel = peewee.TextField()
    account = peewee.TextField()
    address = peewee.TextField()
    reason = peewee.TextField()
    since = InstantField()

    class Meta:
        table_name = "unreachable_chats"
        primary_key = peewee.CompositeKey("channel", "account", "address")
