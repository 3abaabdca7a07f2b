"""The lines of each number: groups with their values."""

from __future__ import annotations

from models.numbers import queries
from models.numbers.queries import Line, Scope

_VOLUME = ("created", "resolved", "reopened", "received", "replies", "sent")


def of(number: str, by: str, scope: Scope) -> list[Line]:
    """Return the lines of a number of the catalogue, by group."""
    match number:
        case "volume" if by == "metric":
            found = queries.sums(_VOLUME, "metric", scope)
            return [{"key": metric, "count": found.get(metric, {}).get(metric, 0)} for metric in _VOLUME]
        case "volume":
            found = queries.sums(_VOLUME, by, scope)
            return [{"key": key} | {metric: sums.get(metric, 0) for metric in _VOLUME} for key, sums in found.items()]
        case "backlog":
            return queries.backlog(by, scope)
        case "promises":
            return queries.promises(by, scope)
        case "reopen_rate":
            return _rates("reopened", "resolved", by, scope)
        case "delivery_failures":
            return _rates("failed_sends", "sent", by, scope)
        case "satisfaction":
            return _satisfaction(by, scope)
        case "agent_load":
            return _agent_load(scope)
        case _:
            return queries.spans(number, by, scope)


def _rates(part: str, whole: str, by: str, scope: Scope) -> list[Line]:
    found = queries.sums((part, whole), by, scope)
    return [
        {
            "key": key,
            part: sums.get(part, 0),
            whole: sums.get(whole, 0),
            "share": queries.share(sums.get(part, 0), sums.get(whole, 0)),
        }
        for key, sums in found.items()
    ]


def _satisfaction(by: str, scope: Scope) -> list[Line]:
    found = queries.sums(("ratings", "scores"), by, scope)
    return [
        {
            "key": key,
            "count": sums.get("ratings", 0),
            "mean": queries.share(sums.get("scores", 0), sums.get("ratings", 0)),
        }
        for key, sums in found.items()
    ]


def _agent_load(scope: Scope) -> list[Line]:
    """Present tickets and the work of the period. The line without an agent is that of unassigned tickets."""
    work = queries.sums(("replies", "resolved"), "agent", scope)
    present = {line["key"]: line["count"] for line in queries.backlog("agent", scope)}
    return [
        {
            "key": agent,
            "open": present.get(agent, 0),
            "replies": work.get(agent, {}).get("replies", 0),
            "resolved": work.get(agent, {}).get("resolved", 0),
        }
        for agent in sorted(work.keys() | present.keys())
    ]
