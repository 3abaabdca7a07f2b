"""Tables of notices."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import EnumField, IdField, InstantField, Table
from models.notice_settings.rules import Kind, Way


class Notice(Table):
    """A notice to a user. `event_id`: the event of the ticket that it reports; a user gets one notice of an event.

    `rule`: the rule of a life cycle that wrote it, or the name of the desk's own reason. `message_id`: the message that
    the notice is about.
    """

    id = IdField(primary_key=True)
    user_id = IdField()
    ticket_id = IdField(null=True)
    rule = peewee.TextField()
    text = peewee.TextField()
    created_at = InstantField()
    read_at = InstantField(null=True)
    kind = EnumField(Kind)
    event_id = IdField(null=True)
    message_id = IdField(null=True)

    class Meta:
        table_name = "notices"


class NoticeAnswer(Table):
    """A message that an agent wrote by answering the mail of a notice."""

    mail_id = IdField()
    external_id = peewee.TextField()
    ticket_id = IdField()
    message_id = IdField()
    created_at = InstantField()

    class Meta:
        table_name = "notice_answers"
        primary_key = peewee.CompositeKey("mail_id", "external_id")


class NoticeDelivery(Table):
    """A notice on one of its ways. Notices that leave together have one `batch_id`, which names their mail.

    `state`: waiting, handed_over, sent, failed, unknown or withheld. `error` says why a notice was not sent.
    """

    id = IdField(primary_key=True)
    notice_id = IdField()
    user_id = IdField()
    way = EnumField(Way)
    state = peewee.TextField()
    due_at = InstantField()
    batch_id = IdField(null=True)
    error = peewee.TextField(null=True)
    created_at = InstantField()
    finished_at = InstantField(null=True)

    class Meta:
        table_name = "notice_deliveries"
