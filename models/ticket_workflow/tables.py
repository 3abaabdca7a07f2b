"""Tables of a ticket's workflow: SLA clocks, approvals, decisions, links, migrations."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class SlaClock(Table):
    """One promise of a ticket. The due instants are columns, so that a list can be sorted by them."""

    ticket_id = IdField()
    target = peewee.TextField()
    policy = peewee.TextField()
    state = peewee.TextField()
    due_at = InstantField(null=True)
    warn_at = InstantField(null=True)
    breached_at = InstantField(null=True)
    met_at = InstantField(null=True)
    clock = JsonField()

    class Meta:
        table_name = "sla_clocks"
        primary_key = peewee.CompositeKey("ticket_id", "target")


class TicketLink(Table):
    """A relation of two tickets."""

    from_id = IdField()
    to_id = IdField()
    kind = peewee.TextField()
    created_at = InstantField()

    class Meta:
        table_name = "ticket_links"
        primary_key = peewee.CompositeKey("from_id", "to_id", "kind")


class Approval(Table):
    """A transition that waits for votes."""

    id = IdField(primary_key=True)
    ticket_id = IdField()
    transition = peewee.TextField()
    team = peewee.TextField()
    needed = peewee.IntegerField()
    state = peewee.TextField()
    requested_by = peewee.TextField(null=True)
    requested_comment = peewee.TextField(null=True)
    requested_at = InstantField()
    expires_at = InstantField(null=True)
    decided_at = InstantField(null=True)

    class Meta:
        table_name = "approvals"


class ApprovalVote(Table):
    """One vote."""

    approval_id = IdField()
    user_id = IdField()
    vote = peewee.TextField()
    comment = peewee.TextField(null=True)
    at = InstantField()

    class Meta:
        table_name = "approval_votes"
        primary_key = peewee.CompositeKey("approval_id", "user_id")


class Decision(Table):
    """The trace of one step of a life cycle: what each rule saw."""

    id = IdField(primary_key=True)
    ticket_id = IdField()
    event = peewee.TextField()
    workflow = peewee.TextField()
    workflow_version = peewee.IntegerField()
    state = peewee.TextField()
    at = InstantField()
    causation_id = peewee.TextField(null=True)
    first_sequence = peewee.IntegerField()
    last_sequence = peewee.IntegerField()
    looks = JsonField()

    class Meta:
        table_name = "decisions"


class WorkflowMigration(Table):
    """A move of live tickets to another version, with its cursor."""

    id = IdField(primary_key=True)
    workflow = peewee.TextField()
    to_workflow = peewee.TextField()
    to_version = peewee.IntegerField()
    state_map = JsonField()
    state = peewee.TextField()
    reverses = IdField(null=True)
    cursor = IdField(null=True)
    moved = peewee.IntegerField()
    started_by = peewee.TextField()
    started_at = InstantField()
    finished_at = InstantField(null=True)
    # The live tickets at the start; unknown for migrations of earlier releases and of commands.
    tickets = peewee.IntegerField(null=True)
    error = peewee.TextField(null=True)

    class Meta:
        table_name = "workflow_migrations"


class WorkflowReplay(Table):
    """A replay of recorded events through a draft, with its cursor and the sums so far."""

    id = IdField(primary_key=True)
    workflow = peewee.TextField()
    draft = JsonField()
    since = InstantField()
    until = InstantField()
    state = peewee.TextField()
    cursor = IdField(null=True)
    tally = JsonField(null=True)
    tickets = peewee.IntegerField()
    tickets_done = peewee.IntegerField(default=0)
    error = peewee.TextField(null=True)
    started_by = peewee.TextField()
    started_at = InstantField()
    finished_at = InstantField(null=True)
    seen_by = IdField(null=True)
    sees_all = peewee.BooleanField(default=False)

    class Meta:
        table_name = "workflow_replays"


class Rating(Table):
    """A requester's rating. The token is kept as a hash only."""

    id = IdField(primary_key=True)
    ticket_id = IdField()
    token_hash = peewee.TextField()
    score = peewee.IntegerField(null=True)
    comment = peewee.TextField(null=True)
    asked_at = InstantField()
    rated_at = InstantField(null=True)
    changes = peewee.IntegerField(default=0)

    class Meta:
        table_name = "ratings"
