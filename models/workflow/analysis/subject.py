"""The life cycle under analysis, with the facts that several analyses need."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models.definitions.desk import Desk
from models.expressions.truth import Bounds
from models.expressions.types import Type
from models.infomodel import types as model_types
from models.infomodel.definition import Entity
from models.sla.working_time import DAYS
from models.workflow.definition import Reaction, Transition, Workflow
from models.workflow.view import environment

Values = tuple[Any, ...] | Bounds


@dataclass
class Subject:
    workflow: Workflow
    types: Mapping[str, Entity] | None
    teams: Collection[str] | None
    workflows: Collection[str] | None
    desk: Desk | None = None
    people: Collection[str] | None = None

    @cached_property
    def entities(self) -> list[Entity] | None:
        """The ticket types of the life cycle; None when they are not known."""
        if self.types is None:
            return None
        named = self.workflow.types or [
            name for name, one in self.types.items() if one.type is not None and one.workflow == self.workflow.workflow
        ]
        return [self.types[name] for name in named if name in self.types]

    @cached_property
    def environment(self) -> dict[str, Type]:
        """The names that conditions may read, with the fields of the ticket types where those are known."""
        people = {one.entity: model_types.record([one]) for one in self._people()}
        return environment(
            model_types.record(self.entities) if self.entities else None,
            requester=people.get("requester"),
            organisation=people.get("organisation"),
        )

    def _people(self) -> list[Entity]:
        """The models of requesters and organisations, as far as they are known."""
        return [one for one in (self.types or {}).values() if one.entity is not None]

    @property
    def fields(self) -> set[str] | None:
        """The names of fields; None when any name may be one."""
        if not self.entities or any(one.takes_any_field for one in self.entities):
            return None
        return {name for one in self.entities for name in one.fields}

    def domains(self, states: Collection[str] | None = None, event: str | None = None) -> dict[str, Values]:
        """Path -> the values that it can have, in some of the states, at one event."""
        found: dict[str, Values] = {
            "ticket.state": tuple(states if states is not None else self.workflow.states),
            "ticket.category": tuple({self.workflow.states[s].category for s in (states or self.workflow.states)}),
            "ticket.priority": self.workflow.priorities,
            "message.author_kind": ("", "requester", "agent", "api", "system"),
            "actor.role": ("admin", "manager", "accountant", "agent", "requester", "automation"),
            "actor.kind": ("user", "api_key", "requester", "system"),
            "desk.weekday": DAYS,
            "requester.weekday": DAYS,
            "desk.hour": tuple(range(24)),
            "requester.hour": tuple(range(24)),
            **{
                f"sla.{each}": ("none", "running", "paused", "met", "breached")
                for each in ("first_response", "next_response", "resolution")
            },
        }
        if event is not None:
            found["event.type"] = (event,)
        if self.workflow.types:
            found["ticket.type"] = tuple(self.workflow.types)
        for path, values in model_types.domains(self.entities or []).items():
            found[path] = found[f"ticket.{path}"] = values
        for path, (low, high) in model_types.bounds(self.entities or []).items():
            found[path] = found[f"ticket.{path}"] = Bounds(low, high)
        for entity in self._people():
            for path, values in model_types.domains([entity]).items():
                found[f"{entity.entity}.{path}"] = values
        return found

    def moves(self) -> Iterator[tuple[str, str, str, Transition]]:
        """Every move that is declared: (from, to, transition's name, transition)."""
        for name, transition in self.workflow.transitions.items():
            for state in self.workflow.states:
                if transition.starts_in(state):
                    yield state, transition.to, name, transition

    def automatic(self) -> dict[str, list[tuple[int, Reaction]]]:
        """Transition -> the reactions that make it."""
        found: dict[str, list[tuple[int, Reaction]]] = {}
        for index, reaction in enumerate(self.workflow.reactions):
            if reaction.transition is not None:
                found.setdefault(reaction.transition, []).append((index, reaction))
        return found

    def follow_ups(self) -> set[str]:
        """Transitions that an approval makes when it is refused, expires or is withdrawn."""
        return {
            name
            for one in self.workflow.transitions.values()
            if one.approval is not None
            for name in one.approval.follow_ups.values()
        }
