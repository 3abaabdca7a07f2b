"""Create, invite, list and unlock users, and reset their passwords."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable

from models import migrations
from models.credentials import password_links, second_factors
from models.credentials.password_links import Link, Purpose
from models.events.commands import SYSTEM
from models.identity import queries
from models.identity.queries import User
from models.identity.sign_in import sign_in_limits
from models.kernel import clock
from models.kernel.errors import NotFound
from models.kernel.storage import database
from models.onboarding import commands as onboarding
from scripts import _cli

Verb = Callable[[argparse.Namespace], int]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.users", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Verb, text: str) -> argparse.ArgumentParser:
        one = verbs.add_parser(name, help=text, description=text)
        one.set_defaults(run=run)
        return one

    new = verb(
        "add",
        add,
        "create a user; the password comes from the variable NEW_PASSWORD or the terminal, else the user is invited",
    )
    new.add_argument("--email", required=True, help="address to sign in with")
    new.add_argument("--name", required=True, help="name that requesters see")
    new.add_argument("--role", required=True, help="gives the permissions (see scripts.roles)")
    new.add_argument(
        "--locale", default=None, metavar="TAG", help="language, such as en or pt-BR (default: the desk's first)"
    )
    new.add_argument("--invite", action="store_true", help="let the user choose the password by a link")
    verb("list", show, "list all users with their role and state")
    unlocked = verb("unlock", unlock, "forget the failed sign-ins of a user")
    unlocked.add_argument("--email", required=True, help="address of the user")
    lost = verb("remove_second_factors", remove_second_factors, "remove the second factors of a user who lost them")
    lost.add_argument("--email", required=True, help="address of the user")
    reset = verb("password", password, "mail the user a link to choose a password, or print the link")
    reset.add_argument("--email", required=True, help="address of the user")
    return parser


def add(args: argparse.Namespace) -> int:
    # Not an argument: the process list and the shell's history show arguments.
    chosen = os.environ.get("NEW_PASSWORD")
    if chosen is None and not args.invite and sys.stdin.isatty():
        chosen = getpass.getpass("password (empty: invite the user): ") or None
    user = onboarding.create_user(args.email, args.name, chosen, args.role, args.locale, actor=SYSTEM)
    print(f"created {user.role} {user.email} ({user.id})")
    if chosen is None:
        _send_link(user, "invitation")
    return 0


def show(args: argparse.Namespace) -> int:
    position = None
    while True:
        with database.connection():
            page = queries.page_of_users(before=position, limit=200)
        for user in page:
            state = "active" if user.active else "deactivated"
            print(f"{user.email}\t{user.name}\t{user.role}\t{state}\t{clock.rfc3339(user.created_at)}\t{user.id}")
        if len(page) < 200:
            return 0
        position = (page[-1].created_at, page[-1].id)


def unlock(args: argparse.Namespace) -> int:
    user = _user(args.email)
    with database.transaction():
        forgotten = sign_in_limits.forget(user.id, user.email)
    print(f"{user.email}: {forgotten} counters of failures were reset")
    return 0


def remove_second_factors(args: argparse.Namespace) -> int:
    user = _user(args.email)
    with database.transaction():
        removed = second_factors.remove_all(user.id, actor=SYSTEM)
    print(f"{user.email}: {removed} second factors were removed")
    return 0


def password(args: argparse.Namespace) -> int:
    _send_link(_user(args.email), "password_reset")
    return 0


def _user(email: str) -> User:
    with database.connection():
        user = queries.find_by_email(email)
    if user is None:
        raise NotFound(f"there is no user {email}")
    return user


def _send_link(user: User, purpose: Purpose) -> None:
    """Mail the link, or print it when no e-mail account has `system: true`."""
    with database.transaction():
        link = password_links.send(user.id, purpose)
    _print(user, link)


def _print(user: User, link: Link) -> None:
    until = clock.rfc3339(link.expires_at)
    if link.mailed:
        print(f"{user.email} gets a link by mail; it works once, until {until}")
    else:
        print(f"no e-mail account has `system: true`; give this link to {user.email}; it works once, until {until}:")
        print(link.url)


def main() -> int:
    args = _parser().parse_args()
    _cli.connect("users")
    migrations.check()
    run: Verb = args.run
    return run(args)


if __name__ == "__main__":
    _cli.end(main)
