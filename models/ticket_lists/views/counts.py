"""The counts of views, in one statement. Each count ends at its bound, so a view of 90,000 tickets costs as much as one
of a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import peewee

from models.kernel.errors import Invalid
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.ticket_lists.page import bounded
from models.ticket_lists.views.view import View
from models.visibility.sight import Sight

counted_max: Final = 99  # shown as 99+; a person decides nothing by the difference of 4,000 and 4,100


def of(views: Sequence[View], sight: Sight) -> dict[str, int | None]:
    """Return the number of visible tickets of each view by its key, at most `counted_max` + 1.

    None: the filter of the view names something that the desk does not have.
    """
    found: dict[str, int | None] = {}
    counted: JsonObject = {}
    for view in views:
        try:
            tickets = bounded(view.wanted(sight), sight=sight, most=counted_max)
        except Invalid:
            found[view.key] = None
            continue
        rows = tickets.alias("tickets_of_view")
        counted[view.key] = peewee.Select((rows,), (peewee.fn.COUNT(peewee.SQL("*")),))
    if counted:
        columns = [query.alias(f"count_{index}") for index, query in enumerate(counted.values())]
        [row] = database.rows(peewee.Select(None, columns).bind(database.proxy.obj))
        found |= {key: int(row[f"count_{index}"]) for index, key in enumerate(counted)}
    return {view.key: found[view.key] for view in views}
