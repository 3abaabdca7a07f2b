"""/v1/requesters: the people who ask, their addresses on all channels, and their right to their data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Comment, Email, Name
from models.channels import accounts
from models.identity.rules import Permission
from models.kernel import database, limits
from models.privacy import export_and_erasure
from models.requesters import codes, links, merging, profile, queries

operations = Operations()

Address = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.email_address_chars_max)]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}(?![\s\S])")]


class Identity(msgspec.Struct):
    """An address on a channel. `suppressed_reason`: why it must not be written to; `blocked_reason`: why nothing is taken from it;
    `verified_by`: link, code, agent, or null when the person simply wrote from it."""

    channel: str
    address: str
    display_name: str | None
    suppressed_reason: str | None
    blocked_reason: str | None
    verified_by: str | None


class Requester(msgspec.Struct):
    """A person who asks."""

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
    """Requesters, and where the next page begins."""

    items: list[Requester]
    next_cursor: str | None


class RequesterQuery(pages.PageQuery, kw_only=True):
    """Which requesters; `q` is part of a name or address."""

    q: Annotated[str, msgspec.Meta(max_length=limits.search_chars_max)] | None = None
    blocked: bool | None = None


class RequesterChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    locale: Language | msgspec.UnsetType | None = msgspec.UNSET
    time_zone: Address | msgspec.UnsetType | None = msgspec.UNSET


class NewIdentity(msgspec.Struct, forbid_unknown_fields=True):
    """An address that an agent knows to be theirs."""

    channel: Literal["email", "telegram", "webhook"]
    address: Address


class IdentityChange(msgspec.Struct, forbid_unknown_fields=True):
    """`blocked`: take nothing from it any more, with the reason; `suppressed: false`: it may be written to again."""

    channel: str
    address: Address
    blocked: bool | msgspec.UnsetType = msgspec.UNSET
    suppressed: Literal[False] | msgspec.UnsetType = msgspec.UNSET
    reason: Comment = ""


class NewMerge(msgspec.Struct, forbid_unknown_fields=True):
    """All that `source_id` has becomes this requester's."""

    source_id: UUID
    reason: Comment = ""


class Merge(msgspec.Struct):
    """Two people who turned out to be one; it can be undone."""

    id: UUID
    source_id: UUID
    target_id: UUID
    reason: str
    merged_by: str
    merged_at: datetime
    undone_by: str | None
    undone_at: datetime | None


class Merges(msgspec.Struct):
    """Newest first."""

    items: list[Merge]


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """A deep link for a chat account; left out, the default one."""

    account: str | None = None


class Link(msgspec.Struct):
    """Who opens it joins their chat to this requester: once, within a day. `url` is null when the account names no bot_username."""

    token: str
    url: str | None
    expires_in_s: int


class NewCode(msgspec.Struct, forbid_unknown_fields=True):
    """A mail address that is to be proved."""

    address: Email
    account: str | None = None


class Code(msgspec.Struct):
    """The code went out; send it back with this id."""

    id: UUID
    expires_in_s: int


class Verification(msgspec.Struct, forbid_unknown_fields=True):
    """The six digits that arrived."""

    digits: Annotated[str, msgspec.Meta(min_length=1, max_length=12)]


def _id(call: AnyCall) -> UUID:
    return pages.id_of(call.params["requester"], "requester")


def _shown(requester_id: UUID, status: int = 200) -> Answer:
    row = queries.get(requester_id)
    return Answer(_requester(row), status=status, headers=show.etag(row["version"]))


def _requester(row: dict[str, Any]) -> Requester:
    identities = [show.copied(Identity, identity) for identity in row["identities"]]
    made = {f: row[f] for f in Requester.__struct_fields__ if f != "identities"}
    return Requester(identities=identities, **made)


@operations.add(
    "GET",
    "/v1/requesters",
    summary="List requesters",
    needs=Permission.tickets_read,
    query=RequesterQuery,
    answers={200: RequesterPage},
)
def list_requesters(call: Call[None, RequesterQuery]) -> Answer:
    """Newest first; those merged into others are left out."""
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
    summary="Read a requester",
    needs=Permission.tickets_read,
    answers={200: Requester},
    problems=(404,),
)
def read_requester(call: Call) -> Answer:
    """With addresses on all channels."""
    return _shown(_id(call))


@operations.add(
    "PATCH",
    "/v1/requesters/{requester}",
    summary="Change a requester",
    needs=Permission.requesters_write,
    body=RequesterChanges,
    answers={200: Requester},
    problems=(404, 409),
    etag=True,
)
def change_requester(call: Call[RequesterChanges]) -> Answer:
    """Name, language, time zone (IANA)."""
    changes = {k: v for k, v in msgspec.structs.asdict(call.body).items() if v is not msgspec.UNSET}
    profile.update(_id(call), changes, expected_version=call.expected_version())
    return _shown(_id(call))


@operations.add(
    "POST",
    "/v1/requesters/{requester}/identities",
    summary="Add an address",
    needs=Permission.requesters_write,
    body=NewIdentity,
    answers={201: Requester},
    problems=(404, 409),
)
def add_identity(call: Call[NewIdentity]) -> Answer:
    """409 when it is somebody else's: merge the two, if they are one person."""
    profile.add_address(_id(call), call.body.channel, call.body.address)
    return _shown(_id(call), 201)


