"""Published channel accounts: look-up by name, by webhook address and by purpose."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from models.definitions import store
from models.kernel.errors import ConfigurationError, NotFound
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings
from models.kernel.telemetry import logs
from models.ports import channel_facts

log = logs.get("channels")


@dataclass(frozen=True, slots=True)
class ChannelAccount:
    """A published account; `config` is its YAML as checked at publishing."""

    channel: str
    name: str
    version: int
    config: JsonObject

    def credential(self, key: str, settings: Settings) -> str:
        """Return the value of the credential that the account's `key` names. Raises ConfigurationError."""
        reference = self.config.get(key)
        if not isinstance(reference, dict) or not isinstance(reference.get("secret"), str):
            raise ConfigurationError(f"channel account {self.channel}/{self.name}: {key}: expected {{secret: name}}")
        return settings.secret(reference["secret"])


def find(channel: str, name: str) -> ChannelAccount:
    """Return the newest published version of an account. Raises NotFound."""
    definition = store.latest("channel", f"{channel}.{name}")
    if definition is None:
        raise NotFound(f"there is no {channel} account called {name!r}")
    return ChannelAccount(channel, name, definition.version, definition.body)


def at_path(channel: str, path: str, settings: Settings) -> ChannelAccount:
    """Return the account whose webhook address ends in `path`: its secret `path_id` if it has one, else its name.

    Raises NotFound for an unknown name, a disabled account, and an account whose name was used instead of its secret.
    """
    found = None
    for account in every():
        if account.channel != channel or account.config.get("enabled") is False:
            continue
        try:
            address = account.credential("path_id", settings) if account.config.get("path_id") else account.name
        except ConfigurationError as error:
            # The channel's other accounts still work; `scripts.channels check --credentials` shows the error to an
            # operator.
            log.error("path_id_missing", channel=channel, account=account.name, reason=error.message)
            continue
        # Every account is compared in constant time, so that the duration reveals nothing about the secrets.
        if hmac.compare_digest(address.encode(), path.encode("utf-8", "replace")):
            found = account
    if found is None:
        raise NotFound(f"there is no {channel} account at this address")
    return found


def is_ours(channel: str, address: str) -> bool:
    """Return True if the address is one of this desk's own, whichever account it belongs to."""
    facts = channel_facts.of(channel)
    if facts.own_addresses is None:
        return False
    wanted = {facts.comparable(address)}
    if facts.has_subaddresses:
        local, _, domain = facts.comparable(address).rpartition("@")
        wanted.add(f"{local.partition('+')[0]}@{domain}")
    return any(
        facts.comparable(own) in wanted
        for account in every()
        if account.channel == channel
        for own in facts.own_addresses(account.config)
    )


def deep_link(account: ChannelAccount | None, token: str) -> str | None:
    """The link that opens a chat with the account and hands over the token; None where the account has no such link."""
    make = None if account is None else channel_facts.of(account.channel).deep_link
    return None if account is None or make is None else make(account.config, token)


def of_deep_links(name: str | None = None) -> ChannelAccount | None:
    """The account whose chat a link opens: the one of this name, else the default one.

    Raises NotFound for an unknown name.
    """
    channel = channel_facts.with_deep_links()
    if channel is None:
        if name:
            raise NotFound(f"no channel has links that open a chat, so there is no account {name!r} for them")
        return None
    return find(channel, name) if name else default_for(channel)


def of_emails(name: str | None = None) -> ChannelAccount:
    """The account that sends mail: the one of this name, else the default one. Raises NotFound."""
    channel = channel_facts.with_emails()
    return find(channel, name) if name else require_default(channel)


def default_for(channel: str) -> ChannelAccount | None:
    """Return the account by which the desk writes first on this channel: the one marked `default`, else the first by
    name.
    """
    accounts = [a for a in every() if a.channel == channel]
    return next((a for a in accounts if a.config.get("default")), accounts[0] if accounts else None)


def require_default(channel: str) -> ChannelAccount:
    """Return the default account. Raises NotFound when the channel has no account."""
    account = default_for(channel)
    if account is None:
        raise NotFound(f"there is no {channel} account")
    return account


def every() -> list[ChannelAccount]:
    """Return all published accounts, by name."""
    accounts = []
    for definition in store.all_latest("channel"):
        channel, _, name = definition.name.partition(".")
        accounts.append(ChannelAccount(channel, name, definition.version, definition.body))
    return accounts
