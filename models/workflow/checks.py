"""Checks that a life cycle is consistent before it is published: names, languages, bounds, conditions, templates.

`analysis` finds what is allowed but suspicious: unreachable states, loops, shadowed reactions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import get_args

from models.definitions.desk import label_problems
from models.expressions import checker
from models.expressions.durations import parse_duration
from models.kernel import names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.sla import working_time
from models.workflow import places, templates, time_checks
from models.workflow.definition import (
    EFFECTS,
    NAMED_EVENTS,
    TARGETS,
    WHO,
    Approval,
    Effect,
    EventType,
    Notify,
    Reaction,
    Workflow,
    read,
)
from models.workflow.view import ENVIRONMENT

# Bounds of one definition: larger than any life cycle that a person can oversee (the largest we know of has 40 states).
states_max, transitions_max, reactions_max, effects_max = 100, 500, 200, 20
timers_max, templates_max, policies_max, webhooks_max, calendars_max = 50, 100, 20, 20, 20
repeats_max = 100  # a timer that goes off more often than that is a queue's work
text_chars_max = 20_000  # of a template; the longest mail that a life cycle should write
_CURRENCY = re.compile(r"^[A-Z]{3}$")
_EVENTS = get_args(EventType)


def parse(body: JsonObject) -> Workflow:
    """Read and check a definition. Raises Invalid with a path and what was expected for everything that is wrong."""
    workflow = read(body)
    found = list(problems(workflow))
    if found:
        raise Invalid(found)
    return workflow


def problems(workflow: Workflow) -> Iterator[FieldProblem]:
    """Return everything that keeps the definition from being published."""
    yield from _sizes(workflow)
    yield from _names(workflow)
    yield from _one_of(".initial", workflow.initial, workflow.states, "states")
    yield from label_problems(".label", workflow.label)
    yield from _states(workflow)
    yield from _transitions(workflow)
    yield from _reactions(workflow)
    yield from _timers(workflow)
    yield from _policies(workflow)
    yield from time_checks.problems(workflow)
    for name, calendar in workflow.calendars.items():
        for problem in working_time.problems(calendar):
            yield FieldProblem(f".calendars.{name}{problem.path}", problem.message)
    for name, webhook in workflow.webhooks.items():
        if not re.match(r"^https?://[^\s/]+", webhook.url):
            yield FieldProblem(f".webhooks.{name}.url", "expected an address that starts with https:// or http://")
    for old, states in workflow.states_from.items():
        for state, ours in states.items():
            yield from _one_of(f".states_from.{old}.{state}", ours, workflow.states, "states")
    yield from _expressions(workflow)


def _sizes(workflow: Workflow) -> Iterator[FieldProblem]:
    for place, found, most in (
        (".states", len(workflow.states), states_max),
        (".transitions", len(workflow.transitions), transitions_max),
        (".reactions", len(workflow.reactions), reactions_max),
        (".timers", len(workflow.timers), timers_max),
        (".templates", len(workflow.templates), templates_max),
        (".sla", len(workflow.sla), policies_max),
        (".webhooks", len(workflow.webhooks), webhooks_max),
        (".calendars", len(workflow.calendars), calendars_max),
    ):
        if found > most:
            yield FieldProblem(place, f"expected at most {most}, found {found}")


def _names(workflow: Workflow) -> Iterator[FieldProblem]:
    told = names.EXPECTED
    if not names.is_dashed_name(workflow.workflow):
        yield FieldProblem(".workflow", told)
    for kind in ("states", "transitions", "templates", "timers", "webhooks", "calendars"):
        for name in getattr(workflow, kind):
            if not names.is_name(name):
                yield FieldProblem(f".{kind}.{name}", told)
    seen: set[str] = set()
    for index, reaction in enumerate(workflow.reactions):
        if not names.is_name(reaction.name):
            yield FieldProblem(f".reactions[{index}].name", told)
        if reaction.name in seen:
            yield FieldProblem(
                f".reactions[{index}].name", f"expected a name of its own, found {reaction.name!r} twice"
            )
        seen.add(reaction.name)


def _one_of(place: str, found: str, known: Iterable[str], kind: str) -> Iterator[FieldProblem]:
    if found not in known:
        yield FieldProblem(place, f"expected one of the {kind}, found {found!r}{_meant(found, known)}")


def _meant(found: str, known: Iterable[str]) -> str:
    close = get_close_matches(found, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _duration(place: str, text: str | int | None) -> Iterator[FieldProblem]:
    if text is None:
        return
    try:
        if parse_duration(text) < 1:
            yield FieldProblem(place, "expected at least 1 second")
    except ValueError as error:
        yield FieldProblem(place, str(error))


def _states(workflow: Workflow) -> Iterator[FieldProblem]:
    for name, state in workflow.states.items():
        yield from label_problems(f".states.{name}.label", state.label)
        yield from label_problems(f".states.{name}.requester_label", state.requester_label)


def _transitions(workflow: Workflow) -> Iterator[FieldProblem]:
    for name, transition in workflow.transitions.items():
        place = f".transitions.{name}"
        yield from label_problems(f"{place}.label", transition.label)
        yield from label_problems(f"{place}.confirm", transition.confirm)
        yield from _one_of(f"{place}.to", transition.to, workflow.states, "states")
        if transition.from_ != "any":
            for state in transition.from_:
                yield from _one_of(f"{place}.from", state, workflow.states, "states")
        for index, who in enumerate(transition.who):
            if who not in WHO and not (who.startswith("team:") and names.is_name(who.removeprefix("team:"))):
                told = f"expected one of {', '.join(WHO)} or team:<name>, found {who!r}"
                yield FieldProblem(f"{place}.who[{index}]", told)
        yield from _effects(workflow, f"{place}.do", transition.do)
        if transition.approval is not None:
            yield from _approval(workflow, f"{place}.approval", transition.approval)


def _approval(workflow: Workflow, place: str, approval: Approval) -> Iterator[FieldProblem]:
    yield from _duration(f"{place}.expires", approval.expires)
    if not 1 <= approval.count <= 20:
        yield FieldProblem(f"{place}.count", f"expected 1 to 20, found {approval.count}")
    for key, follows in approval.follow_ups.items():
        yield from _one_of(f"{place}.{key}", follows, workflow.transitions, "transitions")
    if approval.withdrawn is not None and not approval.withdrawn_by:
        yield FieldProblem(f"{place}.withdrawn_by", "expected fields, because `withdrawn` is given")
    if approval.expired is not None and approval.expires is None:
        yield FieldProblem(f"{place}.expires", "expected a duration, because `expired` is given")


def _reactions(workflow: Workflow) -> Iterator[FieldProblem]:
    for index, reaction in enumerate(workflow.reactions):
        place = f".reactions[{index}]"
        yield from _one_of(f"{place}.on", reaction.event, _EVENTS, "events")
        for state in reaction.in_ or []:
            yield from _one_of(f"{place}.in", state, workflow.states, "states")
        if reaction.transition is not None:
            yield from _one_of(f"{place}.transition", reaction.transition, workflow.transitions, "transitions")
        yield from _subject_of_event(workflow, place, reaction)
        yield from _effects(workflow, f"{place}.do", reaction.do)


def _subject_of_event(workflow: Workflow, place: str, reaction: Reaction) -> Iterator[FieldProblem]:
    """The timer, signal, field, state, target or approval that the reaction's event is about."""
    wanted = NAMED_EVENTS.get(reaction.event)
    for key in ("timer", "signal", "field", "state", "target", "approval"):
        if getattr(reaction, key) is not None and key != wanted:
            yield FieldProblem(f"{place}.{key}", f"expected no `{key}` with `on: {reaction.on}`")
    yield from _name_of_subject(workflow, place, reaction, wanted)
    if ":" in reaction.on and wanted is None:
        yield FieldProblem(f"{place}.on", f"{reaction.event} is about nothing that could follow a colon")


