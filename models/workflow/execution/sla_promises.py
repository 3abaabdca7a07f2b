"""SLA: which policy promises what to a ticket, and what events and states do to its clocks."""

from __future__ import annotations

from models.expressions.durations import parse_duration
from models.sla import clocks
from models.sla.clocks import Clock
from models.sla.working_time import Calendar
from models.workflow.acts import ClockChanged, SlaBreached, SlaWarned
from models.workflow.definition import SlaPolicy, Target, Workflow
from models.workflow.execution.run import Run, not_evaluated
from models.workflow.instance import NO_MESSAGE, Event, RuleTrace

_LIVE = ("running", "paused")


def follow(run: Run, *, old: Workflow | None = None) -> None:
    """Bring the ticket's clocks into line with its policy, priority and state. Nothing to do without policies.

    `old`: the version that the ticket comes from. Its calendars count the working time until now, and those of the new
    version count from now on.
    """
    if not run.workflow.sla and not run.instance.clocks:
        return
    policy = _policy(run)
    _follow_promises(run, policy, old or run.workflow)
    _follow_state(run, policy)


def meet_response(run: Run) -> None:
    """Meet the promises of a response, because an agent wrote to the requester."""
    for target in ("first_response", "next_response"):
        _meet(run, target)


def promise_response(run: Run) -> None:
    """Promise a response to the requester who wrote, unless one is promised. A machine gets no promise."""
    if not run.workflow.sla or (run.context.message or NO_MESSAGE)["by_machine"]:
        return
    policy, clocks_ = _policy(run), run.instance.clocks
    waits = any(clocks_[target].state in _LIVE for target in ("first_response", "next_response") if target in clocks_)
    if policy is not None and not waits:
        _start(run, policy, "next_response")
        _follow_state(run, policy)


def fire_clock(run: Run, target: str) -> None:
    """Record the warning or the breach of a clock whose timer fired. A stale timer has no effect."""
    clock = run.instance.clocks.get(target)
    kind = clocks.due(clock, run.context.now) if clock is not None else None
    if clock is None or kind is None:
        run.trace(RuleTrace("sla", target, "silent", reasons=("the clock was stopped, met or moved in the meantime",)))
        return
    due_at = clock.due_at
    if kind == "breach":
        _put(run, target, clocks.breached(clock, run.context.now), rule=clock.policy)
        run.act(SlaBreached(clock.policy, target=target, due_at=due_at))
        run.emit(Event("sla_breached", target))
    else:
        _put(run, target, clocks.warned(clock, run.context.now), rule=clock.policy)
        run.act(SlaWarned(clock.policy, target=target, due_at=due_at))
        run.emit(Event("sla_warning", target))


def _policy(run: Run) -> SlaPolicy | None:
    """The first policy that applies to the ticket as it is now.

    One whose condition cannot be evaluated does not apply.
    """
    for policy in run.workflow.sla:
        if policy.when is None:
            return policy
        explained = run.explain(policy.when)
        if explained.result:
            return policy
        if explained.error is not None:
            reasons = (not_evaluated(policy.when, explained),)
            trace = RuleTrace("sla", policy.name, "refused", policy.when, explained.failed, explained.values, reasons)
            if trace not in run.traces:  # a step asks for the policy several times
                run.trace(trace)
    return None


def target_s(policy: SlaPolicy, target: str, priority: str) -> int | None:
    """The time that a policy promises for a target at a priority, in seconds, or None."""
    promised = policy.targets.get(target)  # type: ignore[call-overload]  # a name from a row
    if isinstance(promised, dict):
        promised = promised.get(priority, promised.get("default"))
    return parse_duration(promised) if promised is not None else None


