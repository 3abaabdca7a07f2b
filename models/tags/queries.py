"""Tags with the numbers of their tickets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.kernel.storage import database
from models.tags.tables import Tag
from models.tickets import queries as tickets
from models.visibility.sight import Sight


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag. `tickets`: the number of the visible tickets that have it, without the bin."""

    name: str
    tickets: int
    description: str | None
    colour: str | None


def page(sight: Sight, *, after: str | None, limit: int) -> list[TagCount]:
    """List the tags in use and the described ones, by name."""
    counts = _counts(sight, after=after, limit=limit)
    query = Tag.select()
    if after is not None:
        query = query.where(Tag.name > after)
    described = {row["name"]: row for row in database.rows(query.order_by(Tag.name).limit(limit))}
    missing = [name for name in described if name not in counts]
    names = sorted({*counts, *missing})[:limit]
    details = described | {row["name"]: row for row in _details([name for name in names if name not in described])}
    return [
        TagCount(
            name,
            counts.get(name, 0),
            details[name]["description"] if name in details else None,
            details[name]["colour"] if name in details else None,
        )
        for name in names
    ]


def _details(names: Sequence[str]) -> list[database.Row]:
    return database.rows(Tag.select().where(Tag.name.in_(names))) if names else []


def _counts(sight: Sight, *, after: str | None, limit: int) -> dict[str, int]:
    """Count the tickets of each tag in one pass over the tickets."""
    conditions, values = sight.condition()
    rows = tickets.count_by_tag(conditions, values, after=after or "", limit=limit)
    return {row["name"]: int(row["tickets"]) for row in rows}
