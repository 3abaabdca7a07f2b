"""Facts that the manifests must agree with. They are read from the code, because a copy would be
wrong after a rename.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AppFacts:
    settings: frozenset[str]  # names of environment variables that the settings class reads
    queues: frozenset[str]  # names that the broker declares
    actor_time_limit_s: float  # the largest of all actors
    drain_s: float  # what gunicorn grants running requests when DRAIN_SECONDS is not set
    database_pool_max: int  # connections of one process when DATABASE_POOL_MAX is not set


def load_facts() -> AppFacts:
    """The facts of this checkout. Imports the domain's kernel and the queue names, nothing that connects anywhere."""
    from models.kernel import limits, settings
    from queues.topology import QUEUES

    defaults = settings.defaults()
    return AppFacts(
        settings=frozenset(settings.documented_variables()),
        queues=frozenset(QUEUES),
        actor_time_limit_s=float(limits.actor_time_limit_s),
        drain_s=float(str(defaults["DRAIN_SECONDS"])),
        database_pool_max=int(str(defaults["DATABASE_POOL_MAX"])),
    )
