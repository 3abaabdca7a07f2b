"""The table, as it is printed and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts.bench.samples import Series


@dataclass(frozen=True, slots=True)
class Target:
    """A promised figure, and whether the run met it."""

    met: bool
    text: str


@dataclass(slots=True)
class Row:
    """One line."""

    part: str
    what: str
    figure: str
    target: str = ""
    verdict: str = ""
    disturbed: bool = False
    samples: list[dict[str, float]] = field(default_factory=list)


class Report:
    """Collects rows; prints each as it comes, because a run takes minutes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.notes: list[str] = []

    def row(
        self, part: str, what: str, figure: str, target: Target | None = None, *, series: Series | None = None
    ) -> None:
        """Add a line; `series` gives the samples behind it."""
        row = Row(part, what, figure)
        if target is not None:
            row.target, row.verdict = target.text, "OK" if target.met else "SHORT"
        if series is not None:
            row.disturbed = series.disturbed
            row.samples = [{**s.figures, "foreign": s.foreign} for s in series.samples]
        self.rows.append(row)
        mark = "~" if row.disturbed else " "
        verdict = f"{row.verdict:<5} {row.target}" if row.verdict else ""
        print(f"{part:<2}{mark}{what:<58} {figure:<74} {verdict}".rstrip(), flush=True)

    def note(self, text: str) -> None:
        """Print a sentence next to the table."""
        self.notes.append(text)
        print(f"   {text}", flush=True)

    def end(self) -> None:
        """The sum of it."""
        judged = [row for row in self.rows if row.verdict]
        short = [row for row in judged if row.verdict == "SHORT"]
        print(f"\n{len(judged) - len(short)} of {len(judged)} targets met")
        if any(row.disturbed for row in self.rows):
            print(
                "~ others used more than 15 % of the machine during every sample of that line: read ratios, not figures"
            )

    def write(self, path: Path) -> None:
        """Write the rows and notes as JSON."""
        path.write_text(json.dumps({"rows": [asdict(row) for row in self.rows], "notes": self.notes}, indent=1) + "\n")
