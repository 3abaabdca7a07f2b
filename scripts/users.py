"""Create a user. The password comes from the variable NEW_PASSWORD, or is asked for."""

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
    parser.add_argument("verb", choices=["add"], help="create a user")
    parser.add_argument("--email", required=True, help="address to sign in with")
    parser.add_argument("--name", required=True, help="name that requesters see")
    parser.add_argument("--role", required=True, choices=[str(role) for role in Role], help="gives the permissions")
    parser.add_argument("--locale", default="en", choices=["en", "ru"], help="language (default: en)")
    options = parser.parse_args()
    _cli.connect("users")
    migrations.check()
    # Not an argument: the process list and the shell's history show arguments.
    password = os.environ.get("NEW_PASSWORD") or getpass.getpass("password: ")
    user = commands.create_user(options.email, options.name, password, options.role, options.locale, actor=SYSTEM)
    print(f"created {user.role} {user.email} ({user.id})")
    return 0


if __name__ == "__main__":
    _cli.end(main)
