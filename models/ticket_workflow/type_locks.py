"""Tells what holds a ticket's type: locked fields, and an approval that waits or stands."""

from __future__ import annotations

from models.infomodel import locks, published
from models.workflow import engine
from models.workflow.definition import Workflow
from models.workflow.execution import standing
from models.workflow.instance import Instance


def refusal(workflow: Workflow, instance: Instance) -> str | None:
    """Return the reason why the type cannot change now, with the transitions that end it, or None."""
    entity = published.find(instance.type)
    held = [f"{name} is locked" for name in sorted(locks.locked(entity, instance.state))]
    held += [f"the approval of {name} stands" for name in sorted(instance.approved)]
    held += [f"{name} waits for an approval" for name in sorted(instance.approvals)]
    if not held:
        return None

    def is_free(state: str) -> bool:
        return not locks.locked(entity, state) and not _binds(workflow, instance, state)

    ways = " or ".join(engine.ways_out(workflow, instance, is_free))
    way = f"take {ways} first" if ways else "no transition ends that"
    return f"the type cannot change while the ticket is {instance.state}: {', '.join(held)}; {way}"


def _binds(workflow: Workflow, instance: Instance, state: str) -> bool:
    """Return True if an approval that waits or stands now would still do so in a state."""
    waiting = (workflow.transitions[name] for name in instance.approvals if name in workflow.transitions)
    return any(one.starts_in(state) for one in waiting) or any(
        not standing.lapses_in(workflow, name, state) for name in instance.approved
    )
