"""/v1/requesters/{requester}/merges: merge two requesters into one, and undo it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from functions.gateway.requester.requesters import id_of
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Comment
from models.identity.rules import Permission
from models.requesters import merging, queries

operations = Operations()


class NewMerge(msgspec.Struct, forbid_unknown_fields=True):
    """The requester to merge into this one."""

    source_id: UUID
    reason: Comment = ""


class Merge(msgspec.Struct):
    """A merge of two requesters. It can be undone."""

    id: UUID
    source_id: UUID
    target_id: UUID
    reason: str
    merged_by: str
    merged_at: datetime
    undone_by: str | None
    undone_at: datetime | None


class Merges(msgspec.Struct):
    """Merges, newest first."""

    items: list[Merge]


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
    """Moves addresses, tickets and messages. Each move is recorded so that the merge can be undone."""
    merge_id = merging.merge(call.body.source_id, id_of(call), by=call.caller.name, reason=call.body.reason)
    return Answer(show.copied(Merge, merging.get(merge_id)), status=201)


@operations.add(
    "GET",
    "/v1/requesters/{requester}/merges",
    summary="List a requester's merges",
    needs=Permission.tickets_read,
    answers={200: Merges},
    problems=(404,),
)
def list_merges(call: Call) -> Answer:
    """Newest first, including undone merges."""
    queries.get(id_of(call))
    return Answer(Merges([show.copied(Merge, row) for row in merging.of_requester(id_of(call))]))


@operations.add(
    "DELETE",
    "/v1/requesters/{requester}/merges/{merge}",
    summary="Undo a merge",
    needs=Permission.requesters_write,
    answers={200: Merge},
    problems=(404, 409),
)
def undo_merge(call: Call) -> Answer:
    """Moves back the addresses, tickets and messages that the merge moved. Later ones stay."""
    merge_id = pages.id_of(call.params["merge"], "merge")
    merging.undo(merge_id, by=call.caller.name)
    return Answer(show.copied(Merge, merging.get(merge_id)))
