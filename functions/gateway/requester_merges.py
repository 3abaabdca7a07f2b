"""/v1/requesters/{requester}/merges: merge two requesters into one, and undo it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from functions.gateway.requesters import id_of
from functions.http.operations import Answer, Call, Operations
from functions.views import pages
from functions.views import representations as show
from functions.views.texts import Comment
from models.identity.rules import Permission
from models.requesters import merging, queries

operations = Operations()


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
    merge_id = merging.merge(call.body.source_id, id_of(call), by=call.caller.name, reason=call.body.reason)
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
    """What moved then and is still there moves back; what came since stays."""
    merge_id = pages.id_of(call.params["merge"], "merge")
    merging.undo(merge_id, by=call.caller.name)
    return Answer(show.copied(Merge, merging.get(merge_id)))
