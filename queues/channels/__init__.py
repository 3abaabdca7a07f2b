"""Channel adapters, one folder each, found by name.

A folder has `account.py` (what an account's YAML says), `ingress.py` (authenticate a request, name its events), `parse.py` (raw bytes
to what happened; pure), `send.py` (network), perhaps `fetch.py` (what an event only points to), `download.py` (the files of messages),
`pull.py` (accounts that have to be asked) and `reach.py` (for people: is the account well), and its README. Functions load only `ingress`;
workers load all of it before their threads start. Adding a channel touches its folder and nothing else.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO, Protocol, cast

from models.channels.accounts import ChannelAccount
from models.kernel import imports
from models.kernel.settings import Settings
from models.ports.inbound import Ignored, IngressRequest, Parsed, Received
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks.rates import Bucket


class Ingress(Protocol):
    """`ingress.py`: runs in the webhook function, so it imports nothing heavy."""

    body_bytes_max: int

    def authenticate(
        self,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        account: ChannelAccount,
        settings: Settings,
    ) -> bool:
        """Look at the headers (names in lower case) and the address's parameters before a byte of the body is read.

        True: they prove that the provider calls. False: the provider signs its body; it is read as a stranger's (less time, fewer
        places), and `verify` decides. Raises Unauthenticated, constant time, the same for each fault.
        """

    def verify(self, request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
        """Check the signature over the exact bytes; only called after `authenticate` answered False. Raises Unauthenticated."""

    def receive(self, request: IngressRequest, account: ChannelAccount) -> Received:
        """Name the request's events; never raises for a strange body. Raises UnsupportedMediaType for a wrong content type."""


