"""SLA policies: which one applies must be clear, and a promise must be able to be broken and kept."""

from __future__ import annotations

from collections.abc import Iterator

from models.expressions import truth
from models.workflow.analysis.findings import Finding, error, warning
from models.workflow.analysis.subject import Subject


def look(subject: Subject) -> Iterator[Finding]:
    policies = subject.workflow.sla
    for index, policy in enumerate(policies):
        if policy.when is None and index < len(policies) - 1:
            told = f"{policy.name} is for every ticket, so those after it never apply: put it last"
            yield error("sla_ambiguous", f".sla[{index}]", told)
        for other_index in range(index + 1, len(policies)):
            other = policies[other_index]
            if policy.when is None or other.when is None:
                continue
            together = truth.possible_together([(policy.when, True), (other.when, True)], subject.domains())
            if together is not False:
                told = f"a ticket can be for {policy.name} and for {other.name}; the first one wins: say in `when` what tells them apart"
                yield warning("sla_ambiguous", f".sla[{other_index}].when", told)
        for target, promised in policy.targets.items():
            if isinstance(promised, dict) and "default" not in promised:
                missing = [name for name in subject.workflow.priorities if name not in promised]
                if missing:
                    told = f"nothing is promised for {', '.join(missing)}: name them, or add `default`"
                    yield warning("sla_no_target", f".sla[{index}].targets.{target}", told)
            live = [name for name, state in subject.workflow.states.items() if state.category in ("todo", "waiting")]
            if all(name in policy.pause_in or target in subject.workflow.states[name].pauses for name in live):
                told = f"the clock of {target} stands still in every state: it can never be late"
                yield error("sla_never_runs", f".sla[{index}].targets.{target}", told)
