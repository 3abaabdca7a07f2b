"""The merge of two requesters who are one person, and its undo.

A merge records every row that it moves, so an undo moves exactly these rows back. Messages that arrived after the merge
go to the owner of their address. Rows without an address stay with the target. Commands join the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.events.people_payloads import RequesterMergeUndone, RequestersMerged
from models.kernel import clock
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.kernel.storage.batch import from_json
from models.kernel.storage.table import first, for_update
from models.requesters import people_events
from models.requesters.row_types import MergeRow
from models.requesters.tables import Identity, Requester, RequesterMerge

# The rows that belong to a requester: kind -> (table, column). The tables belong to other areas, so strings name them.
_OWNED = {
    "identity": ("identities", "requester_id"),
    "ticket": ("tickets", "requester_id"),
    "message": ("messages", "author_id"),
}
# Properties that a merge takes from the source if the target has none. Fields are filled one by one.
_FILLED = ("locale", "time_zone", "organisation_id")


def merge(source_id: UUID, target_id: UUID, *, by: str, reason: str) -> UUID:
    """Move all rows of the source to the target, and fill the gaps of its properties and fields from the source.

    Returns the merge's id, which `undo` takes.

    Raises NotFound, and Conflict for the same requester or one who is merged or erased already.
    """
    if source_id == target_id:
        raise Conflict("a requester cannot be merged with themselves")
    # Rows are locked in the order of their ids, so two concurrent merges cannot deadlock.
    rows: dict[UUID, JsonObject] = {}
    for requester_id in sorted((source_id, target_id)):
        row = first(for_update(Requester.select().where(Requester.id == requester_id)))
        if row is None:
            raise NotFound(f"there is no requester {requester_id}")
        if row["merged_into"] is not None or row["erased_at"] is not None:
            raise Conflict(f"requester {requester_id} is merged or erased already")
        rows[requester_id] = row
    merge_id, now = new_id(), clock.now()
    RequesterMerge.insert(
        id=merge_id, source_id=source_id, target_id=target_id, reason=reason, merged_by=by, merged_at=now
    ).execute()
    for kind, (table, column) in _OWNED.items():
        conditions = " AND author_kind = 'requester'" if table == "messages" else ""
        names = {"merge": merge_id, "source": source_id, "target": target_id, "kind": kind}
        database.execute(
            f"INSERT INTO requester_merge_rows (merge_id, kind, row_id) SELECT :merge, :kind, id FROM {table}"
            f" WHERE {column} = :source{conditions}",
            names,
        )
        database.execute(f"UPDATE {table} SET {column} = :target WHERE {column} = :source{conditions}", names)
    filled = _fill_gaps(rows[source_id], rows[target_id])
    RequesterMerge.update(filled=filled).where(RequesterMerge.id == merge_id).execute()
    _set_merged_into(source_id, target_id)
    _touch(target_id)
    people_events.record("requester", target_id, RequestersMerged(merge_id=merge_id, source_id=source_id))
    audit.record(AuditAction.requesters_merged, "requester", target_id, after={"merge": merge_id, "source": source_id})
    return merge_id


def _fill_gaps(source: Mapping[str, Any], target: Mapping[str, Any]) -> JsonObject:
    """Give the target the properties and fields that only the source has; return them. The target's own values stay."""
    filled: JsonObject = {name: source[name] for name in _FILLED if target[name] is None and source[name] is not None}
    missing = {
        name: value
        for name, value in source["fields"].items()
        if value is not None and target["fields"].get(name) is None
    }
    changes = dict(filled)
    if missing:
        filled["fields"], changes["fields"] = missing, {**target["fields"], **missing}
    if changes:
        Requester.update(changes).where(Requester.id == target["id"]).execute()
    return filled


def _empty_gaps(target: Mapping[str, Any], filled: Mapping[str, Any]) -> None:
    """Take the values of a merge from the target again, except those that somebody changed since."""
    changes: JsonObject = {name: None for name in _FILLED if name in filled and str(target[name]) == str(filled[name])}
    given = filled.get("fields", {})
    kept = {name: value for name, value in target["fields"].items() if name not in given or value != given[name]}
    if kept != target["fields"]:
        changes["fields"] = kept
    if changes:
        Requester.update(changes).where(Requester.id == target["id"]).execute()


