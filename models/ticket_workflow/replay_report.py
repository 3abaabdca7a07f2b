"""The result of a replay, and the sums from which it is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from models.kernel.open_json import JsonObject

differences_max = 200  # listed one by one; the rest is counted

Acts = tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]
Money = tuple[Counter[str], Counter[str]]


@dataclass(slots=True)
class Report:
    """The result of a replay. Counters: key -> baseline and draft.

    `faithful`: baselines that ended in the real ticket's state.
    """

    workflow: str
    since: datetime
    until: datetime
    tickets: int = 0
    events: int = 0
    faithful: int = 0
    ended_differently: int = 0
    failed: int = 0
    differences: list[JsonObject] = field(default_factory=list)
    messages: dict[str, tuple[int, int]] = field(default_factory=dict)
    breaches: dict[str, tuple[int, int]] = field(default_factory=dict)
    money: dict[str, tuple[int, int]] = field(default_factory=dict)
    refusals: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """A report in the making: acts and money by baseline and draft."""

    report: Report
    acts: Acts = field(default_factory=lambda: (Counter(), Counter()))
    money: Money = field(default_factory=lambda: (Counter(), Counter()))

    def note(self, number: int, recorded_state: str, changed: JsonObject) -> None:
        """List a ticket with its differences, up to the bound."""
        if len(self.report.differences) < differences_max:
            self.report.differences.append({"number": number, "recorded_state": recorded_state, **changed})

    def finished(self) -> Report:
        """Return the report with its sums."""
        report = self.report
        report.messages, report.breaches, report.refusals = map(self._compared, ("sent", "breached", "refused"))
        keys = sorted(self.money[0].keys() | self.money[1].keys())
        report.money = {key: (self.money[0][key], self.money[1][key]) for key in keys}
        return report

    def _compared(self, kind: str) -> dict[str, tuple[int, int]]:
        keys = sorted({key for total in self.acts for key in total if key[0] == kind})
        return {what: (self.acts[0][kind, what], self.acts[1][kind, what]) for _, what in keys}

    def as_json(self) -> JsonObject:
        """Return the tally as plain data, from which `read` makes it again."""
        stored = _Stored(
            self.report,
            [[(kind, what, count) for (kind, what), count in sorted(total.items())] for total in self.acts],
            [dict(total) for total in self.money],
        )
        plain: JsonObject = msgspec.to_builtins(stored)
        return plain


class _Stored(msgspec.Struct):
    """A tally as it is stored; JSON has no keys of two parts."""

    report: Report
    acts: list[list[tuple[str, str, int]]]
    money: list[dict[str, int]]


def read(plain: JsonObject) -> Tally:
    """Make a tally from its plain data."""
    stored = msgspec.convert(plain, _Stored, strict=False)
    first, second = (Counter({(kind, what): count for kind, what, count in total}) for total in stored.acts)
    before, after = (Counter(total) for total in stored.money)
    return Tally(stored.report, (first, second), (before, after))