def _name_of_subject(workflow: Workflow, place: str, reaction: Reaction, wanted: str | None) -> Iterator[FieldProblem]:
    known: dict[str | None, Iterable[str]] = {
        "timer": workflow.timers,
        "state": workflow.states,
        "target": TARGETS,
        "approval": workflow.transitions,
    }
    if reaction.about is None:
        if reaction.event in ("timer", "signal"):
            told = f"expected the name of the {wanted} that `on: {reaction.on}` is about"
            yield FieldProblem(f"{place}.{wanted}", told)
    elif wanted in known:
        yield from _one_of(f"{place}.{wanted}", reaction.about, known[wanted], f"{wanted}s")
    elif not names.is_name(reaction.about):
        yield FieldProblem(f"{place}.{wanted or 'on'}", names.EXPECTED)


def _effects(workflow: Workflow, place: str, effects: list[Effect]) -> Iterator[FieldProblem]:
    if len(effects) > effects_max:
        yield FieldProblem(place, f"expected at most {effects_max} effects, found {len(effects)}")
    for index, effect in enumerate(effects):
        yield from _effect(workflow, f"{place}[{index}]", effect)


def _effect(workflow: Workflow, place: str, effect: Effect) -> Iterator[FieldProblem]:
    named = [name for name in EFFECTS if getattr(effect, name) is not None]
    if len(named) != 1:
        found = ", ".join(named) or "none"
        yield FieldProblem(place, f"expected exactly one of {', '.join(EFFECTS)}; found {found}")
        return
    for key, name, known, what in _names_in(workflow, effect):
        if name is not None:
            yield from _one_of(f"{place}.{key}", name, known, what)
    yield from _rules_of_effect(place, effect)


def _rules_of_effect(place: str, effect: Effect) -> Iterator[FieldProblem]:
    if effect.notify is not None and _recipients(effect.notify) != 1:
        yield FieldProblem(f"{place}.notify", "expected exactly one of assignee: true, team, user")
    if effect.assign is not None and (effect.assign.how == "person") != (effect.assign.user is not None):
        yield FieldProblem(f"{place}.assign.user", "expected an e-mail address with `how: person`, and only there")
    if effect.charge is not None:
        yield from _money(f"{place}.charge", effect.charge.amount, effect.charge.currency)


