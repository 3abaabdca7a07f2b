"""`python -m scripts.users add --email ... --name ... --role admin`: make a user; asks for the password (or reads NEW_PASSWORD)."""

from __future__ import annotations

import argparse
import getpass
import os

from models import migrations
from models.events.commands import SYSTEM
from models.identity import commands
from models.identity.rules import Role
from scripts import _cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.users", description=__doc__)
    parser.add_argument("verb", choices=["add"])
    parser.add_argument("--email", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--role", required=True, choices=[str(role) for role in Role])
    parser.add_argument("--locale", default="en", choices=["en", "ru"])
    options = parser.parse_args()
    _cli.connect("users")
    migrations.check()
    # Not an argument: arguments stand in the process list and the shell's history.
    password = os.environ.get("NEW_PASSWORD") or getpass.getpass("password: ")
    user = commands.create_user(options.email, options.name, password, options.role, options.locale, actor=SYSTEM)
    print(f"made {user.role} {user.email} ({user.id})")
    return 0


if __name__ == "__main__":
    _cli.end(main)
