"""The declaration of the e-mail channel (queues/channel_port.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from models.channels.accounts import ChannelAccount
from models.kernel import imports
from models.kernel.errors import FieldProblem
from models.ports.channel_facts import ChannelFacts, Config
from queues.channel_port import Channel, Fetcher, Ingress, Parser, Probe, Puller, Reach, Replay, Sender, SignIn
from queues.channels.email.account import Account

# Providers that answer a repeat under the same idempotency key with the id of the first mail. Ten repeats do no harm.
_IDEMPOTENT = frozenset({"resend"})
_IDEMPOTENT_REPEATS = 10


def _own_addresses(config: Config) -> Iterator[str]:
    yield str(config.get("address", ""))
    yield from config.get("aliases") or ()


# The imports inside the properties keep the cold start of a function small.


class Email(Channel[Account]):
    """E-mail through SMTP, IMAP and HTTP providers."""

    facts = ChannelFacts(
        title="E-mail",
        addresses_are_emails=True,
        # The local part is case-sensitive by RFC 5321 2.4, but no mailbox in use tells case apart.
        addresses_fold_case=True,
        own_addresses=_own_addresses,
        has_subaddresses=True,
        has_copies=True,
        has_signatures=True,
        authenticates_senders=True,
        message_ids_are_global=True,
        # Raw mail is no JSON: the address stands in headers and in the text.
    )
    account_type = Account
    operations = frozenset({"send"})
    buttons = False
    # A mail keeps its Message-ID over all attempts, but few receiving systems drop a repeat by it: a person would find
    # the same mail twice. A mail of unknown outcome is therefore repeated once, and then a person decides.
    retries_after_unknown = 1

    @cached_property
    def ingress(self) -> Ingress:
        with imports.late():
            from queues.channels.email import ingress
        return ingress

    @cached_property
    def parser(self) -> Parser:
        with imports.late():
            from queues.channels.email import parse
        return parse

    @cached_property
    def sender(self) -> Sender:
        with imports.late():
            from queues.channels.email import send
        return send

    @cached_property
    def fetcher(self) -> Fetcher:
        with imports.late():
            from queues.channels.email import fetch
        return fetch

    @cached_property
    def puller(self) -> Puller:
        with imports.late():
            from queues.channels.email import pull
        return pull

    @cached_property
    def sign_in(self) -> SignIn:
        with imports.late():
            from queues.channels.email import sign_in
        return sign_in

    @cached_property
    def replay(self) -> Replay:
        with imports.late():
            from queues.channels.email import replay
        return replay

    @cached_property
    def reach(self) -> Reach:
        with imports.late():
            from queues.channels.email import reach
        return reach

    @cached_property
    def probe(self) -> Probe:
        with imports.late():
            from queues.channels.email import probe
        return probe

    def check(self, account: Account) -> Sequence[FieldProblem]:
        with imports.late():
            from queues.channels.email import account_checks
        return account_checks.check(account)

    def retries_for(self, account: ChannelAccount) -> int:
        return _IDEMPOTENT_REPEATS if account.config.get("outbound") in _IDEMPOTENT else self.retries_after_unknown


CHANNEL = Email()
