"""Two requesters turn out to be one person, or turn out not to be.

What moves is written down row by row, so that an undo moves just that back. What came since goes to whom its address belongs then; what
names no address stays where it is. Commands join the caller's transaction.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.kernel import clock, database
from models.kernel.batch import from_json
from models.kernel.errors import Conflict, NotFound
from models.kernel.ids import new_id

# What belongs to a requester: kind -> (table, column).
_OWNED = {
    "identity": ("identities", "requester_id"),
    "ticket": ("tickets", "requester_id"),
    "message": ("messages", "author_id"),
}


def merge(source_id: UUID, target_id: UUID, *, by: str, reason: str) -> UUID:
    """All that the source has becomes the target's; returns the merge's id, by which it can be undone.

    Raises NotFound, Conflict (the same person, or one who is merged or erased already).
    """
    if source_id == target_id:
        raise Conflict("a requester cannot be merged with themselves")
    # In the order of their ids, so that two merges at once cannot wait for each other.
    for requester_id in sorted((source_id, target_id)):
        row = database.one(
            "SELECT merged_into, erased_at FROM requesters WHERE id = :id FOR_UPDATE", id=requester_id
        )
        if row is None:
            raise NotFound(f"there is no requester {requester_id}")
        if row["merged_into"] is not None or row["erased_at"] is not None:
            raise Conflict(f"requester {requester_id} is merged or erased already")
    merge_id, now = new_id(), clock.now()
    database.execute(
        "INSERT INTO requester_merges (id, source_id, target_id, reason, merged_by, merged_at)"
        " VALUES (:id, :source, :target, :reason, :by, :now)",
        id=merge_id,
        source=source_id,
        target=target_id,
        reason=reason,
        by=by,
        now=now,
    )
    for kind, (table, column) in _OWNED.items():
        conditions = " AND author_kind = 'requester'" if table == "messages" else ""
        names = {"merge": merge_id, "source": source_id, "target": target_id, "kind": kind}
        database.execute(
            f"INSERT INTO requester_merge_rows (merge_id, kind, row_id) SELECT :merge, :kind, id FROM {table}"
            f" WHERE {column} = :source{conditions}",
            names,
        )
        database.execute(f"UPDATE {table} SET {column} = :target WHERE {column} = :source{conditions}", names)
    database.execute(
        "UPDATE requesters SET merged_into = :target, version = version + 1, updated_at = :now WHERE id = :source",
        source=source_id,
        target=target_id,
        now=now,
    )
    database.execute(
        "UPDATE requesters SET version = version + 1, updated_at = :now WHERE id = :target",
        target=target_id,
        now=now,
    )
    return merge_id


def undo(merge_id: UUID, *, by: str) -> None:
    """Give back what moved and is still where it went, and what came since from the addresses that go back.

    Raises NotFound, Conflict when it was undone already.
    """
    row = database.one(
        "UPDATE requester_merges SET undone_by = :by, undone_at = :now WHERE id = :id AND undone_at IS NULL"
        " RETURNING source_id, target_id, merged_at",
        id=merge_id,
        by=by,
        now=clock.now(),
    )
    if row is None:
        known = database.one("SELECT id FROM requester_merges WHERE id = :id", id=merge_id)
        raise Conflict("the merge was undone already") if known else NotFound(f"there is no merge {merge_id}")
    names = {"merge": merge_id, "source": row["source_id"], "target": row["target_id"]}
    held = database.one("SELECT erased_at, merged_into FROM requesters WHERE id = :target FOR_UPDATE", names)
    if held is None or held["erased_at"] is not None:
        raise Conflict("the person was erased since; nothing is left to be given back")
    if held["merged_into"] is not None:
        raise Conflict(f"they were merged into requester {held['merged_into']} since; undo that first")
    for kind, (table, column) in _OWNED.items():
        database.execute(
            f"UPDATE {table} SET {column} = :source WHERE {column} = :target AND id IN"
            f" (SELECT row_id FROM requester_merge_rows WHERE merge_id = :merge AND kind = :kind)",
            names,
            kind=kind,
        )
    _follow_addresses(UUID(str(row["source_id"])), UUID(str(row["target_id"])), row["merged_at"])
    database.execute(
        "UPDATE requesters SET merged_into = NULL, version = version + 1, updated_at = :now WHERE id = :source",
        names,
        now=clock.now(),
    )
    database.execute(
        "UPDATE requesters SET version = version + 1, updated_at = :now WHERE id = :target",
        names,
        now=clock.now(),
    )


def _follow_addresses(source_id: UUID, target_id: UUID, since: Any) -> None:
    """What came since the merge from an address of the source's is the source's: else one person's words stay with another."""
    addresses = {
        (row["channel"], row["address"])
        for row in database.run(
            "SELECT channel, address FROM identities WHERE requester_id = :id", id=source_id
        )
    }
    names = {"target": target_id, "source": source_id, "since": since}
    for ticket in database.run(
        "SELECT id, contact_channel, contact_address FROM tickets WHERE requester_id = :target AND created_at >= :since",
        names,
    ):
        if (ticket["contact_channel"], ticket["contact_address"]) in addresses:
            database.execute(
                "UPDATE tickets SET requester_id = :source WHERE id = :id", names, id=ticket["id"]
            )
    for message in database.run(
        "SELECT m.id, m.channel, m.details, t.requester_id, t.contact_address FROM messages AS m JOIN tickets AS t ON t.id = m.ticket_id"
        " WHERE m.author_kind = 'requester' AND m.author_id = :target AND m.created_at >= :since",
        names,
    ):
        written_from = from_json(message["details"]).get("from") or message["contact_address"]
        if (message["channel"], written_from) in addresses:
            database.execute(
                "UPDATE messages SET author_id = :source WHERE id = :id", names, id=message["id"]
            )


_SELECT = "SELECT id, source_id, target_id, reason, merged_by, merged_at, undone_by, undone_at FROM requester_merges"


def get(merge_id: UUID) -> dict[str, Any]:
    """A merge. Raises NotFound."""
    row = database.one(f"{_SELECT} WHERE id = :id", id=merge_id)
    if row is None:
        raise NotFound(f"there is no merge {merge_id}")
    return _shaped(row)


def of_requester(requester_id: UUID) -> list[dict[str, Any]]:
    """Who was merged into this one, newest first."""
    rows = database.run(f"{_SELECT} WHERE target_id = :id ORDER BY merged_at DESC, id DESC", id=requester_id)
    return [_shaped(row) for row in rows]


def _shaped(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("id", "source_id", "target_id"):
        row[name] = UUID(str(row[name]))
    row["merged_at"], row["undone_at"] = (
        database.instant(row["merged_at"]),
        database.instant(row["undone_at"]),
    )
    return row
