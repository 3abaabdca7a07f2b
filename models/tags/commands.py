"""Describe, rename, merge and delete tags. Commands join the caller's transaction."""

from __future__ import annotations

from uuid import UUID

import peewee

from models.audit import entries as audit
from models.audit.actions import AuditAction
from models.bulk import jobs
from models.bulk.jobs import BulkJob
from models.identity.rules import Principal
from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database
from models.tags.tables import Tag
from models.ticket_lists import conditions
from models.ticket_lists.filters import TicketFilter
from models.tickets.tables import Ticket
from models.visibility.sight import Sight, sees_every_team

tickets_max = 100_000  # of one change of a tag; ten minutes of one worker


def describe(name: str, *, description: str | None, colour: str | None) -> None:
    """Store the description and the colour of a tag. Without both, the tag has no row."""
    if description is None and colour is None:
        Tag.delete().where(Tag.name == name).execute()
    else:
        database.execute(
            "INSERT INTO tags (name, description, colour, updated_at) VALUES (:name, :description, :colour, :now)"
            " ON CONFLICT (name) DO UPDATE SET description = excluded.description, colour = excluded.colour,"
            " updated_at = excluded.updated_at",
            name=name,
            description=description,
            colour=colour,
            now=clock.now(),
        )
    audit.record(AuditAction.tag_updated, "tag", name)


def rename(name: str, to: str, *, caller: Principal) -> BulkJob:
    """Give another name to a tag on every ticket that the caller sees. A tag that exists already is merged with it.

    The other tag gets the description unless it has one. The tag loses its description if the caller sees every team
    (see `_drop_description`). Raises Invalid, TooManyBulkChanges.
    """
    if name == to:
        raise Invalid([FieldProblem("/to", "expected another name")])
    described = Tag.select(peewee.Value(to), Tag.description, Tag.colour, peewee.Value(clock.now()))
    columns = [Tag.name, Tag.description, Tag.colour, Tag.updated_at]
    Tag.insert_from(described.where(Tag.name == name), columns).on_conflict_ignore().execute()
    _drop_description(name, caller)
    audit.record(AuditAction.tag_renamed, "tag", name, after={"to": to})
    return _change_all(name, add=[to], caller=caller)


def delete(name: str, *, caller: Principal) -> BulkJob:
    """Remove a tag from every ticket that the caller sees. The tag loses its description if the caller sees every team.

    Raises TooManyBulkChanges.
    """
    _drop_description(name, caller)
    audit.record(AuditAction.tag_deleted, "tag", name)
    return _change_all(name, add=[], caller=caller)


def _drop_description(name: str, caller: Principal) -> None:
    """Remove the description of a tag, unless a team hides its tickets from the caller.

    The tag stays on hidden tickets, whose team still reads the description. The condition does not depend on these
    tickets, because the caller would learn whether one has the tag.
    """
    if sees_every_team(Sight.of(caller)):
        Tag.delete().where(Tag.name == name).execute()


def _change_all(name: str, *, add: list[str], caller: Principal) -> BulkJob:
    act = {"act": "change", "arguments": {"tags": {"add": add, "remove": [name]}}}
    return jobs.begin("tag", [act], _with_tag(name, Sight.of(caller)), caller=caller, source={"tag": [name]})


def _with_tag(name: str, sight: Sight) -> list[UUID]:
    """Return the ids of the visible tickets with a tag, in their order, also of snoozed and closed ones."""
    wanted = TicketFilter(tags=[name], snoozed="any")
    query = Ticket.select(Ticket.id).where(*conditions.of(wanted), sight.tickets()).order_by(Ticket.id)
    found = [row["id"] for row in database.rows(query.limit(tickets_max + 1))]
    if len(found) > tickets_max:
        raise Invalid([FieldProblem("", f"expected at most {tickets_max} tickets with the tag, found more")])
    return found
