"""The names that definitions offer to each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from models.definitions.desk import UNDECLARED, Desk
from models.infomodel.definition import Entity


@dataclass(frozen=True)
class Surroundings:
    """The names that a life cycle may use: ticket types, teams, other life cycles; the desk's languages; and
    the addresses of active users (None: not known). `transitions`, `priorities`: those of all life cycles.
    """

    types: Mapping[str, Entity]
    teams: Collection[str]
    workflows: Collection[str]
    desk: Desk = UNDECLARED
    people: Collection[str] | None = None
    transitions: Collection[str] = ()
    priorities: Collection[str] = ()
