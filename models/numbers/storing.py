"""Write the facts of tickets, and move the daily sums by the difference. Joins the caller's transaction.

One process at a time: the caller holds the row of the consumer's position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from models.kernel.storage import database
from models.kernel.storage.batch import Batch
from models.numbers import facts, histories
from models.numbers.facts import Facts
from models.numbers.tables import DailySum, PromiseFact, StateFact, TicketFact

# Metric, day, team, channel, type, agent.
Key = tuple[str, str, str, str, str, str]

_MOVE = (
    "INSERT INTO daily_sums (metric, day, team, channel, type, agent, amount)"
    " VALUES (:metric, :day, :team, :channel, :type, :agent, :amount)"
    " ON CONFLICT (metric, day, team, channel, type, agent)"
    " DO UPDATE SET amount = daily_sums.amount + excluded.amount"
)
_EMPTY = (
    "DELETE FROM daily_sums WHERE metric = :metric AND day = :day AND team = :team AND channel = :channel"
    " AND type = :type AND agent = :agent AND amount = 0"
)


def compute(ticket_ids: Sequence[UUID]) -> None:
    """Compute the facts of tickets again and store them. A ticket that does not count loses its facts."""
    ids = list(ticket_ids)
    if not ids:
        return
    found = [facts.of(history) for history in histories.of(ids) if facts.counts(history.ticket)]
    moved: Counter[Key] = Counter()
    for row in database.rows(TicketFact.select().where(TicketFact.ticket_id.in_(ids))):
        moved.subtract(_keyed(row, _counter(row["sums"])))
    for table in (TicketFact, StateFact, PromiseFact):
        table.delete().where(table.ticket_id.in_(ids)).execute()
    batch = Batch()
    for one in found:
        moved.update(_keyed(one.row, one.sums))
        _add(batch, one)
    batch.write()
    _move(moved)


def reset() -> None:
    """Delete all facts and sums."""
    for table in (TicketFact, StateFact, PromiseFact, DailySum):
        table.delete().execute()


def _add(batch: Batch, one: Facts) -> None:
    sums = [[day, metric, agent, amount] for (day, metric, agent), amount in sorted(one.sums.items())]
    batch.insert("ticket_facts", one.row | {"sums": sums})
    ticket_id = one.row["ticket_id"]
    for state, seconds in sorted(one.states.items()):
        batch.insert("state_facts", {"ticket_id": ticket_id, "state": state, "seconds": seconds})
    for target, (outcome, day) in sorted(one.promises.items()):
        batch.insert("promise_facts", {"ticket_id": ticket_id, "target": target, "outcome": outcome, "ended_day": day})


def _counter(stored: Sequence[Sequence[Any]]) -> Counter[tuple[str, str, str]]:
    return Counter({(day, metric, agent): amount for day, metric, agent, amount in stored})


def _keyed(row: Mapping[str, Any], sums: Counter[tuple[str, str, str]]) -> Counter[Key]:
    """The sums under the team, channel and type of the ticket."""
    place = (row["team"], row["channel"], row["type"])
    return Counter({(metric, day, *place, agent): amount for (day, metric, agent), amount in sums.items()})


def _move(moved: Counter[Key]) -> None:
    for key, amount in sorted(moved.items()):
        if amount == 0:
            continue
        values = dict(zip(("metric", "day", "team", "channel", "type", "agent"), key, strict=True))
        database.execute(_MOVE, values, amount=amount)
        if amount < 0:
            database.execute(_EMPTY, values)
