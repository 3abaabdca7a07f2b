"""/v1/organisations: the companies that requesters belong to, and their members."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.gateway.requester.requesters import Requester, RequesterPage, page_of, represented
from functions.gateway.sights import sight_of
from functions.gateway.ticket.tickets import bounded
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Name
from models.identity.rules import Permission
from models.kernel import limits
from models.kernel.errors import NotFound
from models.kernel.open_json import JsonObject
from models.requesters import domains, organisations, person_fields, profile, queries
from models.requesters.row_types import OrganisationRow
from models.ticket_actions import field_lookups

operations = Operations()
Domain = Annotated[str, msgspec.Meta(min_length=1, max_length=domains.domain_chars_max)]
Domains = Annotated[list[Domain], msgspec.Meta(max_length=domains.of_organisation_max)]


class NewOrganisation(msgspec.Struct, forbid_unknown_fields=True):
    """An organisation to create. People who write from one of its mail domains become its members."""

    name: Name
    domains: Domains = []
    fields: JsonObject = {}


class OrganisationChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The properties to change; others keep their values. `domains` is replaced as a whole, `fields` is merged."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    domains: Domains | msgspec.UnsetType = msgspec.UNSET
    fields: JsonObject | msgspec.UnsetType = msgspec.UNSET


class Organisation(msgspec.Struct):
    """A company that requesters belong to. `fields`: facts by the information model, as far as the caller may see
    them.
    """

    id: UUID
    name: str
    domains: list[str]
    fields: JsonObject
    version: int
    created_at: datetime
    updated_at: datetime


class OrganisationPage(msgspec.Struct):
    """A page of organisations."""

    items: list[Organisation]
    next_cursor: str | None


class OrganisationQuery(pages.PageQuery, kw_only=True):
    """Filters for the list of organisations. `q` matches a part of a name or a domain."""

    q: Annotated[str, msgspec.Meta(max_length=limits.search_chars_max)] | None = None


def id_of(call: AnyCall) -> UUID:
    return pages.id_of(call.params["organisation"], "organisation")


def _shown(row: OrganisationRow, role: str) -> Organisation:
    fields = person_fields.seen("organisation", row["fields"], role)
    return Organisation(fields=fields, **show.same_names(Organisation, row, but={"fields"}))


def _represented(call: AnyCall, organisation_id: UUID, status: int = 200, **headers: str) -> Answer:
    row = organisations.get(organisation_id)
    return Answer(_shown(row, call.caller.role), status=status, headers=show.etag(row["version"]) | headers)


@operations.add(
    "POST",
    "/v1/organisations",
    summary="Create an organisation",
    needs=Permission.requesters_write,
    body=NewOrganisation,
    answers={201: Organisation},
    problems=(409,),
)
def create_organisation(call: Call[NewOrganisation]) -> Answer:
    """Requesters with an address of one of the domains become members, if they have no organisation.

    Answers 409 when another organisation has one of the domains.
    """
    body = call.body
    organisation_id = organisations.create(
        body.name.strip(),
        domain_names=body.domains,
        fields=bounded(body.fields),
        role=call.caller.role,
        lookups=field_lookups.of_sight(sight_of(call)),
    )
    return _represented(call, organisation_id, 201, Location=f"/v1/organisations/{organisation_id}")


@operations.add(
    "GET",
    "/v1/organisations",
    summary="List organisations",
    needs=Permission.tickets_read,
    query=OrganisationQuery,
    answers={200: OrganisationPage},
)
def list_organisations(call: Call[None, OrganisationQuery]) -> Answer:
    """Newest first."""
    before = pages.decode(call.query.cursor, "organisations", UUID)
    rows = organisations.page(text=call.query.q, before=before[0] if before else None, limit=call.query.limit + 1)
    page, cursor = pages.cut(rows, call.query.limit, "organisations", lambda row: (row["id"],))
    return Answer(OrganisationPage([_shown(row, call.caller.role) for row in page], cursor))


@operations.add(
    "GET",
    "/v1/organisations/{organisation}",
    summary="Get an organisation",
    needs=Permission.tickets_read,
    answers={200: Organisation},
    problems=(404,),
)
def read_organisation(call: Call) -> Answer:
    """With its mail domains and fields."""
    return _represented(call, id_of(call))


@operations.add(
    "PATCH",
    "/v1/organisations/{organisation}",
    summary="Update an organisation",
    needs=Permission.requesters_write,
    body=OrganisationChanges,
    answers={200: Organisation},
    problems=(404, 409),
    etag=True,
)
def change_organisation(call: Call[OrganisationChanges]) -> Answer:
    """Members keep their organisation when a domain is removed."""
    changes = {k: v for k, v in msgspec.structs.asdict(call.body).items() if v is not msgspec.UNSET}
    bounded(changes.get("fields", {}))
    organisations.update(
        id_of(call),
        changes,
        expected_version=call.expected_version(),
        role=call.caller.role,
        lookups=field_lookups.of_sight(sight_of(call)),
    )
    return _represented(call, id_of(call))


@operations.add(
    "DELETE",
    "/v1/organisations/{organisation}",
    summary="Delete an organisation",
    needs=Permission.requesters_write,
    answers={204: None},
    problems=(404, 409),
)
def delete_organisation(call: Call) -> Answer:
    """Answers 409 while it has members."""
    organisations.delete(id_of(call))
    return Answer(status=204)


@operations.add(
    "GET",
    "/v1/organisations/{organisation}/members",
    summary="List an organisation's members",
    needs=Permission.tickets_read,
    query=pages.PageQuery,
    answers={200: RequesterPage},
    problems=(404,),
)
def list_members(call: Call[None, pages.PageQuery]) -> Answer:
    """Newest first."""
    organisation_id = id_of(call)
    organisations.get(organisation_id)
    return page_of(call, of=f"members:{organisation_id}", organisation_id=organisation_id)


@operations.add(
    "PUT",
    "/v1/organisations/{organisation}/members/{requester}",
    summary="Add a member to an organisation",
    needs=Permission.requesters_write,
    answers={200: Requester},
    problems=(404, 409),
)
def add_member(call: Call) -> Answer:
    """A requester belongs to one organisation: an earlier one loses them."""
    organisation_id = id_of(call)
    organisations.get(organisation_id)
    _set_organisation(call, organisation_id)
    return represented(call)


@operations.add(
    "DELETE",
    "/v1/organisations/{organisation}/members/{requester}",
    summary="Remove a member from an organisation",
    needs=Permission.requesters_write,
    answers={204: None},
    problems=(404, 409),
)
def remove_member(call: Call) -> Answer:
    """The requester has no organisation afterwards."""
    requester_id = pages.id_of(call.params["requester"], "requester")
    if queries.get(requester_id)["organisation_id"] != id_of(call):
        raise NotFound("the organisation has no such member")
    _set_organisation(call, None)
    return Answer(status=204)


def _set_organisation(call: AnyCall, organisation_id: UUID | None) -> None:
    profile.update(
        pages.id_of(call.params["requester"], "requester"),
        {"organisation_id": organisation_id},
        expected_version=None,
        role=call.caller.role,
        lookups=field_lookups.of_sight(sight_of(call)),
    )
