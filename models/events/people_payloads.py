"""Payloads of the events of requesters and organisations.

They hold ids and names of properties, and no words about a person: a subscriber reads the current values by the API. So
an erasure has nothing to remove from the log.
"""

from __future__ import annotations

from uuid import UUID

from models.events.payload import UNSET, EventPayload, Items, Unset


class RequesterCreated(EventPayload, frozen=True, kw_only=True):
    """A requester was created, by an agent or by the first message from an address."""

    organisation_id: UUID | None


class RequesterUpdated(EventPayload, frozen=True, kw_only=True):
    """Properties, fields or addresses of a requester changed; `changed` names them."""

    changed: Items
    organisation_id: UUID | Unset | None = UNSET


class RequestersMerged(EventPayload, frozen=True, kw_only=True):
    """Another requester was merged into this one."""

    merge_id: UUID
    source_id: UUID


class RequesterMergeUndone(EventPayload, frozen=True, kw_only=True):
    """A merge of another requester into this one was undone."""

    merge_id: UUID
    source_id: UUID


class RequesterErased(EventPayload, frozen=True, kw_only=True):
    """The personal data of a requester was erased."""


class OrganisationCreated(EventPayload, frozen=True, kw_only=True):
    """An organisation was created."""

    name: str


class OrganisationUpdated(EventPayload, frozen=True, kw_only=True):
    """Properties, fields or domains of an organisation changed; `changed` names them."""

    changed: Items


class OrganisationDeleted(EventPayload, frozen=True, kw_only=True):
    """An organisation was deleted."""
