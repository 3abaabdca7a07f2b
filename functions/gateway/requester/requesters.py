"""/v1/requesters: the people who ask for help."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from functions.gateway.sights import sight_of
from functions.gateway.ticket.tickets import bounded
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import LANGUAGE_TAG, Email, Name, Word
from models.identity.rules import Permission
from models.kernel import limits
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.ports import channel_facts
from models.requesters import person_fields, profile, queries
from models.requesters.row_types import RequesterRow
from models.ticket_actions import field_lookups
from queues import channels

operations = Operations()
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.email_address_chars_max)]
Language = Annotated[str, msgspec.Meta(max_length=limits.locale_chars_max, pattern=LANGUAGE_TAG)]


class Identity(msgspec.Struct):
    """An address on a channel.

    `suppressed_reason`: sending to it is not allowed. `blocked_reason`: messages from it are ignored. `verified_by`:
    link, code, agent, or null for an address that only sent a message.
    """

    channel: str
    address: str
    display_name: str | None
    suppressed_reason: str | None
    blocked_reason: str | None
    verified_by: str | None


class OrganisationName(msgspec.Struct):
    """The organisation that a requester belongs to."""

    id: UUID
    name: str


class Requester(msgspec.Struct):
    """A person who asks for help. `fields`: facts by the information model, as far as the caller may see them."""

    id: UUID
    name: str
    locale: str | None
    time_zone: str | None
    organisation: OrganisationName | None
    fields: JsonObject
    version: int
    merged_into: UUID | None
    erased_at: datetime | None
    identities: list[Identity]
    created_at: datetime


class RequesterPage(msgspec.Struct):
    """A page of requesters."""

    items: list[Requester]
    next_cursor: str | None


class RequesterQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of requesters. `q` matches a part of a name, an address or a searchable field."""

    organisation: UUID | None = None
    q: Annotated[str, msgspec.Meta(max_length=limits.search_chars_max)] | None = None
    blocked: bool | None = None


class RequesterChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The properties to change; others keep their values."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    locale: Language | msgspec.UnsetType | None = msgspec.UNSET
    time_zone: Address | msgspec.UnsetType | None = msgspec.UNSET
    organisation_id: UUID | msgspec.UnsetType | None = msgspec.UNSET
    fields: JsonObject | msgspec.UnsetType = msgspec.UNSET


class FirstAddress(msgspec.Struct, forbid_unknown_fields=True):
    """An address that belongs to the requester. `channel` names a channel of the desk, such as `email`."""

    channel: Word
    address: Address


class NewRequesterProfile(msgspec.Struct, forbid_unknown_fields=True):
    """A requester to create. `email` is short for an address on the e-mail channel.

    Without `organisation_id`, the domain of the e-mail address chooses the organisation.
    """

    name: Name
    email: Email | None = None
    identities: Annotated[list[FirstAddress], msgspec.Meta(max_length=profile.new_identities_max)] = []
    locale: Language | None = None
    time_zone: Address | None = None
    organisation_id: UUID | None = None
    fields: JsonObject = {}


def id_of(call: AnyCall) -> UUID:
    return pages.id_of(call.params["requester"], "requester")


def represented(call: AnyCall, status: int = 200, *, requester_id: UUID | None = None, **headers: str) -> Answer:
    """The requester of the path, or another one."""
    row = queries.get(requester_id or id_of(call))
    return Answer(shown(row, call.caller.role), status=status, headers=show.etag(row["version"]) | headers)


def shown(row: RequesterRow, role: str) -> Requester:
    """A requester as a role may see them."""
    organisation = None
    if row["organisation_id"] is not None:
        organisation = OrganisationName(row["organisation_id"], row["organisation_name"] or "")
    return Requester(
        identities=[show.copied(Identity, identity) for identity in row["identities"]],
        organisation=organisation,
        fields=person_fields.seen("requester", row["fields"], role),
        **show.same_names(Requester, row, but={"identities", "organisation", "fields"}),
    )


def page_of(call: Call[None, Any], *, of: str, organisation_id: UUID | None, **filters: Any) -> Answer:
    """A page of requesters. `of` names the list in its cursors."""
    before = pages.decode(call.query.cursor, of, UUID)
    rows = queries.page(
        organisation_id=organisation_id, before=before[0] if before else None, limit=call.query.limit + 1, **filters
    )
    page, cursor = pages.cut(rows, call.query.limit, of, lambda row: (row["id"],))
    return Answer(RequesterPage([shown(row, call.caller.role) for row in page], cursor))


@operations.add(
    "POST",
    "/v1/requesters",
    summary="Create a requester",
    needs=Permission.requesters_write,
    body=NewRequesterProfile,
    answers={201: Requester},
    problems=(409,),
)
def create_requester(call: Call[NewRequesterProfile]) -> Answer:
    """Answers 409 when another requester has one of the addresses."""
    body = call.body
    for index, identity in enumerate(body.identities):
        check_channel(identity.channel, path=f"/identities/{index}/channel")
    addresses = [(one.channel, one.address) for one in body.identities]
    if body.email is not None:
        addresses.insert(0, (channel_facts.with_emails(), body.email))
    requester_id = profile.create(
        body.name.strip(),
        addresses=addresses,
        locale=body.locale,
        time_zone=body.time_zone,
        organisation_id=body.organisation_id,
        fields=bounded(body.fields),
        role=call.caller.role,
        lookups=field_lookups.of_sight(sight_of(call)),
    )
    return represented(call, 201, requester_id=requester_id, Location=f"/v1/requesters/{requester_id}")


def check_channel(channel: str, *, path: str = "/channel") -> None:
    """Raises Invalid for a name that is no channel."""
    if channel not in channels.names():
        known = ", ".join(sorted(channels.names()))
        raise Invalid([FieldProblem(path, f"expected one of {known}, found {channel!r}")])


@operations.add(
    "GET",
    "/v1/requesters",
    summary="List requesters",
    needs=Permission.tickets_read,
    query=RequesterQuery,
    answers={200: RequesterPage},
)
def list_requesters(call: Call[None, RequesterQuery]) -> Answer:
    """Newest first. Requesters that were merged into others are left out."""
    return page_of(
        call,
        of="requesters",
        organisation_id=call.query.organisation,
        text=call.query.q,
        searched_fields=person_fields.searchable("requester", call.caller.role),
        blocked=call.query.blocked,
    )


@operations.add(
    "GET",
    "/v1/requesters/{requester}",
    summary="Get a requester",
    needs=Permission.tickets_read,
    answers={200: Requester},
    problems=(404,),
)
def read_requester(call: Call) -> Answer:
    """With the addresses on all channels."""
    return represented(call)


@operations.add(
    "PATCH",
    "/v1/requesters/{requester}",
    summary="Update a requester",
    needs=Permission.requesters_write,
    body=RequesterChanges,
    answers={200: Requester},
    problems=(404, 409),
    etag=True,
)
def change_requester(call: Call[RequesterChanges]) -> Answer:
    """Name, language, IANA time zone, organisation and fields. `fields` is merged: a field that it does not name keeps
    its value, and null removes one.
    """
    changes = {k: v for k, v in msgspec.structs.asdict(call.body).items() if v is not msgspec.UNSET}
    bounded(changes.get("fields", {}))
    profile.update(
        id_of(call),
        changes,
        expected_version=call.expected_version(),
        role=call.caller.role,
        lookups=field_lookups.of_sight(sight_of(call)),
    )
    return represented(call)
