"""Notices: what life cycles tell agents, and the desk its admins; each on their own list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models.kernel import clock, database
from models.kernel.errors import NotFound


def of_user(user_id: UUID, *, unread: bool, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """A user's notices, newest first, before a notice's id."""
    where = [
        "n.user_id = :user",
        *(["n.read_at IS NULL"] if unread else []),
        *(["n.id < :before"] if before else []),
    ]
    conditions = " AND ".join(where)
    rows = database.run(
        "SELECT n.id, n.ticket_id, t.number AS ticket_number, n.rule, n.text, n.created_at, n.read_at FROM notices AS n"
        f" LEFT JOIN tickets AS t ON t.id = n.ticket_id WHERE {conditions} ORDER BY n.id DESC LIMIT :limit",
        {"user": user_id, "limit": limit} | ({"before": before} if before else {}),
    )
    for row in rows:
        row["created_at"], row["read_at"] = (
            database.instant(row["created_at"]),
            database.instant(row["read_at"]),
        )
    return rows


def mark_read(notice_id: UUID, *, user_id: UUID) -> None:
    """Note that its reader has read it; joins the caller's transaction. Raises NotFound, also for another's notice."""
    done = database.execute(
        "UPDATE notices SET read_at = COALESCE(read_at, :now) WHERE id = :id AND user_id = :user",
        now=clock.now(),
        id=notice_id,
        user=user_id,
    ).rowcount
    if not done:
        raise NotFound(f"there is no notice {notice_id}")
