"""Read numbers from facts and daily sums, on both engines alike.

Percentiles are by nearest rank: the smallest value that at least so many percent of the values do not exceed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

from models.kernel import clock
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from models.teams import queries as teams
from models.visibility import sight as sights
from models.visibility.sight import Sight

# -- limits ----------------------------------------------------------------------------------------------------
rows_max = 1_000  # of one number: three years by day, and more agents than a desk has

# A group of a number; the values depend on the number, and the API shows them as they are.
Line: TypeAlias = JsonObject


@dataclass(frozen=True, slots=True)
class Scope:
    """The period, both days included, and the tickets that count. `hidden`: teams that the caller does not see."""

    since: str
    until: str
    only: Mapping[str, str] = field(default_factory=dict)
    hidden: Sequence[str] = ()


def hidden_teams(sight: Sight) -> list[str]:
    """Return the teams whose tickets the caller does not see."""
    return [team["name"] for team in teams.all_teams() if not sights.sees_team(sight, team["name"])]


# Number -> value, day and agent of the facts.
_SPANS: Final = {
    "first_response": ("response_s", "response_day", "responder"),
    "first_response_working": ("response_working_s", "response_day", "responder"),
    "resolution": ("resolution_s", "resolved_day", "resolver"),
    "resolution_working": ("resolution_working_s", "resolved_day", "resolver"),
}
_RANKED: Final = (
    "SELECT key, count(*) AS tickets, avg(v) AS mean, max(CASE WHEN n = (c * 50 + 99) / 100 THEN v END) AS median,"
    " max(CASE WHEN n = (c * 90 + 99) / 100 THEN v END) AS p90 FROM"
    " (SELECT {key} AS key, {value} AS v, row_number() OVER (PARTITION BY {key} ORDER BY {value}) AS n,"
    " count(*) OVER (PARTITION BY {key}) AS c FROM {rows} AS f WHERE {where} AND {value} IS NOT NULL) AS ranked"
    " GROUP BY key ORDER BY key LIMIT :rows_max"
)
_STATES: Final = (
    "(SELECT s.state, s.seconds, t.resolved_day, t.team, t.channel, t.type FROM state_facts AS s"
    " JOIN ticket_facts AS t ON t.ticket_id = s.ticket_id)"
)
_PROMISES: Final = (
    "(SELECT p.target, p.outcome, p.ended_day, t.team, t.channel, t.type FROM promise_facts AS p"
    " JOIN ticket_facts AS t ON t.ticket_id = p.ticket_id)"
)


def _where(scope: Scope, day: str | None) -> tuple[str, database.Parameters]:
    """The conditions of a scope over rows `f`, and their values."""
    parts = ["1 = 1"]
    values: database.Parameters = {}
    if day is not None:
        parts.append(f"f.{day} >= :since AND f.{day} <= :until")
        values |= {"since": scope.since, "until": scope.until}
    for name in ("team", "channel", "type"):
        if name in scope.only:
            parts.append(f"f.{name} = :only_{name}")
            values[f"only_{name}"] = scope.only[name]
    if scope.hidden:
        places, named = database.in_list("hidden", scope.hidden)
        parts.append(f"f.team NOT IN {places}")
        values |= named
    return " AND ".join(parts), values


def _key(by: str, **columns: str) -> str:
    """The expression to group by: a column of rows `f`, or one group of all."""
    return "CAST('all' AS text)" if by == "all" else f"f.{columns.get(by, by)}"


def _spans(rows: str, value: str, key: str, day: str, scope: Scope) -> list[Line]:
    where, values = _where(scope, day)
    statement = _RANKED.format(key=key, value=f"f.{value}", rows=rows, where=where)
    return [
        {
            "key": row["key"],
            "count": int(row["tickets"]),
            "mean": round(float(row["mean"])),
            "median": int(row["median"]),
            "p90": int(row["p90"]),
        }
        for row in database.run(statement, values, rows_max=rows_max)
    ]


def spans(number: str, by: str, scope: Scope) -> list[Line]:
    """Return a number of seconds by group."""
    if number == "time_in_state":
        return _spans(_STATES, "seconds", _key(by), "resolved_day", scope)
    value, day, agent = _SPANS[number]
    return _spans("ticket_facts", value, _key(by, agent=agent, day=day), day, scope)


def sums(metrics: Sequence[str], by: str, scope: Scope) -> dict[str, dict[str, int]]:
    """Return daily sums by group and metric."""
    where, values = _where(scope, "day")
    places, named = database.in_list("metric", metrics)
    rows = database.run(
        _SUMS.format(key=_key(by), where=where, places=places), values | named, rows_max=rows_max * len(metrics)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        found[row["key"]][row["metric"]] = int(row["amount"])
    return dict(sorted(found.items()))


_SUMS: Final = (
    "SELECT {key} AS key, f.metric, sum(f.amount) AS amount FROM daily_sums AS f WHERE f.metric IN {places}"
    " AND {where} GROUP BY {key}, f.metric ORDER BY {key}, f.metric LIMIT :rows_max"
)
_AGES: Final = (
    "SELECT {key} AS key, count(*) AS open, sum(CASE WHEN f.created_at > :day1 THEN 1 ELSE 0 END) AS day1,"
    " sum(CASE WHEN f.created_at > :day3 THEN 1 ELSE 0 END) AS day3,"
    " sum(CASE WHEN f.created_at > :day7 THEN 1 ELSE 0 END) AS day7,"
    " sum(CASE WHEN f.created_at > :day30 THEN 1 ELSE 0 END) AS day30"
    " FROM ticket_facts AS f WHERE f.category IN ('todo', 'waiting') AND {where}"
    " GROUP BY {key} ORDER BY {key} LIMIT :rows_max"
)
_OUTCOMES: Final = (
    "SELECT {key} AS key, sum(CASE WHEN f.outcome = 'kept' THEN 1 ELSE 0 END) AS kept, count(*) AS ended"
    " FROM {rows} AS f WHERE {where} GROUP BY {key} ORDER BY {key} LIMIT :rows_max"
)


def backlog(by: str, scope: Scope) -> list[Line]:
    """Return the open tickets by group and age."""
    where, values = _where(scope, None)
    now = clock.now()
    values |= {f"day{days}": now - timedelta(days=days) for days in (1, 3, 7, 30)}
    key = _key(by, agent="assignee", state="category")
    rows = database.run(_AGES.format(key=key, where=where), values, rows_max=rows_max)
    return [
        {
            "key": row["key"],
            "count": int(row["open"]),
            "under_1_day": int(row["day1"]),
            "under_3_days": int(row["day3"] - row["day1"]),
            "under_7_days": int(row["day7"] - row["day3"]),
            "under_30_days": int(row["day30"] - row["day7"]),
            "older": int(row["open"] - row["day30"]),
        }
        for row in rows
    ]


def promises(by: str, scope: Scope) -> list[Line]:
    """Return the kept promises by group."""
    where, values = _where(scope, "ended_day")
    statement = _OUTCOMES.format(key=_key(by, day="ended_day"), rows=_PROMISES, where=where)
    rows = database.run(statement, values, rows_max=rows_max)
    return [
        {
            "key": row["key"],
            "count": int(row["ended"]),
            "kept": int(row["kept"]),
            "broken": int(row["ended"]) - int(row["kept"]),
            "share": share(int(row["kept"]), int(row["ended"])),
        }
        for row in rows
    ]


def share(part: int, whole: int) -> float | None:
    """Return a share with four digits; None when there is nothing to divide by."""
    return None if whole == 0 else round(part / whole, 4)
