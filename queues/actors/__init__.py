"""The registry of actors: one file for each kind of task, found by its name; each file declares an `ACTOR`
(queues/actor.py).

An actor claims nothing itself: the runner claims the task, calls `run`, and records the settlement that `run` returns.
A worker imports an actor at the first task of its kind, the embedded desk all actors before its threads start
(`queues/processes/preloading.py`).
"""

from __future__ import annotations

import pkgutil
from functools import cache
from typing import Any

from models.kernel import imports
from queues.actor import Actor


@cache
def names() -> frozenset[str]:
    """Return the kinds of task that this program can run."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__))


@cache
def load(kind: str) -> Actor[Any] | None:
    """Return the actor for a kind of task; None when this release does not know the kind. Raises ImportError; each call
    tries again.
    """
    if kind not in names():
        return None
    found = imports.load(f"{__name__}.{kind}").ACTOR
    if not isinstance(found, Actor):
        raise TypeError(f"{__name__}.{kind}: expected ACTOR to be an Actor, found {type(found).__name__}")
    return found