def _set_merged_into(source_id: UUID, target_id: UUID | None) -> None:
    changes = {Requester.merged_into: target_id, **_touched()}
    Requester.update(changes).where(Requester.id == source_id).execute()


def _touch(requester_id: UUID) -> None:
    Requester.update(_touched()).where(Requester.id == requester_id).execute()


def _touched() -> dict[Any, Any]:
    return {Requester.version: Requester.version + 1, Requester.updated_at: clock.now()}


def undo(merge_id: UUID, *, by: str) -> None:
    """Move the rows of a merge back if they still belong to the target. Later messages from the returned addresses move
    as well.

    Raises NotFound, and Conflict when the merge is undone already.
    """
    row = first(for_update(RequesterMerge.select().where(RequesterMerge.id == merge_id)))
    if row is None:
        raise NotFound(f"there is no merge {merge_id}")
    if row["undone_at"] is not None:
        raise Conflict("the merge was undone already")
    RequesterMerge.update(undone_by=by, undone_at=clock.now()).where(RequesterMerge.id == merge_id).execute()
    source_id, target_id = row["source_id"], row["target_id"]
    target = first(for_update(Requester.select().where(Requester.id == target_id)))
    if target is None or target["erased_at"] is not None:
        raise Conflict("the person was erased since; nothing is left to be given back")
    if target["merged_into"] is not None:
        raise Conflict(f"they were merged into requester {target['merged_into']} since; undo that first")
    names = {"merge": merge_id, "source": source_id, "target": target_id}
    for kind, (table, column) in _OWNED.items():
        database.execute(
            f"UPDATE {table} SET {column} = :source WHERE {column} = :target AND id IN"
            " (SELECT row_id FROM requester_merge_rows WHERE merge_id = :merge AND kind = :kind)",
            names,
            kind=kind,
        )
    _follow_addresses(source_id, target_id, row["merged_at"])
    _empty_gaps(target, row["filled"])
    _set_merged_into(source_id, None)
    _touch(target_id)
    people_events.record("requester", target_id, RequesterMergeUndone(merge_id=merge_id, source_id=source_id))
    audit.record(
        AuditAction.requester_merge_undone, "requester", target_id, after={"merge": merge_id, "source": source_id}
    )


def _follow_addresses(source_id: UUID, target_id: UUID, since: Any) -> None:
    """Move later tickets and messages from the source's addresses to the source. Otherwise, one person's texts would
    stay with another person.
    """
    owned = Identity.select(Identity.channel, Identity.address).where(Identity.requester_id == source_id)
    addresses = set(owned.tuples())
    names = {"target": target_id, "source": source_id, "since": since}
    for ticket in database.run(
        "SELECT id, contact_channel, contact_address FROM tickets WHERE requester_id = :target AND created_at >="
        " :since",
        names,
    ):
        if (ticket["contact_channel"], ticket["contact_address"]) in addresses:
            database.execute("UPDATE tickets SET requester_id = :source WHERE id = :id", names, id=ticket["id"])
    for message in database.run(
        "SELECT m.id, m.channel, m.details, t.requester_id, t.contact_address FROM messages AS m JOIN tickets AS t"
        " ON t.id = m.ticket_id"
        " WHERE m.author_kind = 'requester' AND m.author_id = :target AND m.created_at >= :since",
        names,
    ):
        written_from = from_json(message["details"]).get("from") or message["contact_address"]
        if (message["channel"], written_from) in addresses:
            database.execute("UPDATE messages SET author_id = :source WHERE id = :id", names, id=message["id"])


def get(merge_id: UUID) -> MergeRow:
    """Read a merge. Raises NotFound."""
    for row in database.rows_as(MergeRow, RequesterMerge.select().where(RequesterMerge.id == merge_id)):
        return row
    raise NotFound(f"there is no merge {merge_id}")


def of_requester(requester_id: UUID) -> list[MergeRow]:
    """List the merges into a requester, newest first."""
    merges = RequesterMerge.select().where(RequesterMerge.target_id == requester_id)
    return database.rows_as(MergeRow, merges.order_by(RequesterMerge.merged_at.desc(), RequesterMerge.id.desc()))
