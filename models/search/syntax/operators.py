"""The operators of queries. Each becomes the words of a list's filter, so a search and a list filter in one way.

    state: category: type: priority: channel: account: workflow: team: tag: assignee:   values, separated by commas
    from: follower: mentioned:                                                           people
    created: updated: last_message: due:                                                 times
    is: has:                                                                             facts
    field.<name>:                                                                        values of a field

Times: `2026-01-31` (that day), `2026-01-01..2026-02-01`, `>2026-01-31`, and distances: `created:<2h` less than
two hours ago, `updated:>2d` more than two days ago, `due:<1h` in less than an hour or overdue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

import peewee

from models.identity import queries as identity
from models.kernel import names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.ids import parse_id
from models.kernel.open_json import JsonObject
from models.requesters.tables import Identity, Requester
from models.search.syntax.lexing import OperatorPiece
from models.search.syntax.tree import Operator
from models.ticket_lists import conditions, known
from models.ticket_lists.filters import TicketFilter
from models.ticket_lists.resolving import resolve
from models.ticket_lists.words import Category, FilterWords
from models.tickets.tables import Ticket
from models.visibility.sight import Sight

values_max = 20  # of one operator; a longer list is a mistake
_PLACE: Final = "?q"

# Operator -> the filter of lists that has its values.
_NAMED: Final = {
    "state": "state",
    "category": "category",
    "type": "type",
    "priority": "priority",
    "channel": "channel",
    "account": "account",
    "workflow": "workflow",
    "team": "team",
    "tag": "any_tag",
    "assignee": "assignee",
    "follower": "follower",
    "mentioned": "mentioned",
}
_TIMES: Final = ("created", "updated", "last_message", "due")
_FACTS: Final[dict[str, JsonObject]] = {
    "unanswered": {"unanswered": True},
    "answered": {"unanswered": False},
    "failed": {"failed": True},
    "breached": {"breached": True},
    "snoozed": {"snoozed": "only"},
    "deleted": {"bin": "deleted"},
    "spam": {"bin": "spam"},
    "unassigned": {"assignee": ["none"]},
    "assigned": {"not_assignee": ["none"]},
    "mine": {"assignee": ["me"]},
    "assignee_away": {"assignee_away": True},
    "open": {"category": ["todo", "waiting"]},
    "unread": {"unread": True},
    **{category: {"category": [category]} for category in get_args(Category)},
}
_HAS: Final[dict[str, JsonObject]] = {"file": {"has_file": True}}
_FIELD: Final = "field."
NAMES: Final = (*_NAMED, "from", *_TIMES, "is", "has", "field.<name>")

_DISTANCE: Final = re.compile(r"(\d{1,4})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_COMPARED: Final = re.compile(r"(<=|>=|<|>)(.+)")
_EXPECTED_TIME: Final = (
    "expected a time such as 2026-01-31, 2026-01-01..2026-02-01, >2026-01-31, or a distance such as <2h or >3d"
)


@dataclass(slots=True)
class Operators:
    """The operators of one query of a caller. `zone`: of dates; `now`: of distances."""

    sight: Sight
    zone: ZoneInfo
    now: datetime
    _conditions: dict[Operator, Any] = field(default_factory=dict)
    # The words `is:` of the query, which decide whether hidden tickets are searched.
    _shown: set[str] = field(default_factory=set)

    def check(self, piece: OperatorPiece) -> Operator:
        """Return an operator with its values. Raises Invalid for an unknown operator or value, with a near match."""
        node = Operator(piece.name, piece.values)
        if not node.values:
            raise _invalid(node.name, "expected a value after the colon")
        if len(node.values) > values_max:
            raise _invalid(node.name, f"expected at most {values_max} values")
        if node not in self._conditions:
            self._conditions[node] = self._condition(node)
        return node

    def condition(self, node: Operator) -> Any:
        """Return the condition of a checked operator over Ticket."""
        return self._conditions[node]

    def widened(self, wanted: TicketFilter) -> TicketFilter:
        """Return the filter of a search, which hides snoozed tickets and the bin unless the query asks for them."""
        if "snoozed" in self._shown:
            wanted = replace(wanted, snoozed="any")
        return replace(wanted, bin="any") if self._shown & {"deleted", "spam"} else wanted

    def _condition(self, node: Operator) -> Any:
        if node.name in _NAMED:
            return self._filtered(node.name, {_NAMED[node.name]: list(self._names(node))})
        if node.name.startswith(_FIELD):
            return self._filtered(node.name, {"field": {node.name.removeprefix(_FIELD): list(node.values)}})
        if node.name == "from":
            return _any([self._from(value) for value in node.values])
        if node.name in _TIMES:
            return _any([self._time(node.name, value) for value in node.values])
        for name, facts in (("is", _FACTS), ("has", _HAS)):
            if node.name == name:
                self._shown |= set(node.values)
                return _any([self._fact(name, value, facts) for value in node.values])
        raise _invalid("", known.expected(NAMES, node.name).replace("expected one of", "expected one of the operators"))

    def _names(self, node: Operator) -> Sequence[str]:
        if node.name == "category":
            for value in node.values:
                if value not in get_args(Category):
                    raise _invalid(node.name, known.expected(get_args(Category), value))
        if node.name in ("assignee", "follower", "mentioned"):
            return [self._user(node.name, value) for value in node.values]
        if node.name == "tag":
            return [names.folded(value) for value in node.values]
        return node.values

    def _user(self, name: str, value: str) -> str:
        """`me`, `none`, or the id of a user by id or e-mail address."""
        if value in ("me", "none") or parse_id(value) is not None:
            return value
        user = identity.find_by_email(value) if "@" in value else None
        if user is None:
            raise _invalid(name, f"expected me, none, or a user's id or e-mail address, found {value[:60]!r}")
        return str(user.id)

    def _fact(self, name: str, value: str, facts: dict[str, JsonObject]) -> Any:
        if value not in facts:
            raise _invalid(name, known.expected(tuple(facts), value))
        return self._filtered(name, facts[value])

    def _from(self, value: str) -> Any:
        """The requester by address, by id, or by a part of the name."""
        if (requester_id := parse_id(value)) is not None:
            return Ticket.requester_id == requester_id
        if "@" in value:
            return self._filtered("from", {"requester_address": [value]})
        # ILIKE of PostgreSQL, and SQLite's LIKE with the program's folding.
        named = Requester.select(Requester.id).where(Requester.name.contains(value))
        owned = Identity.select(Identity.requester_id).where(Identity.address == value)
        return Ticket.requester_id.in_(named) | Ticket.requester_id.in_(owned)

    def _time(self, name: str, value: str) -> Any:
        columns: Mapping[str, Any] = {
            "created": Ticket.created_at,
            "updated": Ticket.updated_at,
            "last_message": Ticket.last_message_at,
            "due": Ticket.next_due_at,
        }
        column = columns[name]
        since, until = self._period(name, value)
        bounds = [column.is_null(False)]
        if since is not None:
            bounds.append(column >= since)
        if until is not None:
            bounds.append(column < until)
        return _all(bounds)

    def _period(self, name: str, value: str) -> tuple[datetime | None, datetime | None]:
        """The instants from the first up to the second, which is left out."""
        if ".." in value:
            first, last = value.split("..", 1)
            begin = self._day(name, first)[0] if first else None
            return begin, self._day(name, last)[1] if last else None
        found = _COMPARED.fullmatch(value)
        sign, operand = (found[1], found[2]) if found else ("", value)
        if (distance := _DISTANCE.fullmatch(operand)) is not None:
            span = timedelta(**{_UNITS[distance[2]]: int(distance[1])})
            at = self._shifted(name, span if name == "due" else -span)
            # Near is less than the distance: after the instant for the past, before it for what is due.
            is_near = sign.startswith("<") or not sign
            return (None, at) if is_near == (name == "due") else (at, None)
        begin, end = self._day(name, operand)
        return {"": (begin, end), ">": (end, None), ">=": (begin, None), "<": (None, begin), "<=": (None, end)}[sign]

    def _shifted(self, name: str, span: timedelta) -> datetime:
        try:
            return self.now + span
        except OverflowError as error:
            raise _invalid(name, _EXPECTED_TIME) from error

    def _day(self, name: str, text: str) -> tuple[datetime, datetime]:
        """The beginning and the end of a date, or an instant twice."""
        try:
            if len(text) == len("2026-01-31"):
                day = date.fromisoformat(text)
                following = day + timedelta(days=1)
                begin, end = (datetime(one.year, one.month, one.day, tzinfo=self.zone) for one in (day, following))
                return begin.astimezone(UTC), end.astimezone(UTC)
            at = datetime.fromisoformat(text.upper())
            at = at.replace(tzinfo=at.tzinfo or self.zone).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise _invalid(name, _EXPECTED_TIME) from error
        return at, at

    def _filtered(self, name: str, words: JsonObject) -> Any:
        """The condition of a filter's words. Snoozes and the bin are left to the filter of the whole query."""
        everywhere: JsonObject = {"snoozed": "any", "bin": "any"}
        try:
            wanted = resolve(FilterWords(**everywhere | words), self.sight)
        except Invalid as error:
            raise _invalid(name, error.problems[0].message) from error
        return _all(conditions.of(wanted))


def _invalid(name: str, message: str) -> Invalid:
    return Invalid([FieldProblem(_PLACE, f"{name}: {message}" if name else message)])


def _all(found: Sequence[Any]) -> Any:
    return peewee.NodeList(found, glue=" AND ", parens=True)


def _any(found: Sequence[Any]) -> Any:
    return peewee.NodeList(found, glue=" OR ", parens=True) if found else peewee.SQL("1 = 0")


Check = Callable[[OperatorPiece], Operator]
