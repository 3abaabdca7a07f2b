"""The declaration of the generic webhook channel (queues/channel_port.py)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from models.channels.accounts import ChannelAccount
from models.kernel import imports
from models.kernel.errors import FieldProblem
from models.ports.channel_facts import ChannelFacts
from queues.channel_port import Channel, Files, Ingress, Parser, Reach, Replay, Sender
from queues.channels.webhook.account import Account

# A service that honours Idempotency-Key drops repeats, so ten repeats do no harm.
_IDEMPOTENT_REPEATS = 10

# The imports inside the properties keep the cold start of a function small.


class Webhook(Channel[Account]):
    """Any service that posts JSON or a form, described by its account's file."""

    facts = ChannelFacts(title="Webhook")
    account_type = Account
    operations = frozenset({"send"})
    buttons = False
    retries_after_unknown = 0

    @cached_property
    def ingress(self) -> Ingress:
        with imports.late():
            from queues.channels.webhook import ingress
        return ingress

    @cached_property
    def parser(self) -> Parser:
        with imports.late():
            from queues.channels.webhook import parse
        return parse

    @cached_property
    def sender(self) -> Sender:
        with imports.late():
            from queues.channels.webhook import send
        return send

    @cached_property
    def files(self) -> Files:
        with imports.late():
            from queues.channels.webhook import download
        return download

    @cached_property
    def replay(self) -> Replay:
        with imports.late():
            from queues.channels.webhook import replay
        return replay

    @cached_property
    def reach(self) -> Reach:
        with imports.late():
            from queues.channels.webhook import reach
        return reach

    def check(self, account: Account) -> Sequence[FieldProblem]:
        with imports.late():
            from queues.channels.webhook.account_checks import check
        return check(account)

    def retries_for(self, account: ChannelAccount) -> int:
        reply = account.config.get("reply")
        if isinstance(reply, dict) and reply.get("idempotent") is True:
            return _IDEMPOTENT_REPEATS
        return self.retries_after_unknown


CHANNEL = Webhook()
