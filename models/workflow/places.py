"""Lists every condition and every effect of a definition with its path in the file."""

from __future__ import annotations

from collections.abc import Iterator

from models.workflow.definition import Effect, Workflow


def effects(workflow: Workflow) -> Iterator[tuple[str, Effect]]:
    """Every effect with its path."""
    for name, transition in workflow.transitions.items():
        for index, effect in enumerate(transition.do):
            yield f".transitions.{name}.do[{index}]", effect
    for number, reaction in enumerate(workflow.reactions):
        for index, effect in enumerate(reaction.do):
            yield f".reactions[{number}].do[{index}]", effect


def conditions(workflow: Workflow) -> Iterator[tuple[str, str]]:
    """Every CEL condition with its path (true or false; `values` has the expressions that give a value)."""
    for name, transition in workflow.transitions.items():
        if transition.guard is not None:
            yield f".transitions.{name}.guard", transition.guard
    for number, reaction in enumerate(workflow.reactions):
        if reaction.when is not None:
            yield f".reactions[{number}].when", reaction.when
    for number, policy in enumerate(workflow.sla):
        if policy.when is not None:
            yield f".sla[{number}].when", policy.when
    for place, effect in effects(workflow):
        if effect.when is not None:
            yield f"{place}.when", effect.when


def values(workflow: Workflow) -> Iterator[tuple[str, str]]:
    """Every CEL expression that gives a field its value, with its path."""
    for place, effect in effects(workflow):
        for field, value in (effect.set or {}).items():
            if isinstance(value, dict) and list(value) == ["cel"] and isinstance(value["cel"], str):
                yield f"{place}.set.{field}.cel", value["cel"]


def templates(workflow: Workflow) -> Iterator[tuple[str, str]]:
    """Every use of a template: the path of the effect and the template's name."""
    for place, effect in effects(workflow):
        made = effect.create_ticket
        for name in (
            effect.send,
            effect.note,
            effect.ask_rating,
            effect.notify.text if effect.notify else None,
            made.title if made else None,
            made.description if made else None,
        ):
            if name is not None:
                yield place, name
