"""The numbers that the desk can show, each with its computation in words. `/v1/numbers` publishes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

By = Literal["all", "team", "agent", "channel", "type", "day", "state", "target", "metric"]


@dataclass(frozen=True, slots=True)
class Number:
    """One number. `by`: the ways to group it, besides `all` (one group). `how`: its computation in words."""

    name: str
    unit: Literal["seconds", "count", "share"]
    by: tuple[By, ...]
    how: str


_PLACES: Final[tuple[By, ...]] = ("team", "agent", "channel", "type", "day")
_AGE = "A ticket counts under its present team, channel and type, and not while it is in the bin or merged."
_MIDDLE = "Median and 90th percentile are those of the tickets (nearest rank), not of daily means."

NUMBERS: Final[dict[str, Number]] = {
    number.name: number
    for number in (
        Number(
            "first_response",
            "seconds",
            _PLACES,
            f"From the opening of a ticket to the first reply of an agent, on the day of the reply. {_MIDDLE} By agent:"
            f" who wrote it. {_AGE}",
        ),
        Number(
            "first_response_working",
            "seconds",
            _PLACES,
            "As first_response, in working time: of the calendar of the ticket's promise, else of the first calendar of"
            f" its life cycle. Tickets without a calendar are left out. {_MIDDLE} {_AGE}",
        ),
        Number(
            "resolution",
            "seconds",
            _PLACES,
            "From the opening of a ticket to its last entry into a state of the category done or closed, on that day. A"
            f" reopened ticket has no resolution until the next one. {_MIDDLE} By agent: the assignee at the"
            f" resolution. {_AGE}",
        ),
        Number(
            "resolution_working",
            "seconds",
            _PLACES,
            f"As resolution, in working time, as first_response_working. {_MIDDLE} {_AGE}",
        ),
        Number(
            "volume",
            "count",
            ("metric", *_PLACES),
            "Daily sums: tickets created, resolved and reopened, messages received (without automatic ones), replies of"
            f" agents, messages sent. {_AGE}",
        ),
        Number(
            "backlog",
            "count",
            ("team", "agent", "channel", "type", "state"),
            "Tickets in the categories todo and waiting now, and how many of them were opened less than 1, 3, 7 and 30"
            f" days ago, or longer. By state: the category. The period does not matter. {_AGE}",
        ),
        Number(
            "time_in_state",
            "seconds",
            ("state",),
            "The seconds that tickets that were resolved in the period have spent in each state that they left."
            f" {_MIDDLE} {_AGE}",
        ),
        Number(
            "reopen_rate",
            "share",
            ("team", "channel", "type", "day"),
            f"Reopenings divided by resolutions, of the daily sums. {_AGE}",
        ),
        Number(
            "promises",
            "share",
            ("target", "team", "channel", "type", "day"),
            "Promises (SLA targets) that were kept, divided by those that ended in the period: kept on the day on which"
            f" they were met, broken on the day of the breach. {_AGE}",
        ),
        Number(
            "satisfaction",
            "share",
            ("team", "agent", "channel", "type", "day"),
            "The mean of the scores (1 to 5) that requesters gave, on the day of the rating. By agent: the assignee at"
            f" the resolution. /v1/numbers/satisfaction/ratings lists the comments. {_AGE}",
        ),
        Number(
            "agent_load",
            "count",
            ("agent",),
            "For each agent: assigned tickets in the categories todo and waiting now; replies written and tickets"
            f" resolved in the period. {_AGE}",
        ),
        Number(
            "delivery_failures",
            "share",
            ("channel", "team", "type", "day"),
            f"Sends that failed for good, divided by messages sent, of the daily sums. {_AGE}",
        ),
    )
}
