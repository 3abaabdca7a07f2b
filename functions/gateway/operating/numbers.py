"""/v1/numbers: the numbers of the desk as JSON and CSV, each with its computation in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from functions.gateway.sights import sight_of
from functions.http.bodies import explain_pattern
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views import pages
from functions.views.texts import Word
from models.definitions import desk
from models.identity import colleagues
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.ids import parse_id
from models.kernel.open_json import JsonObject
from models.numbers import lines, queries, rated
from models.numbers.catalogue import NUMBERS, By, Number

operations = Operations()

_days_default = 30  # a month, both ends included
_DAY_PATTERN = explain_pattern(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\s\S])", "expected a day such as 2026-01-31")
Day = Annotated[str, msgspec.Meta(pattern=_DAY_PATTERN, description="A day in the zone of the desk, included.")]


class NumberDescribed(msgspec.Struct):
    """A number. `by`: the properties to group it by. `how`: its computation."""

    name: str
    unit: str
    by: list[str]
    how: str


class NumberList(msgspec.Struct):
    """The numbers of the desk."""

    items: list[NumberDescribed]


class NumberQuery(msgspec.Struct, kw_only=True):
    """The period and the tickets that count. Without days, the last 30 days."""

    since: Day | None = None
    until: Day | None = None
    by: By = "all"
    team: Word | None = None
    channel: Word | None = None
    type: Word | None = None


class NumberTable(msgspec.Struct):
    """A number by group. `items` have `key`, the group (null: none, such as tickets without a team), and its values;
    groups of agents also have `name`. `zone`: of the days.
    """

    number: str
    how: str
    unit: str
    since: str
    until: str
    zone: str
    by: str
    items: list[JsonObject]


class RatingQuery(pages.PageQuery, kw_only=True):
    """The ratings to list."""

    score: Annotated[int, msgspec.Meta(ge=1, le=5, description="Only ratings of this score.")] | None = None
    commented: Annotated[bool, msgspec.Meta(description="Only ratings with a comment.")] = False


class GivenRating(msgspec.Struct):
    """A rating that a requester gave."""

    id: UUID
    ticket_id: UUID
    ticket_number: int
    score: int
    comment: str | None
    rated_at: datetime


class GivenRatingPage(msgspec.Struct):
    """A page of ratings."""

    items: list[GivenRating]
    next_cursor: str | None


@operations.add("GET", "/v1/numbers", summary="List numbers", needs=Permission.numbers_read, answers={200: NumberList})
def list_numbers(call: Call) -> Answer:
    """Returns the names of the numbers, the properties to group them by, and how each is computed."""
    items = [NumberDescribed(one.name, one.unit, ["all", *one.by], one.how) for one in NUMBERS.values()]
    return Answer(NumberList(items))


@operations.add(
    "GET",
    "/v1/numbers/{number}",
    summary="Get a number",
    needs=Permission.numbers_read,
    query=NumberQuery,
    answers={200: NumberTable},
    problems=(404,),
)
def read_number(call: Call[None, NumberQuery]) -> Answer:
    """Counts the tickets of the teams that the caller sees. It is at most about a second behind the tickets."""
    return Answer(_table(call))


@operations.add(
    "GET",
    "/v1/numbers/{number}/csv",
    summary="Download a number",
    needs=Permission.numbers_read,
    query=NumberQuery,
    answers={200: str},
    media_type="text/csv",
    problems=(404,),
)
def download_number(call: Call[None, NumberQuery]) -> Answer:
    """The same groups as CSV (RFC 4180)."""
    table = _table(call)
    headers = {"Content-Disposition": f'attachment; filename="{table.number}.csv"'}
    return Answer(raw=_csv(table.items).encode(), content_type="text/csv; charset=utf-8", headers=headers)


@operations.add(
    "GET",
    "/v1/numbers/satisfaction/ratings",
    summary="List ratings",
    needs=Permission.numbers_read,
    query=RatingQuery,
    answers={200: GivenRatingPage},
)
def list_ratings(call: Call[None, RatingQuery]) -> Answer:
    """Newest first, of the tickets that the caller sees."""
    query = call.query
    before = pages.decode(query.cursor, "ratings", pages.instant, UUID)
    rows = rated.page(
        sight_of(call),
        before=(before[0], before[1]) if before else None,
        limit=query.limit + 1,
        score=query.score,
        commented=query.commented,
    )
    page, cursor = pages.cut(rows, query.limit, "ratings", lambda row: (row["rated_at"], row["id"]))
    return Answer(GivenRatingPage([GivenRating(**row) for row in page], cursor))


def _table(call: Call[None, NumberQuery]) -> NumberTable:
    number, query = _number(call), call.query
    if query.by != "all" and query.by not in number.by:
        allowed = ", ".join(("all", *number.by))
        raise Invalid([FieldProblem("?by", f"expected one of {allowed} for {number.name}, found {query.by}")])
    zone = desk.current().zone
    until = _day("?until", query.until) or clock.now().astimezone(ZoneInfo(zone)).date()
    since = _day("?since", query.since) or _before(until)
    if since > until:
        raise Invalid([FieldProblem("?since", f"expected a day up to {until}, found {since}")])
    only = {name: value for name in ("team", "channel", "type") if (value := getattr(query, name)) is not None}
    scope = queries.Scope(since.isoformat(), until.isoformat(), only, queries.hidden_teams(sight_of(call)))
    by_agent = number.name == "agent_load" or query.by == "agent"
    items = [_shown(line, by_agent) for line in lines.of(number.name, query.by, scope)]
    if by_agent:
        _name(items)
    by = "agent" if number.name == "agent_load" else query.by
    return NumberTable(number.name, number.how, number.unit, scope.since, scope.until, zone, by, items)


def _number(call: AnyCall) -> Number:
    name = call.params["number"]
    if name not in NUMBERS:
        raise NotFound(f"there is no number {name[:40]!r}; GET /v1/numbers lists them")
    return NUMBERS[name]


def _day(place: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise Invalid([FieldProblem(place, f"expected a day of the calendar, found {text}")]) from error


def _before(until: date) -> date:
    return until - timedelta(days=min(_days_default - 1, until.toordinal() - 1))


def _shown(line: JsonObject, by_agent: bool) -> JsonObject:
    """A line with null for an empty key, and for agents with a place for the name."""
    name: JsonObject = {"name": None} if by_agent else {}
    return {"key": line["key"] or None} | name | {name: value for name, value in line.items() if name != "key"}


def _name(items: Sequence[JsonObject]) -> None:
    """Fill in the names of the agents."""
    names = colleagues.names({found for item in items if (found := parse_id(str(item["key"]))) is not None})
    for item in items:
        found = parse_id(str(item["key"]))
        item["name"] = None if found is None else names.get(found)


def _csv(items: Sequence[JsonObject]) -> str:
    """The lines as CSV. A text that a spreadsheet would read as a formula gets a quote in front."""
    if not items:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(items[0])
    for item in items:
        writer.writerow([_cell(value) for value in item.values()])
    return out.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
