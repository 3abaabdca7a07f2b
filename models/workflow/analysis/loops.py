"""Finds loops: reactions that undo each other, endless timers, mail that answers machines."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from models.expressions import parts, truth
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import Effect, Reaction

Node = tuple[int, str]  # a reaction, and the state after it
N = TypeVar("N", bound=Hashable)


def findings(subject: Subject) -> Iterator[Finding]:
    yield from _circles(subject)
    yield from _undone_fields(subject)
    yield from _mail(subject)


def _circles(subject: Subject) -> Iterator[Finding]:
    """Find reactions that cause each other in a circle, directly or by timers, without a person's event in between."""
    graph = {node: list(_next(subject, node)) for node in _nodes(subject)}
    told: set[int] = set()
    for node in graph:
        index = node[0]
        circle = way_back(graph, node)
        if circle is None or index in told:
            continue
        told |= {index for index, _ in circle}
        reactions = [subject.workflow.reactions[index] for index, _ in circle]
        names = " -> ".join(reaction.name for reaction in reactions)
        if any(reaction.event == "timer" for reaction in reactions):
            message = f"{names} go round for ever without anybody: let a person's event stand between, or use `repeat`, which has a bound"
            yield _sure_or_not(reactions, "timer_loop", f".reactions[{index}]", message)
        else:
            message = f"{names} cause each other at once, until the engine stops them: let one wait for a person, or narrow its `in`"
            yield _sure_or_not(reactions, "reactions_undo_each_other", f".reactions[{index}]", message)


def _sure_or_not(reactions: list[Reaction], code: str, place: str, message: str) -> Finding:
    """A condition on the way may end the circle; that is for people to judge."""
    if any(reaction.when is not None for reaction in reactions):
        return warning(code, place, f"{message} (if the conditions on the way never end it)")
    return error(code, place, message)


def _nodes(subject: Subject) -> Iterator[Node]:
    for index, reaction in enumerate(subject.workflow.reactions):
        if reaction.transition is not None and subject.workflow.transitions[reaction.transition].approval is not None:
            continue  # people decide in between
        for state in _starts(subject, reaction):
            yield index, _after(subject, reaction, state)


def _starts(subject: Subject, reaction: Reaction) -> set[str]:
    """The states in which a reaction can act."""
    names = set(reaction.in_) if reaction.in_ is not None else set(subject.workflow.states)
    if reaction.event == "state_entered" and reaction.about is not None:
        names &= {reaction.about}
    names &= _states_of_timer(subject, reaction) or names
    if reaction.transition is not None:
        names = {name for name in names if subject.workflow.transitions[reaction.transition].starts_in(name)}
    return names


def _states_of_timer(subject: Subject, reaction: Reaction) -> set[str]:
    """The states that the timer of a reaction is bound to; empty when it is bound to none."""
    timer = subject.workflow.timers.get(reaction.about or "") if reaction.event == "timer" else None
    return set(timer.in_) if timer is not None and not timer.keep else set()


def _after(subject: Subject, reaction: Reaction, state: str) -> str:
    return state if reaction.transition is None else subject.workflow.transitions[reaction.transition].to


def _effects(subject: Subject, reaction: Reaction) -> list[Effect]:
    moved = subject.workflow.transitions[reaction.transition].do if reaction.transition is not None else []
    return [*reaction.do, *moved]


def _next(subject: Subject, node: Node) -> Iterator[Node]:
    """Yield the reactions that this one triggers, directly or by a timer."""
    index, state = node
    reaction = subject.workflow.reactions[index]
    for number, other in enumerate(subject.workflow.reactions):
        if other.transition is not None and subject.workflow.transitions[other.transition].approval is not None:
            continue
        if state in _starts(subject, other) and _sets_off(subject, reaction, other, state):
            yield number, _after(subject, other, state)


def _sets_off(subject: Subject, reaction: Reaction, other: Reaction, state: str) -> bool:
    asked = _CAUSES.get(other.event)
    return asked is not None and asked(subject, reaction, other, state)


def _enters(subject: Subject, reaction: Reaction, other: Reaction, state: str) -> bool:
    return reaction.transition is not None and other.about in (None, state)


def _assigns(subject: Subject, reaction: Reaction, other: Reaction, state: str) -> bool:
    given = [effect.assign for effect in _effects(subject, reaction) if effect.assign is not None]
    return any(_fits(subject, other, state, assigned=one.how != "nobody") for one in given)


