"""The part of the report about the encryption of the connections to the database and the broker."""

from __future__ import annotations

from models.kernel.settings import Settings
from models.kernel.storage import transport
from scripts.diag.part import Part


def part(config: Settings) -> Part:
    """Return each connection that leaves this machine with its protection; one without TLS is a problem."""
    found = Part("transport", facts={"connections": {}})
    for one in transport.judged(config):
        found.facts["connections"][one.name] = one.detail
        if one.problem:
            found.problem(f"{one.name}: {one.detail}")
        elif one.leaves:
            found.lines.append(f"{one.name}: {one.detail}")
    return found