def _follow_promises(run: Run, policy: SlaPolicy | None, old: Workflow) -> None:
    ticket = run.instance
    live = [(target, clock) for target, clock in ticket.clocks.items() if clock.state in _LIVE]
    for target, clock in live:
        seconds = target_s(policy, target, ticket.priority) if policy is not None else None
        if policy is None or seconds is None:
            _put(run, target, clocks.cancel(clock), rule=clock.policy)
        elif _differs(clock, calendar_of(old, clock), policy, seconds, _calendar(run.workflow, policy)):
            moved = clocks.retarget(
                clock,
                target_s=seconds,
                warn_before_s=_warn_s(policy),
                policy=policy.name,
                calendar_name=policy.calendar,
                old_calendar=calendar_of(old, clock),
                calendar=_calendar(run.workflow, policy),
                now=run.context.now,
                can_be_kept=True,
            )
            _put(run, target, moved, rule=policy.name)
    if policy is not None:
        _start_missing(run, policy)


def _differs(
    clock: Clock, calendar: Calendar | None, policy: SlaPolicy, seconds: int, new_calendar: Calendar | None
) -> bool:
    """Return True if the policy promises something else than the clock counts, or by other working hours."""
    known = (clock.policy, clock.target_s, clock.warn_before_s, calendar)
    return known != (policy.name, seconds, _warn_s(policy), new_calendar)


def _start_missing(run: Run, policy: SlaPolicy) -> None:
    """Start the clocks of the first response and of the resolution that the ticket does not have yet."""
    ticket = run.instance
    if "first_response" not in ticket.clocks and ticket.first_response_at is None:
        _start(run, policy, "first_response")
    if "resolution" not in ticket.clocks or ticket.clocks["resolution"].state == "cancelled":
        _start(run, policy, "resolution")


def _follow_state(run: Run, policy: SlaPolicy | None) -> None:
    """Pause, resume, meet, cancel or reopen the clocks, as the ticket's state requires."""
    ticket = run.instance
    state = run.workflow.states[ticket.state]
    over = ticket.category in ("done", "closed")
    for target, clock in list(ticket.clocks.items()):
        calendar = calendar_of(run.workflow, clock)
        if over:
            if clock.state not in _LIVE:
                continue
            ended = clocks.meet(clock, run.context.now, calendar) if target == "resolution" else clocks.cancel(clock)
            _put(run, target, ended, rule=clock.policy)
            continue
        if target == "resolution" and clock.state == "met":
            clock = clocks.reopen(clock, run.context.now, calendar)
        stands = target in state.pauses or (policy is not None and ticket.state in policy.pause_in)
        turn = clocks.pause if stands else clocks.resume
        _put(run, target, turn(clock, run.context.now, calendar), rule=clock.policy)


def _start(run: Run, policy: SlaPolicy, target: Target) -> None:
    seconds = target_s(policy, target, run.instance.priority)
    if seconds is None or run.instance.category in ("done", "closed"):
        return
    clock = clocks.start(
        target,
        policy=policy.name,
        target_s=seconds,
        warn_before_s=_warn_s(policy),
        calendar_name=policy.calendar,
        calendar=_calendar(run.workflow, policy),
        now=run.context.now,
    )
    _put(run, target, clock, rule=policy.name)


def _meet(run: Run, target: str) -> None:
    clock = run.instance.clocks.get(target)
    if clock is not None and clock.state in _LIVE:
        met = clocks.meet(clock, run.context.now, calendar_of(run.workflow, clock))
        _put(run, target, met, rule=clock.policy)


def _put(run: Run, target: str, clock: Clock, *, rule: str) -> None:
    if run.instance.clocks.get(target) != clock:
        run.instance.clocks[target] = clock
        run.act(ClockChanged(rule, target=target, clock=clock))


def _warn_s(policy: SlaPolicy) -> int:
    return parse_duration(policy.warn_before) if policy.warn_before is not None else 0


def _calendar(workflow: Workflow, policy: SlaPolicy) -> Calendar | None:
    return workflow.calendars[policy.calendar] if policy.calendar is not None else None


def calendar_of(workflow: Workflow, clock: Clock) -> Calendar | None:
    """The calendar that a clock counts by; the wall clock's when this version no longer has it."""
    return workflow.calendars.get(clock.calendar) if clock.calendar is not None else None
