"""The channel port: the object that a channel's folder declares, and the protocols that its parts implement.

A folder's `channel.py` names one `CHANNEL`, an instance of a subclass of `Channel`. The class gives the channel's facts
at once and imports each part at its first use: a webhook function loads the account and the ingress only, and a worker
loads the whole folder at the channel's first task. A part is usually a module of the folder; mypy compares the module
with the protocol where the property returns it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

from models.channels.accounts import ChannelAccount
from models.channels.files import Common
from models.kernel.errors import FieldProblem
from models.kernel.settings import Settings
from models.ports.channel_facts import ChannelFacts
from models.ports.inbound import Ignored, IngressRequest, Parsed, Received
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.tasks.rates import Bucket

A = TypeVar("A", bound=Common)


class Ingress(Protocol):
    """`ingress.py`: authenticates a provider's request and names its events. The webhook function loads it: no heavy
    imports.
    """

    body_bytes_max: int

    def authenticate(
        self,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        account: ChannelAccount,
        settings: Settings,
    ) -> bool:
        """Check the headers (lower-case names) and the query parameters before any byte of the body is read.

        Returns True when they prove that the provider calls. Returns False when the provider signs its body: the body
        is then read with the time and the slots of an unknown caller, and `verify` decides. Raises Unauthenticated
        after the same time for each fault.
        """

    def verify(self, request: IngressRequest, account: ChannelAccount, settings: Settings) -> None:
        """Check the signature over the exact bytes. Called only after `authenticate` returned False. Raises
        Unauthenticated.
        """

    def receive(self, request: IngressRequest, account: ChannelAccount) -> Received:
        """Name the request's events. Never raises for a malformed body. Raises UnsupportedMediaType for a wrong content
        type.
        """


class Parser(Protocol):
    """`parse.py`: reads a raw event. Pure, and bounded in time and memory."""

    def parse(self, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> Parsed:
        """Read a raw event. Raises Unparseable with a reason for people."""

    def people(self, raw: bytes, envelope: dict[str, str], account: ChannelAccount) -> tuple[str, ...]:
        """Return the addresses of those whose event it is, for an event that is ignored or cannot be parsed. Never
        raises: bytes that nothing can be read from are nobody's.

        The export and the erasure of a person's data find the event by them.
        """


class Fetcher(Protocol):
    """`fetch.py`: gets content that an event only refers to."""

    def fetch(
        self, raw: bytes, envelope: dict[str, str], account: ChannelAccount, settings: Settings
    ) -> bytes | Ignored | None:
        """Return the content (a mail at the provider) that is stored and parsed in place of the event; None: the event
        is complete.

        Raises TransientFailure when another try may succeed, Unparseable when the content no longer exists.
        """


class Puller(Protocol):
    """`pull.py`: reads accounts whose provider does not call us (IMAP, long polling); `queues/pulling/loop.py` runs it.

    Every long-lived process imports it for `wants`: no heavy imports.
    """

    def wants(self, account: ChannelAccount) -> bool:
        """Return True if the account's file says that we pull its events."""

    def pull(self, account: ChannelAccount, settings: Settings, stop: threading.Event, idle_s: float) -> None:
        """Store new events (`inbox.store` and `positions.put` in one transaction), then wait for more until `stop` is
        set.

        One process at a time pulls an account. `idle_s` bounds one wait for the provider; 0 means: return when
        everything is stored. May return at any time, and is then called again immediately. Call `health.report_well`
        when the account answers. Returns within seconds after `stop` is set. Raises TransientFailure or
        ConfigurationError with a message for people (no address, no secret); the account shows the message, and `pull`
        is called again after a pause.
        """


class Files(Protocol):
    """`download.py`: gets the bytes of files that events only name."""

    bytes_max: int  # the provider's limit; larger files are not requested

    def download(self, provider_id: str, account: ChannelAccount, settings: Settings) -> BinaryIO:
        """Open the file as a stream at its beginning. The caller closes it.

        Raises TooLarge when the provider says so, TransientFailure when another try may succeed, PermanentFailure when
        the file is gone.
        """