class Parser(Protocol):
    """`parse.py`: pure, bounded in time and memory."""

    def parse(self, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
        """Read a raw event. Raises Unparseable with a reason for people."""


class Fetcher(Protocol):
    """`fetch.py`, where a channel has one: the network between the stored event and the parser."""

    def fetch(
        self, raw: bytes, envelope: dict[str, str], account: ChannelAccount, settings: Settings
    ) -> bytes | Ignored | None:
        """What the event only points to (a mail at the provider), to be parsed and kept instead; None: the event holds all.

        Raises TransientFailure to be tried again, Unparseable when there is nothing to be had any more.
        """


class Puller(Protocol):
    """`pull.py`, where a channel has accounts that have to be asked: IMAP, long polling (queues/pulling/loop.py runs it).

    Light at import: every process that lives long asks `wants`.
    """

    def wants(self, account: ChannelAccount) -> bool:
        """Whether this account has to be asked, by what its file says."""

    def pull(self, account: ChannelAccount, settings: Settings, stop: threading.Event, idle_s: float) -> None:
        """Store what is new (`inbox.store` and `positions.put` in one transaction), then wait for more until `stop` is set.

        Only one process at a time does this for an account. `idle_s` bounds one wait for the provider's word; 0: do not wait, return
        when all is stored. May return at any time: it is called again at once. Say `health.report_well` when the account answers.
        Returns within seconds after `stop` is set. Raises TransientFailure or ConfigurationError with a message for people (no address, no
        secret), which is shown at the account; it is called again after a pause.
        """


class Files(Protocol):
    """`download.py`, where a channel's events only name their files: gets a file's bytes."""

    bytes_max: int  # what the provider gives; larger files are not asked for

    def download(self, provider_id: str, account: ChannelAccount, settings: Settings) -> BinaryIO:
        """The file as a stream at its beginning, which the caller closes.

        Raises TooLarge when the provider says so, TransientFailure to be tried again, PermanentFailure when the file is gone.
        """


class Sender(Protocol):
    """`send.py`: the only network of a send; returns an outcome instead of raising for what a provider can do."""

    def send(self, message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
        """Carry one message. Unexpected exceptions count as `unknown` when they rise from here."""

    def buckets(self, account: ChannelAccount, address: str) -> list[Bucket]:
        """The rate limits that one send uses a slot of."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried with an account, for people: no secret, no address of a person."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Watched:
    """What a provider says of an account when it is asked, and what is wrong with it, if anything."""

    told: Mapping[str, Any]
    error: str | None


class Watch(Protocol):
    """`watch.py`, where a channel has one: ask the provider now and then how the account is."""

    def look(self, account: ChannelAccount, settings: Settings) -> Watched | None:
        """None: there is nothing to ask. Raises ConfigurationError for a credential that does not work, TransientFailure."""


class Reach(Protocol):
    """`reach.py`: try an account for real, and set it up at its provider; for operators (`scripts.channels`)."""

    def test(self, account: ChannelAccount, settings: Settings) -> list[Finding]:
        """Log in wherever the account says, change nothing, send nothing; never raises for what a provider can do."""

    def setup(self, account: ChannelAccount, settings: Settings, *, public_url: str) -> list[Finding]:
        """Tell the provider where its events go, or tell the operator what to enter there."""


class Capabilities(Protocol):
    """`account.py`: what the account's file says, and what the channel can do. Light: functions load it."""

    Account: type[Any]  # a msgspec.Struct: the keys of the file beside `channel`
    retries_after_unknown: int  # how many times a send of unknown outcome is repeated
    operations: frozenset[str]  # of send, edit, delete
    buttons: bool


@cache
def names() -> frozenset[str]:
    """The channels that there is a folder for."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def load_all(channel: str) -> None:
    """Import every module of the channel's folder. Raises ImportError."""
    imports.load_all(f"{__name__}.{channel}")


def ingress(channel: str) -> Ingress:
    return cast(Ingress, imports.load(f"{__name__}.{channel}.ingress"))


def parser(channel: str) -> Parser:
    return cast(Parser, imports.load(f"{__name__}.{channel}.parse"))


def fetcher(channel: str) -> Fetcher | None:
    """The channel's `fetch.py`, or None when its events hold all."""
    name = f"{__name__}.{channel}.fetch"
    return None if importlib.util.find_spec(name) is None else cast(Fetcher, imports.load(name))


def puller(channel: str) -> Puller | None:
    """The channel's `pull.py`, or None when its providers call us."""
    name = f"{__name__}.{channel}.pull"
    return None if importlib.util.find_spec(name) is None else cast(Puller, imports.load(name))


def files(channel: str) -> Files | None:
    """The channel's `download.py`, or None when its events hold their files."""
    name = f"{__name__}.{channel}.download"
    return None if importlib.util.find_spec(name) is None else cast(Files, imports.load(name))


def sender(channel: str) -> Sender:
    return cast(Sender, imports.load(f"{__name__}.{channel}.send"))


def reach(channel: str) -> Reach | None:
    """The channel's `reach.py`, or None when there is nothing to be tried."""
    name = f"{__name__}.{channel}.reach"
    return None if importlib.util.find_spec(name) is None else cast(Reach, imports.load(name))


def watch(channel: str) -> Watch | None:
    """The channel's `watch.py`, or None."""
    name = f"{__name__}.{channel}.watch"
    return None if importlib.util.find_spec(name) is None else cast(Watch, imports.load(name))


def webhook_url(account: ChannelAccount, settings: Settings, public_url: str) -> str:
    """Where the provider sends the account's events; ends in the secret path if the account has one."""
    path = account.credential("path_id", settings) if account.config.get("path_id") else account.name
    return f"{public_url.rstrip('/')}/webhooks/{account.channel}/{path}"


def capabilities(channel: str) -> Capabilities:
    return cast(Capabilities, imports.load(f"{__name__}.{channel}.account"))


def retries_after_unknown(account: ChannelAccount) -> int:
    """How many times a send of unknown outcome is repeated: the channel's rule, or its account's own (an optional `retries_for`)."""
    found = capabilities(account.channel)
    own: Callable[[Mapping[str, Any]], int] | None = getattr(found, "retries_for", None)
    return found.retries_after_unknown if own is None else own(account.config)


def close_senders() -> None:
    """Close the connections that the loaded adapters keep (an optional `close()` in send.py); for a worker's shutdown."""
    for channel in names():
        module = sys.modules.get(f"{__name__}.{channel}.send")
        close = getattr(module, "close", None)
        if close is not None:
            close()
