"""The values that a filter can name. An unknown value is an error that lists what there is.

A state or a type of an earlier release is still known while a ticket has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, Final

import peewee

from models.channels import accounts
from models.definitions import store
from models.infomodel import published
from models.kernel.errors import FieldProblem
from models.kernel.storage import database
from models.publishing import workflows
from models.teams.tables import Team
from models.ticket_lists import priorities
from models.tickets.tables import Ticket

# -- limits ------------------------------------------------------------------------------------------------------------
listed_max: Final = 40  # names in an error; more would be a page and no message


def _workflows() -> list[str]:
    return [definition.name for definition in store.all_latest("workflow")]


def _of_workflows(names: Callable[[Any], Sequence[str]]) -> list[str]:
    found: dict[str, None] = {}
    for name in _workflows():
        found |= dict.fromkeys(names(workflows.newest(name).definition))
    return list(found)


def _teams() -> list[str]:
    return [row["name"] for row in database.rows(Team.select(Team.name).order_by(Team.name))]


# Filter -> the names in force, and the column that may still have others.
_KNOWN: Final[dict[str, tuple[Callable[[], Sequence[str]], Any]]] = {
    "state": (lambda: _of_workflows(lambda workflow: list(workflow.states)), Ticket.state),
    "type": (lambda: [entity.name for entity in published.all_types()], Ticket.type),
    "priority": (priorities.ranked, Ticket.priority),
    "channel": (lambda: sorted({"api", "portal", *(account.channel for account in accounts.every())}), Ticket.channel),
    "account": (lambda: sorted({account.name for account in accounts.every()}), Ticket.account),
    "workflow": (_workflows, Ticket.workflow),
    "team": (_teams, Ticket.team),
}


def names_of(name: str) -> Sequence[str]:
    """Return the values in force of a filter, such as the states of all life cycles."""
    return _KNOWN[name][0]()


def problems(place: str, name: str, values: Sequence[str]) -> list[FieldProblem]:
    """Return a problem for each value that the filter `name` does not know. `place`: of the filter, for the error."""
    if not values:
        return []
    names, column = _KNOWN[name]
    there_are = names()
    return [
        FieldProblem(f"{place}/{index}", expected(there_are, value))
        for index, value in enumerate(values)
        if value not in there_are and not _is_in_use(column, value)
    ]


def expected(there_are: Sequence[str], found: str) -> str:
    """Return the error for an unknown value: what there is, and the nearest match."""
    shown = ", ".join(there_are[:listed_max]) + (", ..." if len(there_are) > listed_max else "")
    close = get_close_matches(found, there_are, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"expected one of {shown or 'none yet'}, found {found[:60]!r}{hint}"


def _is_in_use(column: Any, value: str) -> bool:
    return bool(database.rows(Ticket.select(peewee.SQL("1 AS one")).where(column == value).limit(1)))