class Sender(Protocol):
    """`send.py`: the only network access of a send. Provider failures are outcomes, not exceptions."""

    def send(self, message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
        """Carry one message. An unexpected exception counts as the outcome `unknown`."""

    def buckets(self, account: ChannelAccount, address: str) -> list[Bucket]:
        """Return the rate limits from which one send takes a slot."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check of an account, for people: contains no secret and no person's address."""

    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A provider's report about an account, and the account's error, if any."""

    told: Mapping[str, Any]
    error: str | None


class Watch(Protocol):
    """`watch.py`: asks the provider at intervals about the state of an account."""

    def inspect(self, account: ChannelAccount, settings: Settings) -> Watched | None:
        """Return the provider's report; None when there is nothing to ask.

        Raises ConfigurationError for a wrong credential, TransientFailure.
        """


class Reach(Protocol):
    """`reach.py`: tests an account against its provider, and sets it up there; for operators (`scripts.channels`)."""

    def test(self, account: ChannelAccount, settings: Settings) -> list[Finding]:
        """Log in to every service that the account names. Changes and sends nothing. Never raises for a provider's
        failure.
        """

    def setup(self, account: ChannelAccount, settings: Settings, *, public_url: str) -> list[Finding]:
        """Register our webhook address at the provider, or tell the operator what to enter there."""


class Probe(Protocol):
    """`probe.py`: checks whether the server that receives for an account removes proofs that a sender writes.

    An event is its raw bytes and its envelope.
    """

    def received(self, events: Sequence[tuple[bytes, dict[str, str]]], account: ChannelAccount) -> list[Finding]:
        """Judge the latest events of the account."""

    def send(self, account: ChannelAccount, settings: Settings) -> tuple[str, Finding]:
        """Send a probe to the account itself. Returns its mark, and an empty one if it was not sent."""

    def arrived(self, event: tuple[bytes, dict[str, str]], mark: str, account: ChannelAccount) -> Finding | None:
        """Judge the probe with this mark; None for another event."""


class SignIn(Protocol):
    """`sign_in.py`: accounts whose credentials only an authorization server can judge (OAuth 2.0); for operators.

    `tell` shows a line to a person, `ask` shows a prompt and returns the person's line.
    """

    def wants(self, account: ChannelAccount) -> bool:
        """Return True if the account signs in at an authorization server."""

    def check(self, account: ChannelAccount, settings: Settings) -> Finding:
        """Get an access token, if the known one cannot be used any more. Never raises for a server's failure."""

    def authorize(
        self, account: ChannelAccount, settings: Settings, tell: Callable[[str], None], ask: Callable[[str], str]
    ) -> str:
        """Get a refresh token by a person's consent, and store it if this process has a database; returns it.

        Raises ConfigurationError, TransientFailure.
        """


class Replay(Protocol):
    """`replay.py`: turns a recorded event into a request of the provider; for operators and tests (`scripts.channels`).

    `account` is None where only the demo account's name is known. Each method raises ConfigurationError for an account
    whose events it cannot make.
    """

    needs_account: bool  # the account's file says how its events are sent

    def credential(self, account: ChannelAccount | None) -> str | None:
        """Return the name of the credential by which the provider proves itself; None: there is none, or it is not
        known.
        """

    def headers(self, account: ChannelAccount | None, raw: bytes, *, secret: str) -> dict[str, str]:
        """Return the headers of the provider's request with this body."""

    def with_new_key(self, account: ChannelAccount | None, raw: bytes) -> bytes:
        """Return the event under a key that the desk has not stored."""


class Topics(Protocol):
    """`staff.py`: manages one topic for each ticket in a group of agents. Each method raises ConfigurationError,
    PermanentFailure, TransientFailure.
    """

    def open_topic(self, account: ChannelAccount, settings: Settings, chat: str, name: str) -> str:
        """Open a topic; returns its address."""

    def close_topic(self, account: ChannelAccount, settings: Settings, address: str) -> None: ...

    def reopen_topic(self, account: ChannelAccount, settings: Settings, address: str) -> None: ...


class Channel(ABC, Generic[A]):
    """One channel: its facts, and its parts, each imported at its first use.

    A part is a `cached_property` whose import stands inside `with imports.late()` (models/kernel/imports.py), because
    the threads of a function import at the same time. A channel overrides the optional parts that it has.
    """

    facts: ChannelFacts  # what the domain decides by
    account_type: type[A]  # the keys of an account's file
    operations: frozenset[str]  # of send, edit, delete
    buttons: bool  # messages can have buttons
    retries_after_unknown: int  # repeats of a send whose outcome is unknown

    @cached_property
    @abstractmethod
    def ingress(self) -> Ingress: ...

    @cached_property
    @abstractmethod
    def parser(self) -> Parser: ...

    @cached_property
    @abstractmethod
    def sender(self) -> Sender: ...

    @cached_property
    def fetcher(self) -> Fetcher | None:
        """None: each event is complete."""
        return None

    @cached_property
    def files(self) -> Files | None:
        """None: each event contains its files."""
        return None

    @cached_property
    def puller(self) -> Puller | None:
        """None: the provider calls us."""
        return None

    @cached_property
    def watch(self) -> Watch | None:
        return None

    @cached_property
    def reach(self) -> Reach | None:
        return None

    @cached_property
    def probe(self) -> Probe | None:
        """None: no server judges the channel's senders."""
        return None

    @cached_property
    def sign_in(self) -> SignIn | None:
        """None: the channel's credentials need no authorization server."""
        return None

    @cached_property
    def replay(self) -> Replay | None:
        """None: recorded events cannot be replayed."""
        return None

    @cached_property
    def topics(self) -> Topics | None:
        """None: the channel's groups have no topics."""
        return None

    def check(self, account: A) -> Sequence[FieldProblem]:
        """Return the problems of an account's file that its types do not express."""
        return ()

    def retries_for(self, account: ChannelAccount) -> int:
        """Return how often the account repeats a send whose outcome is unknown."""
        return self.retries_after_unknown

    def close(self) -> None:
        """Close the connections that this process keeps to the provider; at shutdown."""


def webhook_url(account: ChannelAccount, settings: Settings, public_url: str) -> str:
    """Return the address to which the provider sends the account's events; it ends in the account's secret path, if it
    has one.
    """
    path = account.credential("path_id", settings) if account.config.get("path_id") else account.name
    return f"{public_url.rstrip('/')}/webhooks/{account.channel}/{path}"
