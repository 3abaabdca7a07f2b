"""Which rule acts: reactions in their order, and everything that speaks against a transition."""

from __future__ import annotations

from models.expressions import conditions
from models.workflow.acts import Reason, Refused, TimerStarted, Unmatched
from models.workflow.definition import NAMED_EVENTS, Reaction, Transition
from models.workflow.execution.run import Run, is_assignee
from models.workflow.instance import Actor, Event, Instance, Look

NOTHING_ASKED = conditions.Explanation(result=True, error=None, failed=(), values={})


def react(run: Run, event: Event) -> None:
    """Let the reactions look at an event; the first that matches acts and ends it, unless it says `continue`."""
    ended = matched = False
    for reaction in run.workflow.reactions:
        if not is_about(reaction, event):
            continue
        if ended:
            run.look(Look(event.type, reaction.name, "not_reached", reaction.when))
            continue
        explained = _matches(run, reaction, event)
        if explained is None:
            continue
        matched, ended = True, not reaction.continue_
        _act(run, reaction, event, explained)
    if not matched and event.type in run.workflow.unmatched:
        run.act(Unmatched("engine", event=event.type, name=event.name))


def is_about(reaction: Reaction, event: Event) -> bool:
    if reaction.event != event.type:
        return False
    about = reaction.about
    return about is None or event.type not in NAMED_EVENTS or about == event.name


def _matches(run: Run, reaction: Reaction, event: Event) -> conditions.Explanation | None:
    """What the condition saw when the reaction matches; None, and a look that says why, when it does not."""
    state = run.instance.state
    if reaction.in_ is not None and state not in reaction.in_:
        reason = f"it is for {', '.join(reaction.in_)}; the ticket is {state}"
        run.look(Look(event.type, reaction.name, "silent", reaction.when, reasons=(reason,)))
        return None
    if reaction.when is None:
        return NOTHING_ASKED
    explained = run.explain(reaction.when)
    if explained.result:
        return explained
    if explained.error is not None:
        reasons = (not_evaluated(reaction.when, explained),)
        run.look(
            Look(
                event.type,
                reaction.name,
                "refused",
                reaction.when,
                explained.failed,
                explained.values,
                reasons,
            )
        )
        run.act(Refused(reaction.name, event=event.type, transition=reaction.transition, reasons=reasons))
        return None
    run.look(Look(event.type, reaction.name, "silent", reaction.when, explained.failed, explained.values))
    return None


def _act(run: Run, reaction: Reaction, event: Event, explained: conditions.Explanation) -> None:
    from models.workflow.execution import approvals, effects

    why = Reason(reaction.when, explained.values)
    if reaction.transition is None:
        run.look(Look(event.type, reaction.name, "acted", reaction.when, (), explained.values))
        for effect in reaction.do:
            effects.run(run, effect, rule=reaction.name, why=why)
        return
    transition = run.workflow.transitions[reaction.transition]
    found, guarded = reasons(run, reaction.transition, transition, comment=None, asked=False)
    if not found and (veto := run.context.veto(transition.to)) is not None:
        found = [veto]
        if event.type == "timer":
            # Fires again immediately. The next task runs after the one that vetoed it; a state change cancels it.
            again = TimerStarted(reaction.name, timer=event.name, due_at=run.context.now, count=event.count)
            run.act(again)
    if found:
        values = {**explained.values, **guarded.values}
        run.look(
            Look(event.type, reaction.name, "refused", transition.guard, guarded.failed, values, tuple(found))
        )
        refused = Refused(
            reaction.name, why=why, event=event.type, transition=reaction.transition, reasons=tuple(found)
        )
        run.act(refused)
        return
    run.look(Look(event.type, reaction.name, "acted", reaction.when, (), explained.values))
    for effect in reaction.do:
        effects.run(run, effect, rule=reaction.name, why=why)
    if transition.approval is not None:
        approvals.ask(run, reaction.transition, transition.approval, comment=None, why=why)
    else:
        run.make(reaction.transition, transition, rule=reaction.name, event=event.type, why=why)


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


def not_evaluated(condition: str, explained: conditions.Explanation) -> str:
    """A condition that is neither true nor false, what failed, and the values that it saw."""
    seen = conditions.in_words(explained.values)
    return f"the condition {condition!r} cannot be evaluated: {explained.error}{seen}"
