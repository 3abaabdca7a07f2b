"""/v1/requesters/{requester}/export and /erasure: the rights of a person to their data (GDPR, articles 15 and 17)."""

from __future__ import annotations

from uuid import UUID

import msgspec

from functions.gateway.requester.requesters import id_of
from functions.gateway.sights import sight_of
from functions.http.operations import Answer, Call, Cost, Operations
from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.identity.rules import Permission
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.privacy import erasure, export, visible_export
from queues import people_index

operations = Operations()


@operations.add(
    "GET",
    "/v1/requesters/{requester}/export",
    cost=Cost.heavy,
    summary="Export a requester's personal data",
    needs=Permission.requesters_export,
    recent=True,
    answers={200: JsonObject},
    problems=(404,),
)
def export_requester(call: Call) -> Answer:
    """Returns the data of the person as one document. `scope` is `all`, or `visible_tickets` for a caller who does not
    see the tickets of all teams: then others are left out.
    """
    headers = {
        "Content-Disposition": f'attachment; filename="requester-{id_of(call)}.json"',
        "Cache-Control": "no-store",
    }
    with database.transaction():
        people_index.index_waiting()
    exported = visible_export.seen_by(export.export(id_of(call)), sight_of(call))
    audit.record_apart(AuditAction.requester_exported, "requester", id_of(call))
    return Answer(exported, headers=headers)


class Erasure(msgspec.Struct):
    """The result of an erasure."""

    requester_id: UUID
    tickets: int


@operations.add(
    "POST",
    "/v1/requesters/{requester}/erasure",
    summary="Erase a requester's personal data",
    needs=Permission.requesters_erase,
    recent=True,
    answers={200: Erasure},
    problems=(404, 409),
)
def erase_requester(call: Call) -> Answer:
    """Irreversibly deletes identities and message contents. The tickets themselves are kept without them."""
    people_index.index_waiting()
    return Answer(Erasure(id_of(call), erasure.erase(id_of(call), actor=call.caller.actor)))
