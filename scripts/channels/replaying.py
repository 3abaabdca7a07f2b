"""`replay`: post a recorded event to the running desk as its provider would, and show the result."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.kernel import settings
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.storage import database
from queues import channels
from scripts import _cli, defs
from scripts import replay as posting
from scripts.channels import checking
from scripts.explain import words

_DEMO_SECRET = "demo-secret"  # noqa: S105 -- the demo's, printed by scripts/run


@dataclass(frozen=True)
class Wish:
    """An event to post and its target. `secret` None: the account's configured credential, else the demo's."""

    channel: str
    account: str
    fixture: str
    url: str
    gateway_url: str | None
    secret: str | None
    api_key: str
    new_key: bool
    wait_s: float


def replay(args: argparse.Namespace) -> int:
    """Run the command. Exit code 1 when the event failed, or is not processed in time."""
    channel, dot, account = args.name.partition(".")
    if not dot or channel not in channels.names():
        known = ", ".join(sorted(channels.names()))
        raise ConfigurationError(f"expected CHANNEL.ACCOUNT with a channel of {known}, found {args.name!r}")
    return run(
        Wish(
            channel,
            account,
            args.fixture,
            args.url,
            args.gateway_url,
            args.secret,
            args.api_key,
            args.new_key,
            args.wait,
        )
    )


def run(wish: Wish) -> int:
    """Post the event, wait for its result, and print it."""
    account = _account(wish)
    raw = posting.find_fixture(wish.channel, wish.fixture).read_bytes()
    raw, headers = _request(wish, account, raw)
    taken = posting.post_request(wish.url, wish.channel, _path(wish, account), raw, headers)
    if "event_id" not in taken:
        print(f"answered {words.short(str(taken))}; there is nothing to keep")
        return 0
    gateway = wish.gateway_url or wish.url
    code = 0
    for event_id in taken.get("event_ids") or [taken["event_id"]]:
        repeat = " (a repeat: the desk had it already)" if taken.get("repeat") else ""
        print(f"taken as event {event_id}{repeat}")
        event = posting.fate(gateway, str(event_id), api_key=wish.api_key, wait_s=wish.wait_s)
        reason = f": {words.short(event['reason'])}" if event.get("reason") else ""
        print(f"{event['status']}{reason}")
        if event.get("ticket_id"):
            print(f"ticket {event['ticket_id']}, message {event['message_id']}")
            print(f"its story: python -m scripts.explain {event['ticket_id']}")
        code = max(code, 0 if event["status"] in ("processed", "ignored") else 1)
    return code


def _account(wish: Wish) -> ChannelAccount | None:
    """Return the published account, else its file, else the file in the fixture's folder, else None."""
    try:
        _cli.connect("channels", only_look=True)
        with database.connection():
            return accounts.find(wish.channel, wish.account)
    except NestorError:
        pass  # no database here: the desk may be elsewhere, and its file says the same
    beside = posting.find_fixture(wish.channel, wish.fixture).with_name("account.yaml")
    for path in (defs.root() / "channels" / f"{wish.channel}.{wish.account}.yaml", beside):
        if path.is_file() and (found := checking.read(path)[0]).name == wish.account:
            return found
    return None


def _request(wish: Wish, account: ChannelAccount | None, raw: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers that the provider would send."""
    provider = posting.of_channel(wish.channel)
    if account is None and provider.needs_account:
        name = f"{wish.channel}.{wish.account}"
        raise ConfigurationError(f"there is no account {name} published here, and no file of it")
    secret = _secret(wish, provider.credential(account))
    raw = provider.with_new_key(account, raw) if wish.new_key else raw
    return raw, provider.headers(account, raw, secret=secret)


def _secret(wish: Wish, name: str | None) -> str:
    """Return the given secret, else the credential of this environment, else the demo's."""
    if wish.secret is not None or name is None:
        return wish.secret or _DEMO_SECRET
    try:
        return settings.current().secret(name)
    except ConfigurationError:
        if wish.account != "demo":
            raise
        return _DEMO_SECRET


def _path(wish: Wish, account: ChannelAccount | None) -> str:
    """Return the last part of the address: the account's secret path if it has one."""
    if account is None or not account.config.get("path_id"):
        return wish.account
    return account.credential("path_id", settings.current())
