"""`simulate`: step through a life cycle at the terminal, or by a script that prints the same each time."""

from __future__ import annotations

import argparse
import copy
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

import yaml

from models.definitions.desk import Desk
from models.expressions.durations import parse_duration
from models.infomodel import values
from models.kernel.errors import Invalid
from models.kernel.open_json import JsonObject
from models.publishing import catalogue
from models.sla.clocks import status
from models.workflow.acts import (
    AnyAct,
    ClockChanged,
    MessageSent,
    Moved,
    NoteAdded,
    Notified,
    RatingAsked,
    Refused,
    TimerStopped,
)
from models.workflow.definition import Workflow
from models.workflow.testing.simulation import Person, Simulation, TooManyFirings
from scripts import defs
from scripts.defs import finding

HELP = """\
  new [priority=P] [type=T] [field=value ...]   open the ticket anew
  message | auto                                the requester writes | a machine answers
  reply WHO | note WHO                          an agent writes
  do NAME WHO [comment=TEXT] [field=value ...]  ask for a transition
  vote NAME WHO approve|refuse                  vote on a transition that waits
  assign WHO|nobody                             give the ticket to somebody
  set field=value ... | priority P              change the ticket
  signal NAME | event TYPE                      something outside happened
  wait 3d                                       let time pass
  options WHO                                   what WHO could do now, and why not
  why                                           what every rule made of the last step
  undo | quit"""


def simulate(options: argparse.Namespace) -> int:
    workflow = finding.workflow_of(options.name)
    around = catalogue.surroundings_of(defs.read_all(demo=True))
    interactive = options.script is None and sys.stdin.isatty()
    if options.script is None or str(options.script) == "-":
        lines: Iterable[str] = _typed_lines() if interactive else sys.stdin
    else:
        lines = options.script.read_text(encoding="utf-8").splitlines()
    return Stepper(workflow, dict(around.types), around.desk).run(lines, echo=not interactive)


def _typed_lines() -> Iterator[str]:
    print(HELP)
    while True:
        try:
            yield input("> ")
        except EOFError:
            return


