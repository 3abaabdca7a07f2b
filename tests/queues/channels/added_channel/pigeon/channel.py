"""The declaration of the pigeon channel. Its imports are relative, because the folder is copied to another place."""

from __future__ import annotations

from functools import cached_property

from models.kernel import imports
from models.ports.channel_facts import ChannelFacts
from queues.channel_port import Channel, Ingress, Parser, Sender

from .account import Account


class Pigeon(Channel[Account]):
    """Carrier pigeons."""

    facts = ChannelFacts(title="Pigeon", addresses_fold_case=True)
    account_type = Account
    operations = frozenset({"send"})
    buttons = False
    retries_after_unknown = 1

    @cached_property
    def ingress(self) -> Ingress:
        with imports.late():
            from . import ingress
        return ingress

    @cached_property
    def parser(self) -> Parser:
        with imports.late():
            from . import parse
        return parse

    @cached_property
    def sender(self) -> Sender:
        with imports.late():
            from . import send
        return send


CHANNEL = Pigeon()
