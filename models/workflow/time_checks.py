"""Checks of what depends on time: timers at a date, and warnings of promises."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.expressions.durations import parse_duration
from models.kernel.errors import FieldProblem
from models.workflow.definition import DateInstant, SlaPolicy, Workflow


def problems(workflow: Workflow) -> Iterator[FieldProblem]:
    """Yield every problem, with its path in the file."""
    for name, timer in workflow.timers.items():
        place = f".timers.{name}"
        if [timer.after is not None, timer.after_s != 0, timer.at is not None].count(True) != 1:
            yield FieldProblem(f"{place}.after", "expected a duration such as 7d, or `at` with a date field")
        if timer.at is not None:
            yield from _date(f"{place}.at", timer.at)
            if timer.calendar is not None:
                yield FieldProblem(
                    f"{place}.calendar", "expected no calendar: a timer with `at` counts no working time"
                )
    for index, policy in enumerate(workflow.sla):
        yield from _warning(f".sla[{index}]", policy)


def _date(place: str, at: DateInstant) -> Iterator[FieldProblem]:
    if at.before is not None and (problem := _problem_of(at.before)) is not None:
        yield FieldProblem(f"{place}.before", problem)
    try:
        ZoneInfo(at.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        told = f"expected a zone of the IANA database such as Europe/Berlin, found {at.zone!r}"
        yield FieldProblem(f"{place}.zone", told)


def _warning(place: str, policy: SlaPolicy) -> Iterator[FieldProblem]:
    """Refuse a warning that would come before the promise begins: it is never given."""
    if policy.warn_before is None or _problem_of(policy.warn_before) is not None:
        return
    warn_s = parse_duration(policy.warn_before)
    for target, promised in policy.targets.items():
        named = {"": promised} if isinstance(promised, str) else {f".{key}": one for key, one in promised.items()}
        for key, text in named.items():
            if _problem_of(text) is None and parse_duration(text) <= warn_s:
                told = f"expected a time longer than warn_before, which is {policy.warn_before}; found {text}"
                yield FieldProblem(f"{place}.targets.{target}{key}", told)


def _problem_of(duration: str | int) -> str | None:
    """Return the reason why a text is no duration, or None."""
    try:
        return None if parse_duration(duration) >= 1 else "expected at least 1 second"
    except ValueError as error:
        return str(error)
