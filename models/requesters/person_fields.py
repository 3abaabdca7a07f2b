"""The fields of requesters and organisations, by the information model. Without a model, any fields are taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from models.infomodel import open_fields, published, values
from models.infomodel.normal_form import Lookups
from models.kernel.errors import Invalid
from models.kernel.open_json import JsonObject

Kind = Literal["requester", "organisation"]
KINDS: tuple[Kind, ...] = ("requester", "organisation")


def changed(
    kind: Kind,
    before: Mapping[str, Any],
    wanted: Mapping[str, Any],
    *,
    role: str,
    lookups: Lookups,
    fresh: bool = False,
) -> JsonObject:
    """Return all fields after some were set; null removes a value. `fresh`: of somebody new. Raises Invalid."""
    entity = published.entity(kind)
    if entity is None:
        removed = {name for name, value in wanted.items() if value is None}
        after = {name: value for name, value in {**before, **wanted}.items() if name not in removed}
        if found := open_fields.problems(after, before=before, wanted=wanted):
            raise Invalid(found)
        return after
    complete = fresh and role != "automation"
    known = values.known_or(entity, before, lookups)
    return values.validated(
        entity,
        wanted,
        before=before,
        role=role,
        view=None,
        complete=complete,
        fresh=fresh,
        people=known.people,
        tickets=known.tickets,
    )


def view(kind: Kind, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields as conditions read them."""
    return values.view_values(published.entity(kind), fields)


def seen(kind: Kind, fields: Mapping[str, Any], role: str) -> JsonObject:
    """Return the fields that a role may see."""
    return values.visible(published.entity(kind), fields, role)


def searchable(kind: Kind, role: str) -> list[str]:
    """Return the names of the searchable fields that a role may see."""
    entity = published.entity(kind)
    if entity is None:
        return []
    return [name for name, field in entity.fields.items() if field.searchable and values.sees(field, role)]
