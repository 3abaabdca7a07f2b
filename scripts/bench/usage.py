"""CPU and memory of processes, from their own accounting (/proc), and how busy others kept the machine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil


def family(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds that these processes and their descendants have used, those that have ended included."""
    total = 0.0
    for pid in pids:
        for process in family(pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def _machine_busy_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes in memory: resident (shared pages counted in each process) and proportional (shared pages divided)."""

    rss_mib: float
    pss_mib: float

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.rss_mib + other.rss_mib, self.pss_mib + other.pss_mib)


def memory(pids: Iterable[int]) -> Memory:
    """Return the memory of these processes and their descendants."""
    rss = pss = 0
    for pid in pids:
        for process in family(pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                full = process.memory_full_info()
                rss, pss = rss + full.rss, pss + full.pss
    return Memory(rss / 2**20, pss / 2**20)


class Meter:
    """Reads what groups of processes use between its making and `read`."""

    def __init__(self, groups: dict[str, list[int]]) -> None:
        self._groups = groups
        self._at = time.monotonic()
        self._busy_s = _machine_busy_s()
        self._ours_s = self._all_ours()
        self._used_s = {name: cpu_s(pids) for name, pids in groups.items()}

    def _all_ours(self) -> float:
        return cpu_s([psutil.Process().pid])

    def read(self) -> tuple[dict[str, float], float]:
        """CPU seconds by group, and the share of the machine that processes outside of this run used."""
        used = {name: cpu_s(pids) - self._used_s[name] for name, pids in self._groups.items()}
        wall_s = time.monotonic() - self._at
        foreign_s = (_machine_busy_s() - self._busy_s) - (self._all_ours() - self._ours_s)
        return used, max(0.0, foreign_s) / (wall_s * (psutil.cpu_count() or 1))