class Stepper:
    """Reads commands, prints what follows. The cast: olga (agent), mira (manager), root (admin), each in every team
    that is named.
    """

    def __init__(self, workflow: Workflow, types: JsonObject, desk: Desk) -> None:
        self._workflow, self._types = workflow, types
        teams = tuple(sorted(_teams(workflow)))
        people = [
            Person("olga", "Olga", "agent", teams=teams),
            Person("mira", "Mira", "manager", teams=teams),
            Person("root", "Root", "admin"),
        ]
        self._simulation = Simulation(
            workflow,
            datetime(2026, 11, 23, 9, tzinfo=UTC),
            people,
            fields_view=lambda type_, fields: (values.view_values(types.get(type_), fields), values.filled(fields)),
            validate=lambda ticket, wanted: (
                values.validated(
                    types[ticket.type],
                    wanted,
                    before=ticket.fields,
                    role="automation",
                    view=ticket.model_view(),
                    complete=False,
                )
                if ticket.type in types
                else {**ticket.fields, **wanted}
            ),
            missing=lambda ticket: values.missing(types.get(ticket.type), ticket.fields, ticket.model_view()),
            requester={
                "id": "requester",
                "name": "Ada",
                "locale": desk.fallback,
                "fields": values.view_values(types.get("entity.requester"), {}),
            },
            organisation={"fields": values.view_values(types.get("entity.organisation"), {})},
            desk=desk,
        )
        self._past: list[Simulation] = []

    def run(self, lines: Iterable[str], *, echo: bool) -> int:
        """1 when a command could not be understood, in a script."""
        wrong = 0
        self._new({})
        for line in lines:
            words = shlex.split(line, comments=True)
            if not words:
                continue
            if echo:
                print(f"> {line.strip()}")
            if words[0] == "quit":
                break
            try:
                self._command(words)
            except (KeyError, ValueError, IndexError, Invalid, TooManyFirings) as error:
                wrong = 1
                print(
                    "  !",
                    "a word is missing; `help` lists the commands" if isinstance(error, IndexError) else error,
                )
        return wrong if echo else 0

    def _command(self, words: list[str]) -> None:
        name, rest = words[0], words[1:]
        if name == "help":
            print(HELP)
        elif name == "why":
            self._why()
        elif name == "options":
            for option in self._simulation.options(rest[0]):
                print(f"  {option.name:<24} -> {option.transition.to:<20} {'; '.join(option.reasons) or 'possible'}")
        elif name == "undo":
            if not self._past:
                raise ValueError("there is nothing to undo")
            self._simulation = self._past.pop()
            self._show()
        else:
            before, seen = self._copy(), len(self._simulation.log)
            self._act(name, rest)
            self._past.append(before)
            self._show(since=seen if name != "new" else 0)

    def _copy(self) -> Simulation:
        saved = copy.copy(self._simulation)
        saved.instance, saved.timers, saved.log = (
            copy.copy(saved.instance),
            dict(saved.timers),
            list(saved.log),
        )
        return saved

    def _act(self, name: str, rest: list[str]) -> None:
        simulation = self._simulation
        commands: dict[str, Callable[[], object]] = {
            "new": lambda: self._new(_pairs(rest)),
            "message": simulation.message,
            "auto": lambda: simulation.message(automatic="auto_reply"),
            "reply": lambda: simulation.reply(rest[0]),
            "note": lambda: simulation.note(rest[0]),
            "do": lambda: self._transition(rest[0], rest[1], _pairs(rest[2:])),
            "vote": lambda: simulation.vote(rest[0], rest[1], rest[2]),
            "assign": lambda: self._assign(rest[0]),
            "set": lambda: simulation.change("mira", fields=_pairs(rest)),
            "priority": lambda: simulation.change("mira", priority=rest[0]),
            "signal": lambda: simulation.signal(rest[0]),
            "event": lambda: simulation.event(rest[0]),
            "wait": lambda: simulation.advance(seconds=parse_duration(rest[0])),
        }
        if name not in commands:
            raise ValueError(f"unknown command {name!r}; `help` lists the commands")
        commands[name]()

    def _transition(self, transition: str, person: str, given: JsonObject) -> None:
        comment = given.pop("comment", None)
        self._simulation.transition(transition, person, comment=comment, fields=given)

    def _assign(self, person: str) -> None:
        assignee = None if person == "nobody" else self._simulation.person(person).id
        self._simulation.assign(assignee, "mira")

    def _new(self, given: JsonObject) -> None:
        type_ = given.pop("type", self._workflow.types[0] if self._workflow.types else "question")
        self._simulation.timers.clear()
        self._simulation.log.clear()
        priority = given.pop("priority", "normal")
        self._simulation.create(type=type_, priority=priority, channel="email", fields=given)

    def _show(self, since: int = -1) -> None:
        simulation, ticket = self._simulation, self._simulation.instance
        for entry in simulation.log[since:] if since >= 0 else ():
            for act in entry.acts:
                if not isinstance(act, ClockChanged | TimerStopped):
                    print(f"  {entry.at:%a %d %H:%M} {_described(act)}")
        clocks = ", ".join(f"{target} {status(clock)}" for target, clock in ticket.clocks.items())
        timers = ", ".join(f"{name} {at:%a %d %H:%M}" for name, (at, _) in sorted(simulation.timers.items()))
        print(
            f"  = {simulation.now:%a %d %b %H:%M} {ticket.state} ({ticket.category}), {ticket.priority},"
            f" {ticket.assignee or 'nobody'}"
        )
        if timers:
            print(f"    timers: {timers}")
        if clocks:
            print(f"    promises: {clocks}")
        if ticket.approvals:
            print(f"    waits for: {', '.join(ticket.approvals)}")

    def _why(self) -> None:
        for look in self._simulation.log[-1].traces:
            reason = "; ".join((*look.failed, *look.reasons))
            seen = ", ".join(f"{path}={value!r}" for path, value in look.values.items())
            print(f"  {look.outcome:<11} {look.rule:<28} {reason}{f' [{seen}]' if seen else ''}")


def _teams(workflow: Workflow) -> set[str]:
    from models.workflow import places

    found = {one.approval.team for one in workflow.transitions.values() if one.approval is not None}
    found |= {
        who.removeprefix("team:") for one in workflow.transitions.values() for who in one.who if who.startswith("team:")
    }
    for _, effect in places.effects(workflow):
        for team in (effect.team, effect.notify and effect.notify.team, effect.assign and effect.assign.team):
            if team:
                found.add(team)
    return found


def _pairs(words: list[str]) -> JsonObject:
    """field=value with values as YAML: amount={amount: 100, currency: EUR}"""
    found = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"expected field=value, found {word!r}")
        found[name] = text if name == "comment" else yaml.safe_load(text)
    return found


def _described(act: AnyAct) -> str:
    """Describe an act in one line."""
    named = f"{act.kind.replace('_', ' ')} ({act.rule})"
    match act:
        case Moved():
            return f"{act.from_} -> {act.to} ({act.rule})"
        case MessageSent() | NoteAdded() | RatingAsked() | Notified():
            return f"{named}: {' '.join(act.text.split())[:90]}"
        case Refused():
            return f"{named}: {'; '.join(act.reasons)}"
    rest = ", ".join(f"{key} {value}" for key, value in act.details.items() if value not in (None, "", [], {}))
    return f"{named}: {rest}"
