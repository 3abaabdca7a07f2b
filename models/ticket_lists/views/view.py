"""A view as a value, and the views that the desk ships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from models.kernel.errors import FieldProblem, Invalid
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.resolving import resolve
from models.ticket_lists.sorts import SORTS
from models.ticket_lists.words import FilterWords
from models.visibility.sight import Sight

Scope = Literal["shipped", "own", "team", "all"]


class StoredFilter(FilterWords, forbid_unknown_fields=True, kw_only=True):
    """The filter of a view: the filters of the list of tickets."""


@dataclass(frozen=True, slots=True)
class View:
    """A view. `key`: its id, or the name of a shipped one. `labels`: names of a shipped view by language."""

    key: str
    name: str
    scope: Scope
    filter: Mapping[str, Any]
    sort: str = "-updated_at"
    columns: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    owner_id: UUID | None = None
    team: str | None = None
    position: int = 0
    version: int = 1
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def wanted(self, sight: Sight) -> TicketFilter:
        """Return the filter for a caller. Raises Invalid if it names something that the desk does not have."""
        try:
            words = msgspec.convert(self.filter, StoredFilter)
        except msgspec.ValidationError as error:
            raise Invalid([FieldProblem("/filter", str(error))]) from error
        found = resolve(words, sight, place="/filter/")
        if self.sort not in SORTS:
            raise Invalid([FieldProblem("/sort", f"expected one of {', '.join(SORTS)}, found {self.sort!r}")])
        return found

    def problem(self, sight: Sight) -> str | None:
        """Return the reason why the view finds nothing any more, or None."""
        try:
            self.wanted(sight)
        except Invalid as refused:
            return "; ".join(f"{one.path}: {one.message}" for one in refused.problems)
        return None


_OPEN: Final = {"category": ["todo", "waiting"]}
# The same tickets. A negation is tested on each ticket of another index, where `_OPEN` would read all open tickets.
_NOT_ENDED: Final = {"not_category": ["done", "closed"]}


def _shipped(key: str, en: str, ru: str, words: Mapping[str, Any], sort: str = "-updated_at") -> View:
    return View(key, en, "shipped", words, sort, labels={"en": en, "ru": ru})


SHIPPED: Final[Mapping[str, View]] = {
    view.key: view
    for view in (
        _shipped("mine", "Mine", "Мои", {"assignee": ["me"], **_OPEN}, "-priority"),
        _shipped("unassigned", "Unassigned", "Без исполнителя", {"assignee": ["none"], **_OPEN}, "created_at"),
        _shipped("unanswered", "Unanswered", "Без ответа", {"unanswered": True, **_NOT_ENDED}, "unanswered_since"),
        _shipped("waiting", "Waiting", "Ожидают", {"category": ["waiting"]}, "-updated_at"),
        _shipped("overdue", "Overdue", "Просрочены", {"breached": True}, "next_due_at"),
        _shipped("failed_sends", "Failed sends", "Не отправлено", {"failed": True, "not_category": ["closed"]}),
        _shipped("snoozed", "Snoozed", "Отложены", {"snoozed": "only"}),
        _shipped("mentions", "Mentions", "Упоминания", {"mentioned": ["me"], **_NOT_ENDED}),
        _shipped(
            "assignee_away",
            "Of people who are away",
            "Отсутствующих",
            {"assignee_away": True, **_NOT_ENDED},
            "-priority",
        ),
        _shipped("all", "All", "Все", {}),
    )
}
