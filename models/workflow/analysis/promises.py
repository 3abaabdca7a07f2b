"""SLA policies: which one applies must be clear, and a promise must be able to be broken and kept."""

from __future__ import annotations

from collections.abc import Iterator

from models.expressions import truth
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject
from models.workflow.definition import SlaPolicy


def findings(subject: Subject) -> Iterator[Finding]:
    """Find policies that overlap, promise nothing, or cannot be broken."""
    for index, policy in enumerate(subject.workflow.sla):
        yield from _ambiguous(subject, index, policy)
        for target, promised in policy.targets.items():
            place = f".sla[{index}].targets.{target}"
            yield from _without_default(subject, place, promised)
            yield from _never_runs(subject, place, policy, target)


def _ambiguous(subject: Subject, index: int, policy: SlaPolicy) -> Iterator[Finding]:
    policies = subject.workflow.sla
    if policy.when is None:
        if index < len(policies) - 1:
            told = f"{policy.name} is for every ticket, so those after it never apply: put it last"
            yield error("sla_ambiguous", f".sla[{index}]", told)
        return
    for other_index, other in enumerate(policies[index + 1 :], index + 1):
        if other.when is None:
            continue
        together = truth.possible_together([(policy.when, True), (other.when, True)], subject.domains())
        if together is not False:
            told = (
                f"a ticket can be for {policy.name} and for {other.name}; the first one wins: "
                "say in `when` what tells them apart"
            )
            yield warning("sla_ambiguous", f".sla[{other_index}].when", told)


def _without_default(subject: Subject, place: str, promised: object) -> Iterator[Finding]:
    if not isinstance(promised, dict) or "default" in promised:
        return
    missing = [name for name in subject.workflow.priorities if name not in promised]
    if missing:
        told = f"nothing is promised for {', '.join(missing)}: name them, or add `default`"
        yield warning("sla_no_target", place, told)


def _never_runs(subject: Subject, place: str, policy: SlaPolicy, target: str) -> Iterator[Finding]:
    states = subject.workflow.states
    live = [name for name, state in states.items() if state.category in ("todo", "waiting")]
    if all(name in policy.pause_in or target in states[name].pauses for name in live):
        told = f"the clock of {target} stands still in every state: it can never be late"
        yield error("sla_never_runs", place, told)
