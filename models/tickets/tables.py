"""Tables of tickets."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Ticket(Table):
    """One ticket as its row. Changing an attribute writes nothing; TicketChange does."""

    id = IdField(primary_key=True)
    number = peewee.BigIntegerField()
    title = peewee.TextField()
    type = peewee.TextField()
    priority = peewee.TextField()
    state = peewee.TextField()
    category = peewee.TextField()
    workflow = peewee.TextField()
    workflow_version = peewee.IntegerField()
    requester_id = IdField(null=True)
    assignee_id = IdField(null=True)
    channel = peewee.TextField()
    account = peewee.TextField(null=True)
    contact_channel = peewee.TextField(null=True)
    contact_account = peewee.TextField(null=True)
    contact_address = peewee.TextField(null=True)
    fields = JsonField(default=dict)
    version = peewee.IntegerField(default=1)
    event_sequence = peewee.IntegerField(default=0)
    message_count = peewee.IntegerField(default=0)
    created_at = InstantField()
    updated_at = InstantField()
    first_response_at = InstantField(null=True)
    solved_at = InstantField(null=True)
    closed_at = InstantField(null=True)
    last_message_at = InstantField(null=True)
    team = peewee.TextField(null=True)
    tags = JsonField(default=list)
    state_since = InstantField(null=True)
    reply_token = peewee.TextField(null=True)
    author_grade = peewee.TextField(null=True)
    contact_grade = peewee.TextField(null=True)
    # Types that the ticket had before; their models still guard its fields.
    former_types = JsonField(default=list)
    # The earliest due instant of the promises that run; a broken promise runs on until it is met.
    next_due_at = InstantField(null=True)
    # A snoozed ticket has `snoozed_at`; without `snoozed_until` it sleeps until the requester writes.
    snoozed_at = InstantField(null=True)
    snoozed_until = InstantField(null=True)
    snooze_note = peewee.TextField(null=True)
    # The end of the last snooze, until a person changes the ticket.
    woken_at = InstantField(null=True)
    # A ticket in the bin has both; `binned_as`: deleted, spam, or purged after its content is gone.
    binned_at = InstantField(null=True)
    binned_as = peewee.TextField(null=True)
    minutes_spent = peewee.IntegerField(default=0)
    # The ticket that this one was merged into: its messages are there, and new ones go there.
    merged_into = IdField(null=True)
    # The first message of the requester that no person of the desk has answered. NULL: nobody waits for an answer.
    unanswered_since = InstantField(null=True)
    # So a change of a ticket without followers costs no look-up of them.
    follower_count = peewee.IntegerField(default=0)

    # Not a column. Set where the requester was just found or made, so that an answer does not read it again.
    requester_name: str | None = None

    @property
    def contact_is_a_stranger(self) -> bool:
        """Return True if nothing proves the contact address and no agent has answered yet.

        An automatic message then repeats nothing that the author wrote: anybody can send a mail whose answer goes to
        somebody else, with an advertisement as name or subject.
        """
        return self.contact_grade in ("unjudged", "unproved") and self.first_response_at is None

    class Meta:
        table_name = "tickets"


class TicketFollower(Table):
    """A user who follows a ticket and therefore sees it. `reason`: follows, or mentioned (by a note)."""

    ticket_id = IdField()
    user_id = IdField()
    reason = peewee.TextField()
    created_at = InstantField()

    class Meta:
        table_name = "ticket_followers"
        primary_key = peewee.CompositeKey("ticket_id", "user_id")


class Counter(Table):
    """A counter of the SQLite engine; PostgreSQL has sequences."""

    name = peewee.TextField(primary_key=True)
    value = peewee.IntegerField()

    class Meta:
        table_name = "counters"
