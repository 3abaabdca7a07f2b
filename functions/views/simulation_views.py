"""The result of a simulation of a life cycle."""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.kernel.open_json import JsonObject


class ActShown(msgspec.Struct):
    """A consequence of a step. `details` depends on `kind`."""

    kind: str
    rule: str
    details: JsonObject


class RuleShown(msgspec.Struct):
    """The outcome of a rule in a step, with the parts of its condition that failed."""

    rule: str
    outcome: str
    failed: list[str]
    reasons: list[str]


class OptionShown(msgspec.Struct):
    """A transition that a person can request in the end, or the reasons against it."""

    who: str
    transition: str
    possible: bool
    reasons: list[str]


class SimulatedStep(msgspec.Struct):
    """The acts of a step, and the state of the ticket after it."""

    at: datetime
    event: str
    state: str
    acts: list[ActShown]
    rules: list[RuleShown]


class Simulation(msgspec.Struct):
    """The result of a simulation."""

    steps: list[SimulatedStep]
    ticket: JsonObject
    options: list[OptionShown]
