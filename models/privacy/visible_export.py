"""The export of a person's data as a caller may see it: without hidden tickets and guarded fields."""

from __future__ import annotations

from uuid import UUID

from models.infomodel import published, values
from models.kernel.open_json import JsonObject
from models.tickets.tables import Ticket
from models.visibility import seen
from models.visibility.sight import Sight


def seen_by(exported: JsonObject, sight: Sight) -> JsonObject:
    """The visible part of an export. `scope` is `all`, or `visible_tickets` for a caller who does not see all tickets.

    The histories of tickets are left out then, because they hold the values of guarded fields. The scope depends on the
    caller's permissions only, so it does not tell whether there are hidden tickets.
    """
    if sight.sees_all and sight.role == "admin":
        return {"scope": "all", **exported}
    ids = [UUID(str(one["id"])) for one in exported["tickets"]]
    ids += [UUID(str(one["ticket_id"])) for one in exported["messages"]]
    visible = {str(one.id): one for one in Ticket.select().where(Ticket.id.in_(ids), sight.tickets())} if ids else {}
    messages = {str(one["id"]) for one in exported["messages"] if str(one["ticket_id"]) in visible}

    def is_visible(row: JsonObject) -> bool:
        if row.get("ticket_id") is not None:
            return str(row["ticket_id"]) in visible
        return all(str(row[name]) in messages for name in ("message_id", "first_message_id") if name in row)

    found: JsonObject = {"scope": "all" if sight.sees_all else "visible_tickets"}
    for section, rows in exported.items():
        if section == "history":
            continue
        found[section] = [row for row in rows if is_visible(row)] if isinstance(rows, list) else rows
    concealed = values.hidden(published.entity("requester"), sight.role)
    person = exported["requester"]
    found["requester"] = {**person, "fields": {n: v for n, v in person["fields"].items() if n not in concealed}}
    found["tickets"] = [
        {**row, "fields": seen.fields(visible[str(row["id"])], sight.role)}
        for row in exported["tickets"]
        if str(row["id"]) in visible
    ]
    return found
