"""The four steps of the first five minutes. Each is read from the desk's own tables, so it ticks when it happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import marked
from functions.console.sandbox import wire
from models.conversations import chats
from models.conversations import queries as conversations
from models.deliveries import queries as deliveries
from models.kernel.errors import NotFound
from models.tickets.tables import Ticket
from models.visibility import sight
from models.visibility.sight import Sight

# -- limits ------------------------------------------------------------------------------------------------------------
_MESSAGES_MAX: Final = 200  # of a ticket of the sandbox; a step looks at the first ones

_ANSWERING: Final = ("agent", "api")
_TITLES: Final = (
    marked("Write as Ada"),
    marked("Answer in the inbox"),
    marked("See the answer arrive"),
    marked("Resolve the ticket"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and whether it has happened. `here`: it is the next one."""

    title: str
    done: bool
    here: bool


def ticket_of_phone(seen: Sight) -> Ticket | None:
    """Return the ticket that Ada's chat belongs to; None if there is none, or the caller may not see it."""
    found = chats.ticket_of("telegram", "demo", str(wire.ADA))
    if found is None:
        return None
    try:
        return sight.find(str(found), seen)
    except NotFound:
        return None


def of(ticket: Ticket | None) -> list[Step]:
    """Return the steps of the ticket on the phone."""
    done = _done(ticket)
    here = done.index(False) if False in done else len(done)
    return [Step(_(title), done[index], index == here) for index, title in enumerate(_TITLES)]


def _done(ticket: Ticket | None) -> list[bool]:
    if ticket is None:
        return [False] * len(_TITLES)
    page = conversations.page(ticket.id, after_sequence=0, limit=_MESSAGES_MAX)
    answers = [one["id"] for one in page if one["author_kind"] in _ANSWERING and one["kind"] == "reply"]
    sent = [one for found in deliveries.of_messages(answers).values() for one in found if one["state"] == "sent"]
    return [True, bool(answers), bool(sent), ticket.solved_at is not None or ticket.closed_at is not None]