def _names_in(workflow: Workflow, effect: Effect) -> Iterator[tuple[str, str | None, Iterable[str], str]]:
    """Each name that an effect may hold: its key, the name, the names that there are, and their section."""
    yield "send", effect.send, workflow.templates, "templates"
    yield "note", effect.note, workflow.templates, "templates"
    yield "ask_rating", effect.ask_rating, workflow.templates, "templates"
    yield "priority", effect.priority, workflow.priorities, "priorities"
    yield "start_timer", effect.start_timer, workflow.timers, "timers"
    yield "stop_timer", effect.stop_timer, workflow.timers, "timers"
    yield "webhook", effect.webhook, workflow.webhooks, "webhooks"
    if effect.notify is not None:
        yield "notify", effect.notify.text, workflow.templates, "templates"
    if effect.create_ticket is not None:
        yield "create_ticket.title", effect.create_ticket.title, workflow.templates, "templates"
        yield "create_ticket.description", effect.create_ticket.description, workflow.templates, "templates"


def _recipients(notify: Notify) -> int:
    return sum((notify.assignee, notify.team is not None, notify.user is not None))


def _money(place: str, amount: str, currency: str) -> Iterator[FieldProblem]:
    try:
        exact = Decimal(amount)
        fits = exact.is_finite() and 0 < exact < 10**9 and exact == exact.quantize(Decimal("0.01"))
    except InvalidOperation:
        fits = False
    if not fits:
        yield FieldProblem(f"{place}.amount", f'expected an amount such as "4.50", found {amount!r}')
    if not _CURRENCY.match(currency):
        yield FieldProblem(f"{place}.currency", f"expected a currency of ISO 4217 such as EUR, found {currency!r}")


def _timers(workflow: Workflow) -> Iterator[FieldProblem]:
    for name, timer in workflow.timers.items():
        place = f".timers.{name}"
        for state in timer.in_:
            yield from _one_of(f"{place}.in", state, workflow.states, "states")
        if not timer.in_ and not timer.manual:
            yield FieldProblem(f"{place}.in", "expected the states in which it runs, or `manual: true`")
        yield from _duration(f"{place}.after", timer.after)
        if timer.after_s < 0:
            yield FieldProblem(f"{place}.after_s", "expected at least 1 second")
        if timer.calendar is not None:
            yield from _one_of(f"{place}.calendar", timer.calendar, workflow.calendars, "calendars")
        if timer.repeat is not None:
            yield from _duration(f"{place}.repeat.every", timer.repeat.every)
            if not 1 <= timer.repeat.times <= repeats_max:
                yield FieldProblem(f"{place}.repeat.times", f"expected 1 to {repeats_max}, found {timer.repeat.times}")


def _policies(workflow: Workflow) -> Iterator[FieldProblem]:
    seen: set[str] = set()
    for index, policy in enumerate(workflow.sla):
        place = f".sla[{index}]"
        if not names.is_name(policy.name) or policy.name in seen:
            told = "expected a name of its own of lower-case letters, digits and underscores"
            yield FieldProblem(f"{place}.name", told)
        seen.add(policy.name)
        if policy.calendar is not None:
            yield from _one_of(f"{place}.calendar", policy.calendar, workflow.calendars, "calendars")
        yield from _duration(f"{place}.warn_before", policy.warn_before)
        for state in policy.pause_in:
            yield from _one_of(f"{place}.pause_in", state, workflow.states, "states")
        if not policy.targets:
            yield FieldProblem(f"{place}.targets", f"expected one of {', '.join(TARGETS)}")
        for target, promised in policy.targets.items():
            yield from _promised(workflow, f"{place}.targets.{target}", promised)


def _promised(workflow: Workflow, place: str, promised: str | Mapping[str, str]) -> Iterator[FieldProblem]:
    if isinstance(promised, str):
        yield from _duration(place, promised)
        return
    for priority, duration in promised.items():
        if priority != "default":
            yield from _one_of(f"{place}.{priority}", priority, workflow.priorities, "priorities")
        yield from _duration(f"{place}.{priority}", duration)


def _expressions(workflow: Workflow) -> Iterator[FieldProblem]:
    """Conditions and templates: their syntax here; their types need the information model (`analysis`)."""
    for place, expression in places.conditions(workflow):
        if (error := checker.problem(expression, ENVIRONMENT)) is not None:
            yield FieldProblem(place, f"not a CEL condition: {error}")
    for name, template in workflow.templates.items():
        yield from label_problems(f".templates.{name}", template)
        for language, text in template.items():
            for problem in templates.problems(text, None):
                where = f"line {problem.line}, column {problem.column}: " if problem.line else ""
                yield FieldProblem(f".templates.{name}.{language}", where + problem.message)
