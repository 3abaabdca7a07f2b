"""/v1/priorities: the priorities of the desk."""

from __future__ import annotations

import msgspec

from functions.http.operations import Answer, Call, Operations
from models.identity.rules import Permission
from models.ticket_lists import priorities

operations = Operations()


class PriorityShown(msgspec.Struct):
    """A priority. `rank`: 1 is the lowest. `label`: its names by language. `colour`: `#rrggbb`, or null."""

    name: str
    rank: int
    label: dict[str, str]
    colour: str | None


class PriorityList(msgspec.Struct):
    """The priorities, lowest first."""

    items: list[PriorityShown]


@operations.add(
    "GET", "/v1/priorities", summary="List priorities", needs=Permission.tickets_read, answers={200: PriorityList}
)
def list_priorities(call: Call) -> Answer:
    """The priorities of desk.yaml in the order of their rank, by which lists sort. A life cycle uses some of them."""
    shown = [
        PriorityShown(one.name, rank, dict(one.label), one.colour)
        for rank, one in enumerate(priorities.declared(), start=1)
    ]
    return Answer(PriorityList(shown))