@operations.add(
    "POST",
    "/v1/requesters/{requester}/identity_changes",
    summary="Block or release an address",
    needs=Permission.requesters_write,
    body=IdentityChange,
    answers={200: Requester},
    problems=(404,),
)
def change_identity(call: Call[IdentityChange]) -> Answer:
    """A blocked address's messages are ignored, with the reason in the inbox."""
    body = call.body
    if body.blocked is not msgspec.UNSET:
        reason = (body.reason or f"blocked by {call.caller.name}") if body.blocked else None
        profile.set_blocked(_id(call), body.channel, body.address, reason)
    if body.suppressed is False:
        profile.lift_suppression(_id(call), body.channel, body.address)
    return _shown(_id(call))


@operations.add(
    "POST",
    "/v1/requesters/{requester}/merges",
    summary="Merge another requester into this one",
    needs=Permission.requesters_write,
    body=NewMerge,
    answers={201: Merge},
    problems=(404, 409),
)
def merge_requesters(call: Call[NewMerge]) -> Answer:
    """Addresses, tickets and messages move; each is noted, so that it can be undone."""
    merge_id = merging.merge(call.body.source_id, _id(call), by=call.caller.name, reason=call.body.reason)
    return Answer(show.copied(Merge, merging.get(merge_id)), status=201)


@operations.add(
    "GET",
    "/v1/requesters/{requester}/merges",
    summary="Who was merged into a requester",
    needs=Permission.tickets_read,
    answers={200: Merges},
    problems=(404,),
)
def list_merges(call: Call) -> Answer:
    """Those that were undone, too."""
    queries.get(_id(call))
    return Answer(Merges([show.copied(Merge, row) for row in merging.of_requester(_id(call))]))


@operations.add(
    "DELETE",
    "/v1/requesters/{requester}/merges/{merge}",
    summary="Undo a merge",
    needs=Permission.requesters_write,
    answers={200: Merge},
    problems=(404, 409),
)
def undo_merge(call: Call) -> Answer:
    """What moved then and is still there moves back; what came since stays."""
    merge_id = pages.id_of(call.params["merge"], "merge")
    merging.undo(merge_id, by=call.caller.name)
    return Answer(show.copied(Merge, merging.get(merge_id)))


@operations.add(
    "POST",
    "/v1/requesters/{requester}/links",
    summary="Make a deep link",
    needs=Permission.requesters_write,
    body=NewLink,
    answers={201: Link},
    problems=(404,),
    unlocked=True,
)
def make_link(call: Call[NewLink]) -> Answer:
    """The token is in this answer and nowhere else, so no Idempotency-Key is taken."""

    with database.connection(), database.transaction():
        queries.get(_id(call))
        account = (
            accounts.find("telegram", call.body.account) if call.body.account else accounts.default_for("telegram")
        )
        token = links.make(_id(call), made_by=call.caller.name)
    username = account.config.get("bot_username") if account else None
    url = f"https://t.me/{username}?start={token}" if username else None
    return Answer(Link(token, url, int(limits.link_works_s)), status=201, headers={"Cache-Control": "no-store"})


@operations.add(
    "POST",
    "/v1/requesters/{requester}/codes",
    summary="Mail a code that proves an address",
    needs=Permission.requesters_write,
    body=NewCode,
    answers={201: Code},
    problems=(404, 409),
)
def send_code(call: Call[NewCode]) -> Answer:
    """Six digits to the address; whoever sends them back owns it."""
    account = accounts.find("email", call.body.account) if call.body.account else accounts.require_default("email")
    code_id = codes.send(_id(call), call.body.address, account=account.name)
    return Answer(Code(code_id, int(limits.code_works_s)), status=201)


@operations.add(
    "POST",
    "/v1/requesters/{requester}/codes/{code}/verification",
    summary="Prove an address by its code",
    needs=Permission.requesters_write,
    body=Verification,
    answers={200: Requester},
    problems=(404, 409),
    unlocked=True,
)
def verify_code(call: Call[Verification]) -> Answer:
    """The address becomes the requester's; whoever had it so far is merged into them. A wrong try counts, whatever is answered."""

    with database.connection():
        with database.transaction():
            try:
                codes.verify(_id(call), pages.id_of(call.params["code"], "code"), call.body.digits)
            except codes.WrongCode as wrong:
                refused: codes.WrongCode | None = wrong
            else:
                refused = None
        if refused is not None:
            raise refused
        return _shown(_id(call))


@operations.add(
    "GET",
    "/v1/requesters/{requester}/export",
    summary="All data of a person",
    needs=Permission.requesters_export,
    answers={200: dict[str, Any]},
    problems=(404,),
)
def export_requester(call: Call) -> Answer:
    """Everything that the desk has of them, as one document."""
    headers = {
        "Content-Disposition": f'attachment; filename="requester-{_id(call)}.json"',
        "Cache-Control": "no-store",
    }
    return Answer(export_and_erasure.export(_id(call)), headers=headers)


class Erasure(msgspec.Struct):
    """What was erased."""

    requester_id: UUID
    tickets: int


@operations.add(
    "POST",
    "/v1/requesters/{requester}/erasure",
    summary="Erase a person's data",
    needs=Permission.requesters_erase,
    answers={200: Erasure},
    problems=(404, 409),
)
def erase_requester(call: Call) -> Answer:
    """Who they are and what they wrote goes, for good; that there were tickets stays."""
    return Answer(Erasure(_id(call), export_and_erasure.erase(_id(call), actor=call.caller.actor)))
