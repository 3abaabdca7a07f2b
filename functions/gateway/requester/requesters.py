"""/v1/requesters: the people who ask for help."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import LANGUAGE_TAG, Name
from models.identity.rules import Permission
from models.kernel import limits
from models.requesters import profile, queries
from models.requesters.row_types import RequesterRow

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


class Requester(msgspec.Struct):
    """A person who asks for help."""

    id: UUID
    name: str
    locale: str | None
    time_zone: str | None
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
    """Filters for the list of requesters. `q` matches a part of a name or address."""

    q: Annotated[str, msgspec.Meta(max_length=limits.search_chars_max)] | None = None
    blocked: bool | None = None


class RequesterChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The properties to change; others keep their values."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    locale: Language | msgspec.UnsetType | None = msgspec.UNSET
    time_zone: Address | msgspec.UnsetType | None = msgspec.UNSET


def id_of(call: AnyCall) -> UUID:
    return pages.id_of(call.params["requester"], "requester")


def represented(requester_id: UUID, status: int = 200) -> Answer:
    row = queries.get(requester_id)
    return Answer(_requester(row), status=status, headers=show.etag(row["version"]))


def _requester(row: RequesterRow) -> Requester:
    identities = [show.copied(Identity, identity) for identity in row["identities"]]
    return Requester(identities=identities, **show.same_names(Requester, row, but={"identities"}))


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
    before = pages.decode(call.query.cursor, "requesters", UUID)
    rows = queries.page(
        text=call.query.q,
        blocked=call.query.blocked,
        before=before[0] if before else None,
        limit=call.query.limit + 1,
    )
    page, cursor = pages.cut(rows, call.query.limit, "requesters", lambda row: (row["id"],))
    return Answer(RequesterPage([_requester(row) for row in page], cursor))


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
    return represented(id_of(call))


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
    """Name, language and IANA time zone."""
    changes = {k: v for k, v in msgspec.structs.asdict(call.body).items() if v is not msgspec.UNSET}
    profile.update(id_of(call), changes, expected_version=call.expected_version())
    return represented(id_of(call))
