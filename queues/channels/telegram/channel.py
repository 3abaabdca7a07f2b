"""The declaration of the Telegram channel (queues/channel_port.py)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from models.kernel import imports
from models.kernel.errors import FieldProblem
from models.ports.channel_facts import ChannelFacts, Config
from queues.channel_port import Channel, Files, Ingress, Parser, Puller, Reach, Replay, Sender, Topics, Watch
from queues.channels.telegram.account import Account


def _deep_link(config: Config, token: str) -> str | None:
    """The link that starts the bot with a token (core.telegram.org/bots/features#deep-linking)."""
    username = config.get("bot_username")
    return f"https://t.me/{username}?start={token}" if username else None


def _person_of(chat: str) -> str:
    with imports.late():
        from queues.channels.telegram.address import person_of
    return person_of(chat)


# The imports inside the properties keep the cold start of a function small.


class Telegram(Channel[Account]):
    """Telegram through the Bot API."""

    facts = ChannelFacts(title="Telegram", deep_link=_deep_link, person_of=_person_of)
    account_type = Account
    operations = frozenset({"send", "edit", "delete"})
    buttons = True
    # The Bot API has no idempotency key: a message of unknown outcome is repeated once, marked as a possible duplicate.
    retries_after_unknown = 1

    def check(self, account: Account) -> Sequence[FieldProblem]:
        with imports.late():
            from queues.channels.telegram import account_checks
        return list(account_checks.check(account))

    @cached_property
    def ingress(self) -> Ingress:
        with imports.late():
            from queues.channels.telegram import ingress
        return ingress

    @cached_property
    def parser(self) -> Parser:
        with imports.late():
            from queues.channels.telegram import parse
        return parse

    @cached_property
    def sender(self) -> Sender:
        with imports.late():
            from queues.channels.telegram import send
        return send

    @cached_property
    def files(self) -> Files:
        with imports.late():
            from queues.channels.telegram import download
        return download

    @cached_property
    def puller(self) -> Puller:
        with imports.late():
            from queues.channels.telegram import pull
        return pull

    @cached_property
    def watch(self) -> Watch:
        with imports.late():
            from queues.channels.telegram import watch
        return watch

    @cached_property
    def replay(self) -> Replay:
        with imports.late():
            from queues.channels.telegram import replay
        return replay

    @cached_property
    def reach(self) -> Reach:
        with imports.late():
            from queues.channels.telegram import reach
        return reach

    @cached_property
    def topics(self) -> Topics:
        with imports.late():
            from queues.channels.telegram import staff
        return staff

    def close(self) -> None:
        with imports.late():
            from queues.channels.telegram.bot_api import bots
        bots.close()


CHANNEL = Telegram()
