"""Tables of requesters."""

from __future__ import annotations

import peewee

from models.kernel.storage.table import IdField, InstantField, JsonField, Table


class Organisation(Table):
    """A company that requesters belong to. `domain` is of earlier releases; `organisation_domains` has them all."""

    id = IdField(primary_key=True)
    name = peewee.TextField()
    domain = peewee.TextField(null=True)
    fields = JsonField(default=dict)
    version = peewee.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "organisations"


class OrganisationDomain(Table):
    """A mail domain of an organisation."""

    domain = peewee.TextField(primary_key=True)
    organisation_id = IdField()

    class Meta:
        table_name = "organisation_domains"


class Requester(Table):
    """A person who asks for help."""

    id = IdField(primary_key=True)
    name = peewee.TextField()
    locale = peewee.TextField(null=True)
    version = peewee.IntegerField(default=1)
    created_at = InstantField()
    updated_at = InstantField()
    organisation_id = IdField(null=True)
    fields = JsonField(default=dict)
    time_zone = peewee.TextField(null=True)
    merged_into = IdField(null=True)
    erased_at = InstantField(null=True)

    class Meta:
        table_name = "requesters"


class Identity(Table):
    """One address of a requester on one channel."""

    id = IdField(primary_key=True)
    requester_id = IdField()
    channel = peewee.TextField()
    address = peewee.TextField()
    display_name = peewee.TextField(null=True)
    suppressed_at = InstantField(null=True)
    suppressed_reason = peewee.TextField(null=True)
    created_at = InstantField()
    blocked_at = InstantField(null=True)
    blocked_reason = peewee.TextField(null=True)
    verified_by = peewee.TextField(null=True)
    # The ticket that was marked as spam; messages of the address are quarantined.
    spam_ticket_id = IdField(null=True)

    class Meta:
        table_name = "identities"


class RequesterLink(Table):
    """A link that connects an address to a requester. Only a hash of the token is stored."""

    id = IdField(primary_key=True)
    requester_id = IdField()
    token_hash = peewee.TextField()
    made_by = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)
    asked_address = peewee.TextField(null=True)
    asked_channel = peewee.TextField(null=True)
    tries_left = peewee.IntegerField(default=5)

    class Meta:
        table_name = "requester_links"


class RequesterCode(Table):
    """A code that was sent to an address. It is derived from the row's id, so the row does not contain it."""

    id = IdField(primary_key=True)
    requester_id = IdField()
    channel = peewee.TextField()
    address = peewee.TextField()
    code_hash = peewee.TextField()
    tries_left = peewee.IntegerField()
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)

    class Meta:
        table_name = "requester_codes"


class RequesterMerge(Table):
    """One merge of two requesters."""

    id = IdField(primary_key=True)
    source_id = IdField()
    target_id = IdField()
    reason = peewee.TextField()
    merged_by = peewee.TextField()
    merged_at = InstantField()
    undone_by = peewee.TextField(null=True)
    undone_at = InstantField(null=True)
    # The properties and fields that the target got from the source.
    filled = JsonField(default=dict)

    class Meta:
        table_name = "requester_merges"


class RequesterMergeRow(Table):
    """A row that a merge moved; an undo moves it back."""

    merge_id = IdField()
    kind = peewee.TextField()
    row_id = IdField()

    class Meta:
        table_name = "requester_merge_rows"
        primary_key = peewee.CompositeKey("merge_id", "kind", "row_id")
