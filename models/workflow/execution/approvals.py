"""Transitions that wait for people: asking, counting votes, refusal, expiry and withdrawal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from models.expressions.durations import parse_duration
from models.workflow.acts import ApprovalAsked, ApprovalDecided, ApprovalVoted, Reason, Refused
from models.workflow.definition import Approval
from models.workflow.execution import guards, transitions
from models.workflow.execution.run import Run
from models.workflow.instance import Event, PendingApproval, RuleTrace


def ask(run: Run, name: str, approval: Approval, *, comment: str | None, why: Reason) -> None:
    """The transition waits; the ticket stays where it is."""
    expires_at = None
    if approval.expires is not None:
        expires_at = run.context.now + timedelta(seconds=parse_duration(approval.expires))
    actor = run.context.actor
    run.instance.approvals[name] = PendingApproval(
        name, approval.team, approval.count, asked_by=actor.id, expires_at=expires_at, comment=comment
    )
    asked = ApprovalAsked(
        name,
        why=why,
        transition=name,
        team=approval.team,
        needed=approval.count,
        expires_at=expires_at,
        comment=comment,
    )
    run.act(asked)
    run.emit(Event("approval_requested", name))


def objections(run: Run, name: str) -> tuple[str, ...]:
    """List the reasons why the actor's vote on a transition does not count; empty when it does."""
    pending = run.instance.approvals.get(name)
    if pending is None:
        return (f"{name} does not wait for an approval",)
    actor, found = run.context.actor, []
    if pending.team not in actor.teams:
        found.append(f"votes on {name} are for members of {pending.team}")
    if actor.id in pending.votes:
        found.append("you have voted already")
    approval = run.workflow.transitions[name].approval
    if approval is not None and not approval.own and actor.id and actor.id == pending.asked_by:
        found.append("who asked for an approval cannot give it")
    return tuple(found)


def count(run: Run, name: str, vote: str, comment: str | None) -> None:
    """Note a vote that counts (`approve` or `refuse`); one refusal or the last approval decides."""
    pending, actor = run.instance.approvals[name], run.context.actor
    pending = replace(pending, votes={**pending.votes, actor.id: vote})
    run.instance.approvals[name] = pending
    run.act(ApprovalVoted(name, transition=name, user=actor.id, vote=vote, comment=comment))
    if vote == "refuse":
        _decided(run, name, "refused", comment=comment)
    elif sum(each == "approve" for each in pending.votes.values()) >= pending.needed:
        _approved(run, name, pending)


def withdraw(run: Run, field: str) -> bool:
    """End the approvals that a change of a field withdraws, those that wait and those that stand.

    Return whether there were any.
    """
    found = False
    for name, transition in run.workflow.transitions.items():
        approval = transition.approval
        if approval is None or field not in approval.withdrawn_by:
            continue
        if name in run.instance.approvals or name in run.instance.approved:
            found = True
            reason = f"{field} changed, so the approval of {approval.team} is withdrawn"
            run.trace(RuleTrace("field_changed", name, "acted", reasons=(reason,)))
            _decided(run, name, "withdrawn", comment=None, field=field)
    return found


def _approved(run: Run, name: str, pending: PendingApproval) -> None:
    transition = run.workflow.transitions[name]
    del run.instance.approvals[name]
    run.instance.approved |= {name}
    run.act(ApprovalDecided(name, transition=name, outcome="approved"))
    found, explained = guards.reasons(run, name, transition, comment=None, asked=False, decided=True)
    if not found and (veto := run.context.veto(transition.to)) is not None:
        found = [veto]
    why = Reason(transition.guard, explained.values)
    if found:
        run.act(Refused(name, why=why, event="approval", transition=name, reasons=tuple(found)))
        return
    transitions.take(run, name, transition, rule=name, event="approval", comment=pending.comment, why=why)


def expire(run: Run, name: str) -> None:
    """End an approval whose time is over. It counts as a refusal, and may have its own transition."""
    pending = run.instance.approvals.get(name)
    if pending is None or pending.expires_at is None or pending.expires_at > run.context.now:
        return
    _decided(run, name, "expired", comment=None)


def _decided(run: Run, name: str, outcome: str, *, comment: str | None, field: str | None = None) -> None:
    approval = run.workflow.transitions[name].approval
    run.instance.approvals.pop(name, None)
    run.instance.approved -= {name}
    run.act(ApprovalDecided(name, transition=name, outcome=outcome, field=field))
    follows = None if approval is None else approval.follow_ups.get(outcome)
    if follows is not None:
        transition = run.workflow.transitions[follows]
        if transition.starts_in(run.instance.state):
            transitions.take(run, follows, transition, rule=name, event=f"approval_{outcome}", comment=comment)
    run.emit(Event(f"approval_{outcome}", name))
