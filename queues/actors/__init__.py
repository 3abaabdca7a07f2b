"""The actors: one file a kind of task, thin (claim, do, record), found by its name.

A file has `run(task) -> Settlement`, and `on_dead(task, reason)` where people must learn that it was given up. A worker loads all of
them before its threads start (`queues/preloading.py`).
"""

from __future__ import annotations

import pkgutil
from functools import cache
from typing import Protocol, cast

from models.kernel import imports
from models.tasks.commands import ClaimedTask
from queues.settlement import Settlement


class ActorModule(Protocol):
    """What an actor's file offers."""

    def run(self, task: ClaimedTask) -> Settlement:
        """Do the task, safe to run more than once. Exceptions count as failures; `permanent` ones are not repeated."""


@cache
def names() -> frozenset[str]:
    """The kinds of task that this program can run."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__))


@cache
def load(kind: str) -> ActorModule | None:
    """The actor for a kind of task, or None when this release does not know it. Raises ImportError, each time anew."""
    if kind not in names():
        return None
    return cast(ActorModule, imports.load(f"{__name__}.{kind}"))
