"""`check`: what is wrong with accounts' files, with file, line and what was expected."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel import settings
from models.kernel.errors import ConfigurationError, FieldProblem, Invalid, NestorError
from queues import channels
from scripts import _cli, defs


def check(args: argparse.Namespace) -> int:
    """Exit code 1 when something is wrong; every file is looked at, whatever the others say."""
    problems: list[FieldProblem] = []
    paths = _paths(args.accounts, problems)
    accounts = []
    for path in paths:
        try:
            accounts.append(read(path))
        except Invalid as error:
            problems += error.problems
    seen: dict[str, Path] = {}
    for account, path in accounts:
        name = f"{account.channel}.{account.name}"
        if seen.setdefault(name, path) != path:
            problems.append(FieldProblem(str(path), f"{name} is in {seen[name]} already"))
        if args.credentials and (args.accounts or not account.config.get("demo")):
            problems += _missing(account, path) or _refused(account, path)
    problems += _several_system_accounts(accounts)
    for problem in problems:
        print(f"{problem.path}: {problem.message}", file=sys.stderr)
    if not args.accounts and not any(account.config.get("system") for account, _ in accounts):
        print(
            "warning: no e-mail account has `system: true`, so the desk mails its users no invitations, password"
            " resets and notices; `python -m scripts.users` prints the links",
            file=sys.stderr,
        )
    if not problems:
        print(f"{len(accounts)} channel accounts are fine")
    return 1 if problems else 0


def _paths(named: list[str], problems: list[FieldProblem]) -> list[Path]:
    """Return the files of the accounts that the caller names, or all. An unknown account is a problem."""
    known = {path.stem: path for path in sorted((defs.root() / "channels").glob("*.yaml"))}
    if not named:
        return list(known.values())
    found = []
    for one in named:
        if one in known:
            found.append(known[one])
        elif Path(one).suffix in (".yaml", ".yml"):
            found.append(Path(one))
        else:
            there = ", ".join(known) or "none"
            problems.append(FieldProblem(one, f"expected an account or a file that ends in .yaml; there are {there}"))
    return found


def _several_system_accounts(accounts: list[tuple[ChannelAccount, Path]]) -> list[FieldProblem]:
    marked = [(account.name, path) for account, path in accounts if account.config.get("system")]
    return [
        FieldProblem(f"{path}: system", f"the account {marked[0][0]} is the desk's own mailbox already; one account is")
        for _, path in marked[1:]
    ]


def read(path: Path) -> tuple[ChannelAccount, Path]:
    """An account from its file. Raises Invalid with file:line:column."""
    found = defs.read_file(path, defs.root() if path.resolve().is_relative_to(defs.root()) else path.resolve().parent)
    if found is None or found.kind != "channel":
        raise Invalid([FieldProblem(str(path), "expected a channel account: `channel:` and `account:`")])
    channel, _, name = found.name.partition(".")
    return ChannelAccount(channel, name, 0, found.body), path


def _missing(account: ChannelAccount, path: Path) -> list[FieldProblem]:
    problems = []
    for place, name in _named(account.config, ""):
        try:
            settings.current().secret(name)
        except ConfigurationError as error:
            problems.append(FieldProblem(f"{path}: {place}", error.message))
    return problems


def _refused(account: ChannelAccount, path: Path) -> list[FieldProblem]:
    """Return the problem of an account whose authorization server gives no access token."""
    sign_in = channels.get(account.channel).sign_in
    if sign_in is None or not sign_in.wants(account):
        return []
    # A replaced refresh token is kept in the desk's database, if there is one.
    with contextlib.suppress(NestorError):
        _cli.connect("channels", only_look=True)
    finding = sign_in.check(account, settings.current())
    return [] if finding.ok else [FieldProblem(str(path), finding.text)]


def _named(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Return every credential that a file names, with its place; `{secret: name}` may occur anywhere in it."""
    if isinstance(value, dict):
        if isinstance(value.get("secret"), str):
            yield place, value["secret"]
        for key, one in value.items():
            yield from _named(one, f"{place}.{key}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _named(one, f"{place}[{index}]")