def _changes_field(subject: Subject, reaction: Reaction, other: Reaction, state: str) -> bool:
    return any(other.about in (None, name) for name, _ in _sets(_effects(subject, reaction)))


def _starts_timer(subject: Subject, reaction: Reaction, other: Reaction, state: str) -> bool:
    timer = subject.workflow.timers.get(other.about or "")
    begins = reaction.transition is not None and timer is not None and not timer.manual
    return begins or any(effect.start_timer == other.about for effect in _effects(subject, reaction))


_CAUSES: dict[str, Callable[[Subject, Reaction, Reaction, str], bool]] = {
    "state_entered": _enters,
    "assigned": _assigns,
    "field_changed": _changes_field,
    "timer": _starts_timer,
}


def _fits(subject: Subject, reaction: Reaction, state: str, *, assigned: bool) -> bool:
    when = reaction.when or "true"
    domains = subject.domains([state], reaction.event)
    return truth.possible_together([(when, True), ("ticket.assigned", assigned)], domains) is not False


def way_back(graph: Mapping[N, Sequence[N]], start: N) -> list[N] | None:
    """A shortest way from a node to itself."""
    came: dict[N, N | None] = {}
    todo: list[tuple[N, N | None]] = [(after, None) for after in graph[start]]
    while todo:
        node, before = todo.pop(0)
        if node in came:
            continue
        came[node] = before
        if node == start:
            way, at = [start], before
            while at is not None:
                way.append(at)
                at = came[at]
            return way[::-1]
        todo.extend((after, node) for after in graph.get(node, ()))
    return None


def _undone_fields(subject: Subject) -> Iterator[Finding]:
    """Find reactions to a change of one field that set it to different values without reading it."""
    setters: dict[str, list[tuple[int, object]]] = {}
    for index, reaction in enumerate(subject.workflow.reactions):
        for name, value in _set_blindly(reaction):
            setters.setdefault(name, []).append((index, value))
    for name, found in setters.items():
        values = {repr(value) for _, value in found}
        if len(values) > 1:
            told = (
                f"{name} is set to {' and '.join(sorted(values))} by reactions to its own change: each undoes the other"
            )
            yield error("reactions_undo_each_other", f".reactions[{found[-1][0]}]", told)


def _set_blindly(reaction: Reaction) -> Iterator[tuple[str, object]]:
    """The fields that a reaction to their own change sets without reading them, and the values."""
    if reaction.event != "field_changed" or (reaction.when is not None and "event.after" in reaction.when):
        return
    for name, value in _sets(reaction.do):
        if reaction.about in (None, name) and not _reads(reaction, name):
            yield name, value


def _sets(effects: list[Effect]) -> Iterator[tuple[str, object]]:
    for effect in effects:
        yield from (effect.set or {}).items()
        if effect.priority is not None:
            yield "priority", effect.priority
        if effect.team is not None:
            yield "team", effect.team


def _reads(reaction: Reaction, name: str) -> bool:
    paths = parts.reads(reaction.when) if reaction.when is not None else []
    return any(path in (f"fields.{name}", f"ticket.fields.{name}", f"ticket.{name}") for path in paths)


def _mails(effect: Effect) -> bool:
    """Return True if the effect writes to the requester, whoever wrote last."""
    asks = effect.when is not None and 'message.automatic == ""' in effect.when
    return (effect.send is not None or effect.ask_rating is not None) and not asks


_MAIL_EVENTS = ("ticket_created", "requester_message")


def _mail(subject: Subject) -> Iterator[Finding]:
    for index, reaction in enumerate(subject.workflow.reactions):
        sends = any(_mails(effect) for effect in _effects(subject, reaction))
        place = f".reactions[{index}]"
        if sends and reaction.event == "delivery_failed":
            told = (
                "a message that answers a failed delivery goes to the address that just failed: notify agents instead"
            )
            yield error("mail_loop", place, told)
        if not sends or reaction.event not in _MAIL_EVENTS:
            continue
        when = reaction.when or "true"
        apart = truth.possible_together(
            [(when, True), ('message.automatic == ""', False)], subject.domains(reaction.in_, reaction.event)
        )
        if apart is not False:
            told = (
                'this mail could answer a machine: add `message.automatic == ""` to its condition '
                "(the engine withholds such mail anyway, and notes it)"
            )
            yield warning("mail_loop", place, told)
