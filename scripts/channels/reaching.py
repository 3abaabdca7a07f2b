"""`test`, `setup`, `status`: try accounts for real, and see how they do."""

from __future__ import annotations

import argparse
import json
from datetime import datetime

from models.channels import accounts, overview
from models.channels.accounts import ChannelAccount
from models.channels.overview import AccountOverview
from models.kernel import clock, settings
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.open_json import JsonObject
from models.kernel.storage import database
from queues import channels
from queues.channel_port import Finding, Reach
from scripts import _cli, defs
from scripts.channels import checking, probing


def test(args: argparse.Namespace) -> int:
    """Print what was tried; exit code 1 when something failed."""
    account, reach = find(args.name)
    config = settings.current()
    findings = reach.test(account, config)
    probe = channels.get(account.channel).probe
    if probe is not None and account.version:
        findings += probing.received(probe, account)
        if args.probe:
            findings += probing.sent(probe, account, config, wait_s=args.wait)
    elif args.probe:
        findings.append(Finding(False, "a probe needs a published account of a channel whose senders are judged"))
    return _print_findings(account, findings)


def setup(args: argparse.Namespace) -> int:
    account, reach = find(args.name)
    config = settings.current()
    return _print_findings(account, reach.setup(account, config, public_url=args.public_url or config.public_url))


def find(name: str) -> tuple[ChannelAccount, Reach]:
    """The published account of this name, else its file. Raises ConfigurationError, NotFound, Invalid."""
    channel, dot, account = name.partition(".")
    if not dot or channel not in channels.names():
        known = ", ".join(sorted(channels.names()))
        raise ConfigurationError(f"expected CHANNEL.ACCOUNT with a channel of {known}, found {name!r}")
    reach = channels.get(channel).reach
    if reach is None:
        raise ConfigurationError(f"there is nothing to be tried or set up for {channel} accounts")
    found = _published(channel, account)
    if found is not None:
        return found, reach
    path = defs.root() / "channels" / f"{name}.yaml"
    if not path.is_file():
        raise ConfigurationError(
            f"there is no published account {name}, and no file {path.name} in workflow_defs/channels/"
        )
    return checking.read(path)[0], reach


def _published(channel: str, name: str) -> ChannelAccount | None:
    """None also without a desk: a file can be tried before there is a database."""
    try:
        _cli.connect("channels", only_look=True)
        with database.connection():
            return accounts.find(channel, name)
    except NestorError:
        return None


def _print_findings(account: ChannelAccount, findings: list[Finding]) -> int:
    print(f"{account.channel}.{account.name}")
    for finding in findings:
        print(f"  {'ok  ' if finding.ok else 'FAIL'} {finding.text}")
    failed = not all(finding.ok for finding in findings)
    if failed and account.config.get("demo"):
        print(
            "  The demo's credentials are known to the running desk only; set NESTOR_SECRET_... to try them from here."
        )
    return 1 if failed else 0


def status(args: argparse.Namespace) -> int:
    """One line an account; exit code 1 when one is not well."""
    _cli.connect("channels", only_look=True)
    with database.connection():
        found = [(account, overview.of_account(account.channel, account.name)) for account in accounts.every()]
    if args.json:
        print(json.dumps([_plain(account, known) for account, known in found], indent=2, default=str))
    else:
        for account, known in found:
            print(_line(account, known))
    return 1 if any(known["error"] for _, known in found) else 0


def _since(began: datetime | None) -> str:
    return "" if began is None else f" since {clock.rfc3339(began)}"


def _plain(account: ChannelAccount, known: AccountOverview) -> JsonObject:
    return {"channel": account.channel, "account": account.name, "version": account.version, **known}


def _line(account: ChannelAccount, known: AccountOverview) -> str:
    last = clock.rfc3339(known["last_event_at"]) if known["last_event_at"] else "never"
    words = [f"last event {last}"]
    for count, text in (
        (known["events_waiting"], "events wait"),
        (known["events_failed"], "events failed"),
        (known["deliveries_waiting"], "deliveries wait"),
        (known["deliveries_troubled"], "deliveries in trouble"),
    ):
        if count:
            words.append(f"{count} {text}")
    if known["sending_error"]:
        words.append(f"sends fail{_since(known['sending_failed_since'])}: {known['sending_error']}")
    if known["error"]:
        words.append(f"ERROR{_since(known['error_since'])}: {known['error']}")
    return f"{account.channel}.{account.name} (version {account.version}): {'; '.join(words)}"
