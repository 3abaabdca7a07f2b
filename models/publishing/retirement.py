"""Definitions whose file was taken away: the plan shows them, and `apply` takes them out of force.

A definition stays in force while live tickets need it or another definition names it. Versions that were published over
the API have no file, so they stay as well.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from models.definitions import store
from models.kernel.storage import database
from models.publishing import dependents, kinds
from models.publishing.catalogue import Found
from models.publishing.dependents import Key
from models.teams import queries as teams

# Kind -> the statement that counts the live tickets which need a definition.
_TICKETS_OF = {
    "workflow": "SELECT count(*) AS found FROM tickets WHERE workflow = :name AND category <> 'closed'",
    "model": "SELECT count(*) AS found FROM tickets WHERE type = :name AND category <> 'closed'",
    "channel": (
        "SELECT count(*) AS found FROM tickets WHERE contact_channel || '.' || contact_account = :name"
        " AND category <> 'closed'"
    ),
    "teams": "SELECT count(*) AS found FROM tickets WHERE team IS NOT NULL AND :name = 'teams' AND category <> 'closed'",
}
_KINDS = ("workflow", "model", "channel", "teams", "desk", "fragment", *kinds.MODULES)


@dataclass(frozen=True, slots=True)
class Absent:
    """A definition in force without a file. `kept`: the reason why it stays; empty: `apply` retires it."""

    kind: str
    name: str
    version: int
    kept: str = ""


def absent(found: Sequence[Found], *, skipped: Collection[Key] = ()) -> list[Absent]:
    """List the definitions from files that the folder no longer has; joins the caller's connection.

    `skipped`: files that are there and are not published, such as accounts of the demo.
    """
    there = {(one.kind, one.name) for one in found} | set(skipped)
    candidates = [
        one
        for kind in _KINDS
        for one in store.all_latest(kind)
        if (kind, one.name) not in there and store.origin_of(kind, one.name, one.version) == "files"
    ]
    listed = [Absent(one.kind, one.name, one.version, _needed(one.kind, one.name)) for one in candidates]
    gone = {(one.kind, one.name) for one in listed if not one.kept}
    # One that is kept may name another one: repeat until the rest depends on nothing that goes.
    while needed := _named(found, gone):
        listed = [
            Absent(one.kind, one.name, one.version, one.kept or needed.get((one.kind, one.name), "")) for one in listed
        ]
        gone -= set(needed)
    return listed


def _named(found: Sequence[Found], gone: set[Key]) -> dict[Key, str]:
    """Return the definitions of `gone` that something which stays needs, with the reason."""
    reasons: dict[Key, str] = {}
    for one in sorted(gone):
        for problem in dependents.broken(found, gone=[one]):
            if not _belongs_to(problem.path, gone - {one}):
                reasons[one] = f"{problem.path} {problem.message}"
                break
    return reasons


def _belongs_to(place: str, gone: Collection[Key]) -> bool:
    return any(
        place.startswith((f"life cycle {name},", f"ticket type {name}:", f"channel account {name}:"))
        for _, name in gone
    )


def _needed(kind: str, name: str) -> str:
    """Return the rows that still need a definition, in words; empty when there are none."""
    if kind == "teams" and any(team["members"] for team in teams.all_teams()):
        return "its teams have members"
    if kind not in _TICKETS_OF:
        return ""
    row = database.one(_TICKETS_OF[kind], name=name)
    count = int(row["found"]) if row else 0
    return f"{count} live tickets need it" if count else ""
