"""Try a bulk change on a sample of its tickets, and take everything back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.bulk import jobs, limits, outcomes, selection
from models.bulk.outcomes import Outcome
from models.bulk.selection import Selection
from models.identity.rules import Principal
from models.kernel.open_json import JsonObject
from models.tickets.surroundings import Surroundings
from models.tickets.tables import Ticket
from models.visibility.sight import Sight


@dataclass(frozen=True, slots=True)
class Tried:
    """The outcome that a ticket of the sample would have."""

    ticket: Ticket
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Preview:
    """The outcome of a sample. `tickets`: the number of all chosen tickets; `missing`: ids without a visible ticket."""

    tickets: int
    missing: tuple[UUID, ...]
    sample: tuple[Tried, ...]

    def counts(self) -> Counter[str]:
        """Return the number of tickets of the sample by outcome."""
        return Counter(tried.outcome.outcome for tried in self.sample)

    @property
    def sends(self) -> int:
        """Return the number of messages that the sample would send."""
        return sum(len(tried.outcome.delivery_ids) for tried in self.sample)


def preview(wanted: Selection, acts: Sequence[JsonObject], caller: Principal) -> Preview:
    """Take the acts on the first tickets of the selection, and roll each back. Joins the caller's transaction.

    Raises Invalid, Forbidden.
    """
    jobs.check_rights(acts, caller)
    seen = Sight.of(caller)
    ids = selection.ticket_ids(wanted, seen)
    first = ids[: limits.preview_max]
    query = Ticket.select().where(Ticket.id.in_(first), seen.tickets())
    tickets = {ticket.id: ticket for ticket in query.order_by(Ticket.id)}
    sample = [
        Tried(ticket, outcomes.run_acts(ticket.id, acts, caller, Surroundings(), group_id=None))
        for ticket in tickets.values()
    ]
    missing = tuple(one for one in first if one not in tickets)
    return Preview(len(ids), missing, tuple(sample))
