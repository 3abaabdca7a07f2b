"""Links of a merged ticket, which its target takes over. Commands join the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.ticket_workflow import links
from models.ticket_workflow.tables import TicketLink
from models.visibility.sight import Sight


def move(source_id: UUID, target_id: UUID, sight: Sight) -> JsonObject:
    """Let the target take over the links of the source; return the record for the undo.

    A link between the two ends. A link that would close a circle of parents or blocks over tickets of the caller's
    `sight` stays with the source.
    """
    touching = (TicketLink.from_id == source_id) | (TicketLink.to_id == source_id)
    removed, added = [], []
    for row in database.rows(TicketLink.select().where(touching).order_by(TicketLink.created_at)):
        from_id, to_id = (target_id if one == source_id else one for one in (row["from_id"], row["to_id"]))
        if from_id != to_id and links.closes_circle(from_id, to_id, row["kind"], sight):
            continue
        _delete(row["from_id"], row["to_id"], row["kind"])
        removed.append([str(row["from_id"]), str(row["to_id"]), row["kind"], row["created_at"]])
        if from_id != to_id and _insert(from_id, to_id, row["kind"], row["created_at"]):
            added.append([str(from_id), str(to_id), row["kind"]])
    return {"removed": removed, "added": added}


def take_back(record: JsonObject) -> None:
    """Restore the links that a merge moved."""
    for from_id, to_id, kind in record["added"]:
        _delete(from_id, to_id, kind)
    for from_id, to_id, kind, created_at in record["removed"]:
        _insert(from_id, to_id, kind, TicketLink.converted({"created_at": created_at})["created_at"])


def _delete(from_id: UUID, to_id: UUID, kind: str) -> None:
    TicketLink.delete().where(
        TicketLink.from_id == from_id, TicketLink.to_id == to_id, TicketLink.kind == kind
    ).execute()


def _insert(from_id: UUID, to_id: UUID, kind: str, created_at: datetime) -> bool:
    made = TicketLink.insert(from_id=from_id, to_id=to_id, kind=kind, created_at=created_at)
    return bool(made.on_conflict_ignore().as_rowcount().execute())
