"""Numbers of repeated samples: percentiles within one, medians over several, and who disturbed them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scripts.bench import limits


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(slots=True)
class Sample:
    """One measurement: named figures, and the share of the machine that others used meanwhile."""

    figures: dict[str, float]
    foreign: float = 0.0


@dataclass(slots=True)
class Series:
    """Repeated samples of one thing."""

    samples: list[Sample] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        self.samples.append(sample)

    def _used(self) -> list[Sample]:
        """The quiet samples; all of them when none was quiet."""
        quiet = [s for s in self.samples if s.foreign <= limits.foreign_share_max]
        return quiet or self.samples

    @property
    def disturbed(self) -> bool:
        """Return True if the counted samples were disturbed too."""
        return any(s.foreign > limits.foreign_share_max for s in self._used())

    def median(self, name: str) -> float:
        return statistics.median(s.figures[name] for s in self._used())

    def medians(self) -> dict[str, float]:
        return {name: self.median(name) for name in self.samples[0].figures}


def repeat(times: int, measure: Callable[[], Sample]) -> Series:
    """Measure several times."""
    return Series([measure() for _ in range(times)])
