"""The priorities of the desk: their ranks, labels and colours (`priorities` in desk.yaml).

A ticket keeps the word of a priority that the desk does not have any more; lists by rank show it last.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.definitions import desk
from models.definitions.desk import Priority


def ranked() -> Sequence[str]:
    """Return the names of the priorities, lowest first."""
    return desk.current().priority_names


def declared() -> Sequence[Priority]:
    """Return the priorities, lowest first."""
    return desk.current().ranked_priorities
