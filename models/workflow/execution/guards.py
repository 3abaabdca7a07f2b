"""Guards: everything that speaks against a transition now."""

from __future__ import annotations

from models.expressions import conditions
from models.workflow.definition import Transition
from models.workflow.execution.run import Run, is_assignee, not_evaluated
from models.workflow.instance import Actor, Instance

NOTHING_ASKED = conditions.Explanation(result=True, error=None, failed=(), values={})


def reasons(
    run: Run, name: str, transition: Transition, *, comment: str | None, asked: bool, decided: bool = False
) -> tuple[list[str], conditions.Explanation]:
    """Everything that speaks against a transition now; `comment` is None when it is not asked for.

    `asked`: by a person (who the actor is counts); a reaction acts as `automation`. `decided`: by an approval; who may was judged before.
    """
    found: list[str] = []
    ticket, actor = run.instance, run.context.actor if asked else Actor()
    if not transition.starts_in(ticket.state):
        if transition.from_ == "any":
            found.append(f"the ticket is already {ticket.state}")
        else:
            found.append(f"{name} starts from {', '.join(transition.from_)}; the ticket is {ticket.state}")
    elif transition.to == ticket.state:
        found.append(f"the ticket is already {ticket.state}")
    if not decided and not may(transition.who, actor, ticket):
        found.append(f"{name} is for {', '.join(transition.who)}; you are {actor.role}")
    if transition.comment == "required" and comment is not None and not comment.strip():
        found.append(f"{name} needs a comment")
    missing = _missing(run, transition) if transition.requires else []
    if missing:
        found.append(f"{name} needs a value in {', '.join(missing)}")
    if name in ticket.approvals:
        found.append(f"{name} already waits for the approval of {ticket.approvals[name].team}")
    explained = NOTHING_ASKED
    if transition.guard is not None:
        explained = run.explain(transition.guard)
        if explained.error is not None:
            found.append(not_evaluated(transition.guard, explained))
        elif not explained.result:
            parts = " and ".join(repr(part) for part in explained.failed) or repr(transition.guard)
            found.append(f"the condition {parts} does not hold{conditions.in_words(explained.values)}")
    return found, explained


def may(who: list[str], actor: Actor, ticket: Instance) -> bool:
    """Whether `who` of a transition names the actor: by role, as assignee, or by team."""
    return (
        actor.role in who
        or ("assignee" in who and is_assignee(actor, ticket))
        or any(f"team:{team}" in who for team in actor.teams)
    )


def _missing(run: Run, transition: Transition) -> list[str]:
    _, filled = run.context.fields_view(run.instance.type, run.instance.fields)
    return [name for name in transition.requires if name not in filled]
