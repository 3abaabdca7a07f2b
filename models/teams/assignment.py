"""The strategies by which teams give the tickets that enter them to their members.

`teams.yaml` declares them, and the version of it that is in force holds: a rollback brings the earlier ones back.
"""

from __future__ import annotations

from typing import Final, cast, get_args

from models.definitions import store
from models.workflow.instance import Strategy

STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)
KIND: Final = "teams"  # the kind of the definition, and the name of the only one
KEY: Final = "assignment"


def strategy_of(team: str) -> Strategy:
    """Return the strategy of a team, at most limits.definition_cache_s old. A team that declares none is manual."""
    definition = store.latest(KIND, KIND)
    declared = {} if definition is None else definition.body["teams"].get(team, {})
    return cast(Strategy, declared.get(KEY, "manual"))
