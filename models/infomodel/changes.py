"""The effects of a new version of a type on the stored values: removing or retyping a used field is refused."""

from __future__ import annotations

from models.infomodel.definition import Entity
from models.kernel.errors import FieldProblem
from models.kernel.storage import database

# Kinds whose values are valid for the other kind as well.
_WIDER = {
    ("text", "long_text"),
    ("email", "text"),
    ("phone", "text"),
    ("url", "text"),
    ("choice", "text"),
    ("duration", "number"),
}
_WAY_OUT = "keep the field with `retired: true` (kept and read only), or clear the values first"


def refusals(old: Entity, new: Entity) -> list[FieldProblem]:
    """List the fields and choices that the new version removes or retypes while values use them, with their count."""
    found = []
    for name, before in old.fields.items():
        after = new.fields.get(name)
        place = f".fields.{name}"
        if after is None or (before.kind != after.kind and (before.kind, after.kind) not in _WIDER):
            if (used := count(old, name)) > 0:
                done = "removed" if after is None else f"retyped from {before.kind} to {after.kind}"
                found.append(
                    FieldProblem(place, f"cannot be {done}: {used} {_things(old)} have a value in it; {_WAY_OUT}")
                )
            continue
        for choice in before.choices.keys() - after.choices.keys():
            if after.kind == before.kind and (used := count(old, name, choice)) > 0:
                told = f"choice {choice} cannot be removed: {used} {_things(old)} have it; keep it, or change those values first"
                found.append(FieldProblem(f"{place}.choices", told))
    return found


def _things(entity: Entity) -> str:
    return "tickets" if entity.type is not None else f"{entity.entity}s"


def count(entity: Entity, field: str, choice: str | None = None) -> int:
    """Count the tickets of the type (requesters, organisations) that have a value in a field, or a choice of it."""
    table = "tickets" if entity.type is not None else f"{entity.entity}s"
    assert field.replace("_", "").isalnum(), "names of fields are words"
    if database.is_postgres():
        value, wanted = "(fields -> CAST(:field AS text))", "to_jsonb(CAST(:choice AS text))"
        where = f"{value} IS NOT NULL" if choice is None else f"({value} = {wanted} OR {value} @> {wanted})"
    else:
        value = "json_extract(fields, '$.' || :field)"
        among = "EXISTS (SELECT 1 FROM json_each(fields, '$.' || :field) AS one WHERE one.value = :choice)"
        where = f"{value} IS NOT NULL" if choice is None else f"({value} = :choice OR {among})"
    values: dict[str, str | None] = {"field": field}
    if entity.type is not None:
        where += " AND type = :type"
        values["type"] = entity.type
    if choice is not None:
        values["choice"] = choice
    row = database.one(f"SELECT count(*) AS found FROM {table} WHERE {where}", values)
    return int(row["found"]) if row else 0
