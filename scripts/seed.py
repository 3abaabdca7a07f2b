"""Create the demo's users and API key: the named cast of tests, documents and screenshots. Safe to repeat."""

from __future__ import annotations

import argparse

from models import migrations
from models.events.commands import SYSTEM
from models.identity import api_keys, commands, queries
from models.kernel.storage import database
from models.onboarding import commands as onboarding
from models.teams import commands as team_commands
from models.teams import queries as team_queries
from scripts import _cli

PASSWORD = "nestor-demo"  # noqa: S105 -- the demo's, printed by scripts/run; it refuses to listen beyond loopback
API_KEY = "demo-key"
CAST = (
    ("admin@example.test", "Vera Admin", "admin"),
    ("manager@example.test", "Mira Manager", "manager"),
    ("accountant@example.test", "Anton Accountant", "accountant"),
    ("agent@example.test", "Olga Agent", "agent"),
)


def people() -> int:
    """Create the missing members of the cast; returns their number."""
    made = 0
    for email, name, role in CAST:
        with database.connection():
            if queries.find_by_email(email) is not None:
                continue
        try:
            onboarding.create_user(email, name, PASSWORD, role, actor=SYSTEM, public_password=True)
            made += 1
        except commands.EmailTaken:
            pass  # another process seeds at the same moment
    with database.transaction():
        owner = queries.find_by_email(CAST[0][0])
        assert owner is not None, "the cast's admin was created above"
        try:
            api_keys.create_public(API_KEY, "demo", owner_id=owner.id, actor=SYSTEM)
            made += 1
        except api_keys.ApiKeyTaken:
            pass  # made by an earlier start
    teams()
    return made


def teams() -> None:
    """Give the teams of the published definitions their demo members; a team that has some keeps them."""
    with database.transaction():
        found = [queries.find_by_email(email) for email in ("agent@example.test", "manager@example.test")]
        members = [one.id for one in found if one is not None]
        for team in team_queries.all_teams():
            if not team["members"]:
                team_commands.set_members(team["name"], members, expected_version=None)


def main() -> int:
    argparse.ArgumentParser(prog="python -m scripts.seed", description=__doc__).parse_args()
    _cli.connect("seed")
    migrations.check()
    print(f"{people()} demo accounts made")
    return 0


if __name__ == "__main__":
    _cli.end(main)
