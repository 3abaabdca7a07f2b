"""The acts of the bulk bar: what each button means as acts of a bulk change, and the choices that the bar offers.

A button sends one word, `kind:value`, such as `priority:high`; models/bulk/acts.py takes the act that it becomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from functions.console.frame import formats, texts
from functions.console.frame.texts import gettext as _
from functions.http.operations import AnyCall
from models.identity import colleagues
from models.identity.rules import Permission
from models.kernel import clock
from models.kernel.clock import rfc3339
from models.kernel.errors import ConfigurationError, FieldProblem, Invalid
from models.kernel.names import folded
from models.kernel.open_json import JsonObject
from models.publishing import workflows
from models.teams import queries as teams
from models.ticket_lists import priorities

_MORNING: Final = time(9, 0)
_PEOPLE_MAX: Final = 50  # a menu; a larger desk assigns by the search of the palette


@dataclass(frozen=True, slots=True)
class Choice:
    """A row of a menu of the bar. `act`: the word that its button sends. `confirm`: what a person is asked before."""

    act: str
    title: str
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of the bar for a caller and the tickets of a page."""

    people: Sequence[Choice]
    priorities: Sequence[Choice]
    teams: Sequence[Choice]
    transitions: Sequence[Choice]
    snoozes: Sequence[Choice]
    deletes: bool


def choices(call: AnyCall, tickets: Sequence[Any]) -> Choices:
    """Return the choices of the bulk bar."""
    may_assign = Permission.tickets_assign in call.caller.permissions
    people = (
        [one for one in colleagues.readers_of_tickets() if one.id != call.caller.id][:_PEOPLE_MAX] if may_assign else []
    )
    return Choices(
        people=[Choice(f"assign:{one.id}", one.name) for one in people],
        priorities=[
            Choice(f"priority:{one.name}", texts.label(one.label, one.name)) for one in reversed(priorities.declared())
        ],
        teams=[Choice(f"team:{one['name']}", texts.label(one["label"], one["name"])) for one in teams.all_teams()],
        transitions=_transitions(tickets),
        snoozes=[Choice(f"snooze:{name}", title) for name, title in _snoozes().items()],
        deletes=Permission.tickets_delete in call.caller.permissions,
    )


def _transitions(tickets: Sequence[Any]) -> list[Choice]:
    """Return the transitions from the states of these tickets, those of most tickets first."""
    found: dict[str, tuple[int, Choice]] = {}
    for ticket in tickets:
        try:
            life = workflows.of_version(ticket.workflow, ticket.workflow_version).definition
        except ConfigurationError:
            continue
        for name, one in life.transitions.items():
            if (one.from_ == "any" or ticket.state in one.from_) and set(one.who) - {"requester", "automation"}:
                asked = texts.label(one.confirm, "") if one.confirm else ""
                choice = Choice(f"transition:{name}", texts.label(one.label, name), asked)
                found[name] = (found.get(name, (0, choice))[0] + 1, choice)
    return [choice for _count, choice in sorted(found.values(), key=lambda pair: -pair[0])]


def _snoozes() -> dict[str, str]:
    return {
        "hours": _("For 4 hours"),
        "tomorrow": _("Until tomorrow, 9:00"),
        "monday": _("Until Monday, 9:00"),
        "answer": _("Until the requester writes"),
    }


def title(word: str, known: Choices) -> str:
    """Return what an act does, for the headline of its preview."""
    kind, _colon, value = word.partition(":")
    groups = (known.people, known.priorities, known.teams, known.transitions, known.snoozes)
    name = next((choice.title for group in groups for choice in group if choice.act == word), value)
    words = {
        "assign": {"me": _("Assign to me"), "none": _("Remove the assignee")}.get(value)
        or _("Assign to %(name)s", name=name),
        "priority": _("Priority: %(name)s", name=name),
        "team": _("Team: %(name)s", name=name),
        "transition": name,
        "snooze": _("Snooze: %(name)s", name=name),
        "wake": _("End the snooze"),
        "tag": _("Add the tag %(name)s", name=value.removeprefix("add ")),
        "delete": _("Move to the bin"),
        "spam": _("Mark as spam"),
        "restore": _("Take out of the bin"),
    }
    return words.get(kind, word)


def stored(word: str, call: AnyCall, *, confirmed: bool = False) -> list[JsonObject]:
    """Return an act in its stored form. Raises Invalid for an unknown word."""
    kind, _colon, value = word.partition(":")
    arguments: JsonObject
    match kind:
        case "assign":
            assignee = call.caller.owner_id if value == "me" else None if value == "none" else _id(value)
            return [{"act": "assignment", "arguments": {"assignee_id": str(assignee) if assignee else None}}]
        case "priority" | "team":
            arguments = {kind: value}
            return [{"act": "change", "arguments": arguments}]
        case "tag":
            how, _blank, name = value.partition(" ")
            tags = [folded(name)] if name.strip() else []
            if how not in ("add", "remove") or not tags:
                raise Invalid([FieldProblem("tag", "expected a tag")])
            arguments = {"tags": {"add": tags if how == "add" else [], "remove": tags if how == "remove" else []}}
            return [{"act": "change", "arguments": arguments}]
        case "transition":
            arguments = {"transition": value, "fields": {}, "comment": None, "confirm": confirmed}
            return [{"act": "transition", "arguments": arguments}]
        case "snooze":
            until = _until(value)
            arguments = {"until": rfc3339(until) if until else None, "distance": None, "note": None}
            return [{"act": "snooze", "arguments": arguments}]
        case "wake" | "restore":
            return [{"act": {"wake": "wake", "restore": "restoration"}[kind], "arguments": {}}]
        case "delete" | "spam":
            return [{"act": {"delete": "deletion", "spam": "spam"}[kind], "arguments": {"note": None}}]
        case _:
            raise Invalid([FieldProblem("act", f"expected an act of the bar, found {word[:60]!r}")])


def _id(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise Invalid([FieldProblem("act", "expected the id of a user")]) from error


def _until(name: str) -> datetime | None:
    """Return the end of a snooze: an instant, or None for the next message of the requester. Raises Invalid."""
    now = clock.now()
    if name == "answer":
        return None
    if name == "hours":
        return now + timedelta(hours=4)
    local = now.astimezone(formats.zone())
    days = {"tomorrow": 1, "monday": (7 - local.weekday()) % 7 or 7}.get(name)
    if days is None:
        raise Invalid([FieldProblem("act", f"expected one of {', '.join(_snoozes())}")])
    return datetime.combine(local.date() + timedelta(days=days), _MORNING, tzinfo=local.tzinfo)
