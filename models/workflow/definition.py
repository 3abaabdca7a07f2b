"""A life cycle as data: the YAML's shape, its defaults and the checks that make it safe to publish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from models.kernel.errors import FieldProblem, Invalid
from models.workflow import conditions

Category = Literal["todo", "waiting", "done", "closed"]
Who = Literal["admin", "manager", "accountant", "agent", "requester", "automation"]
Event = Literal[
    "ticket_created",
    "requester_message",
    "agent_reply",
    "note",
    "assigned",
    "delivery_failed",
    "timer",
    "signal",
]
Label = dict[Literal["en", "ru"], str]
Name = str

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,40}$")
_VARIABLE = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")
VARIABLES = ("ticket.number", "ticket.title", "requester.name", "desk.url")

# Bounds of one definition: larger than any life cycle a person can oversee (the largest we know of has 40 states).
states_max, transitions_max, reactions_max, effects_max = 100, 500, 200, 20


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a ticket can stand."""

    category: Category
    label: Label


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that follows; exactly one property is set. `send`: a template goes to the requester over the ticket's channel."""

    send: Name | None = None
    note: Name | None = None


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A move that is allowed. `who` may make it; `guard` is a CEL condition; `comment` says whether one is required."""

    to: Name
    label: Label
    who: list[Who]
    from_: list[Name] | Literal["any"] = msgspec.field(name="from")
    guard: str | None = None
    comment: Literal["optional", "required"] = "optional"
    do: list[Effect] = []


class Reaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an event does: the first reaction that matches acts. `timer` and `signal` name the one that `on` is about."""

    on: Event
    name: Name
    in_: list[Name] | None = msgspec.field(default=None, name="in")
    timer: Name | None = None
    signal: Name | None = None
    when: str | None = None
    transition: Name | None = None
    do: list[Effect] = []


class Timer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fires the event `timer` after `after_s` seconds in one of the states; leaving the state stops it."""

    in_: list[Name] = msgspec.field(name="in")
    after_s: int = 0


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message text in each language, with {{variables}}."""

    en: str
    ru: str


