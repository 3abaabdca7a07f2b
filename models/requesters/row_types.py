"""The rows that queries of requesters return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from models.kernel.open_json import JsonObject


class IdentityRow(TypedDict):
    """An address of a requester."""

    requester_id: UUID
    channel: str
    address: str
    display_name: str | None
    suppressed_reason: str | None
    blocked_reason: str | None
    verified_by: str | None


class RequesterRow(TypedDict):
    """A requester with their addresses."""

    id: UUID
    name: str
    locale: str | None
    version: int
    created_at: datetime
    time_zone: str | None
    merged_into: UUID | None
    erased_at: datetime | None
    organisation_id: UUID | None
    organisation_name: str | None
    fields: JsonObject
    identities: list[IdentityRow]


class OrganisationRow(TypedDict):
    """An organisation with its mail domains."""

    id: UUID
    name: str
    fields: JsonObject
    version: int
    created_at: datetime
    updated_at: datetime
    domains: list[str]


class MergeRow(TypedDict):
    """A merge of a requester into another."""

    id: UUID
    source_id: UUID
    target_id: UUID
    reason: str
    merged_by: str
    merged_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    filled: JsonObject