class Workflow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole life cycle."""

    workflow: Name
    label: Label
    initial: Name
    states: dict[Name, State]
    transitions: dict[Name, Transition]
    reactions: list[Reaction] = []
    timers: dict[Name, Timer] = {}
    templates: dict[Name, Template] = {}
    priorities: tuple[str, ...] = ("low", "normal", "high", "urgent")
    description: str = ""


@dataclass(frozen=True)
class WorkflowVersion:
    """A workflow as published: the definition and the version that tickets stay on."""

    definition: Workflow
    version: int


def parse(body: dict[str, Any]) -> Workflow:
    """Read and check a definition. Raises Invalid with a path and what was expected for everything that is wrong."""
    try:
        workflow = msgspec.convert(body, Workflow)
    except msgspec.ValidationError as error:
        text = str(error)
        message, _, place = text.partition(" - at `$")
        raise Invalid([FieldProblem(place.rstrip("`") or "", message)]) from error
    problems = list(_problems(workflow))
    if problems:
        raise Invalid(problems)
    return workflow


def _problems(workflow: Workflow) -> Iterator[FieldProblem]:
    yield from _size_problems(workflow)
    for kind, names in (
        ("states", workflow.states),
        ("transitions", workflow.transitions),
        ("templates", workflow.templates),
    ):
        for name in names:
            if not _NAME.match(name):
                yield FieldProblem(
                    f".{kind}.{name}", "expected a name of lower-case letters, digits and underscores"
                )
    if workflow.initial not in workflow.states:
        yield FieldProblem(".initial", f"expected one of the states, found {workflow.initial!r}")
    for name, state in workflow.states.items():
        yield from _label_problems(f".states.{name}.label", state.label)
    for name, transition in workflow.transitions.items():
        place = f".transitions.{name}"
        yield from _label_problems(f"{place}.label", transition.label)
        yield from _state_problems(workflow, f"{place}.to", [transition.to])
        if transition.from_ != "any":
            yield from _state_problems(workflow, f"{place}.from", transition.from_)
        yield from _condition_problems(f"{place}.guard", transition.guard)
        yield from _effect_problems(workflow, place, transition.do)
    for index, reaction in enumerate(workflow.reactions):
        place = f".reactions[{index}]"
        yield from _state_problems(workflow, f"{place}.in", reaction.in_ or [])
        yield from _condition_problems(f"{place}.when", reaction.when)
        yield from _effect_problems(workflow, place, reaction.do)
        if reaction.transition is not None and reaction.transition not in workflow.transitions:
            yield FieldProblem(
                f"{place}.transition", f"expected one of the transitions, found {reaction.transition!r}"
            )
        if (reaction.timer is not None) != (reaction.on == "timer") or (
            reaction.timer is not None and reaction.timer not in workflow.timers
        ):
            yield FieldProblem(
                f"{place}.timer", "expected one of the timers, with `on: timer` and only there"
            )
        if (reaction.signal is not None) != (reaction.on == "signal") or not _NAME.match(
            reaction.signal or "none"
        ):
            yield FieldProblem(
                f"{place}.signal",
                "expected a name of lower-case letters, digits and underscores, with `on: signal` and only there",
            )
    for name, timer in workflow.timers.items():
        yield from _state_problems(workflow, f".timers.{name}.in", timer.in_)
        if timer.after_s < 1:
            yield FieldProblem(f".timers.{name}.after_s", "expected at least 1 second")
    for name, template in workflow.templates.items():
        for language, text in (("en", template.en), ("ru", template.ru)):
            for variable in _VARIABLE.findall(text):
                if variable not in VARIABLES:
                    yield FieldProblem(
                        f".templates.{name}.{language}",
                        f"unknown variable {variable!r}; there are {', '.join(VARIABLES)}",
                    )


def _size_problems(workflow: Workflow) -> Iterator[FieldProblem]:
    for place, found, most in (
        (".states", len(workflow.states), states_max),
        (".transitions", len(workflow.transitions), transitions_max),
        (".reactions", len(workflow.reactions), reactions_max),
    ):
        if found > most:
            yield FieldProblem(place, f"expected at most {most}, found {found}")


def _label_problems(place: str, label: Label) -> Iterator[FieldProblem]:
    for language in ("en", "ru"):
        if not label.get(language):
            yield FieldProblem(f"{place}.{language}", "expected a label in this language")


def _state_problems(workflow: Workflow, place: str, names: list[str]) -> Iterator[FieldProblem]:
    for name in names:
        if name not in workflow.states:
            yield FieldProblem(place, f"expected one of the states, found {name!r}")


def _condition_problems(place: str, expression: str | None) -> Iterator[FieldProblem]:
    if expression is not None and (error := conditions.problem(expression)) is not None:
        yield FieldProblem(place, f"not a CEL condition: {error}")


def _effect_problems(workflow: Workflow, place: str, effects: list[Effect]) -> Iterator[FieldProblem]:
    if len(effects) > effects_max:
        yield FieldProblem(f"{place}.do", f"expected at most {effects_max} effects, found {len(effects)}")
    for index, effect in enumerate(effects):
        named = [name for name in (effect.send, effect.note) if name is not None]
        if len(named) != 1:
            yield FieldProblem(f"{place}.do[{index}]", "expected exactly one of send, note")
        for name in named:
            if name not in workflow.templates:
                yield FieldProblem(f"{place}.do[{index}]", f"expected one of the templates, found {name!r}")


def render(template: Template, language: str | None, values: dict[str, str]) -> str:
    """A template's text in the requester's language (English when we have no other), variables filled in."""
    text = template.ru if (language or "").lower().startswith("ru") else template.en
    return _VARIABLE.sub(lambda match: values[match[1]], text)
