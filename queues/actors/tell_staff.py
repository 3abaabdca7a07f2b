"""Tell a ticket's story in its topic of the staff's group, event by event, in order."""

from __future__ import annotations

import importlib
from typing import Protocol, cast
from uuid import UUID

from models.attachments import queries as attachments
from models.channels import accounts, health
from models.channels.accounts import ChannelAccount
from models.deliveries.port import OutgoingMessage
from models.kernel import database, logs, settings
from models.kernel.errors import ConfigurationError, PermanentFailure
from models.kernel.settings import Settings
from models.staff import groups, telling
from models.tasks import rates
from models.tasks.commands import ClaimedTask
from queues import channels
from queues.settlement import Done, Failed, Postponed, Settlement

log = logs.get("staff")
_posts_max = 100  # of one run; what is left is told by the next


class Topics(Protocol):
    """`staff.py` of a channel whose groups have topics."""

    def open_topic(self, account: ChannelAccount, settings: Settings, chat: str, name: str) -> str: ...
    def close_topic(self, account: ChannelAccount, settings: Settings, address: str) -> None: ...
    def reopen_topic(self, account: ChannelAccount, settings: Settings, address: str) -> None: ...


def _topics(channel: str) -> Topics:
    return cast(Topics, importlib.import_module(f"queues.channels.{channel}.staff"))


def run(task: ClaimedTask) -> Settlement:
    """Post what is not told yet. A post that may have arrived (a worker died in the call) is posted once more, marked."""
    ticket_id = UUID(task.payload["ticket_id"])
    with database.connection():
        account = accounts.find(task.payload["channel"], task.payload["account"])
    chat = groups.chat_of(account)
    if chat is None:
        return Done()
    sender = channels.sender(account.channel)
    for _ in range(_posts_max):
        with database.transaction():
            wait_s = rates.take_or_line_up(sender.buckets(account, chat))
            post = None if wait_s > 0 else telling.next_post(account, ticket_id)
        if wait_s > 0:
            return Postponed(wait_s, "rate limit")
        if post is None:
            return Done()
        settlement = _posted(account, chat, post)
        if settlement is not None:
            return settlement
    return Postponed(1.0, "more is to be told")


def _posted(account: ChannelAccount, chat: str, post: telling.Post) -> Settlement | None:
    """Post one thing; None when it stands there, else how the task ends."""
    config, topics = settings.current(), _topics(account.channel)
    address = post.address
    try:
        if address is None:
            address = topics.open_topic(account, config, chat, telling.topic_name(post.ticket))
            with database.transaction():
                telling.open_topic(account, post.ticket.id, address)
        if post.closes is False:
            topics.reopen_topic(account, config, address)
    except (ConfigurationError, PermanentFailure) as error:
        with database.connection():
            health.report_error(account.channel, account.name, f"staff group: {error.message}")
        return Failed(error.message, permanent=isinstance(error, PermanentFailure))
    outcome = channels.sender(account.channel).send(_message(post, account, address), account, config)
    log.info("staff_told", account=account.name, outcome=outcome.kind, sequence=post.sequence)
    if outcome.kind in ("throttled", "transient"):
        with database.transaction():
            telling.not_told(account, post)
    if outcome.kind == "throttled":
        return Postponed(outcome.retry_after_s or 1.0, "throttled by the provider")
    if outcome.kind == "permanent":
        with database.connection():
            health.report_error(account.channel, account.name, f"staff group: {outcome.detail}")
        return Failed(outcome.detail, permanent=True)
    if outcome.kind in ("transient", "unknown") and not (outcome.kind == "unknown" and post.possibly_told):
        return Failed(f"{outcome.kind}: {outcome.detail}", retry_after_s=outcome.retry_after_s)
    if post.closes is True:
        topics.close_topic(account, config, address)
    with database.transaction():
        telling.told(account, post, outcome.external_id)
    return None


def _message(post: telling.Post, account: ChannelAccount, address: str) -> OutgoingMessage:
    again = "(again, perhaps) " if post.possibly_told else ""
    with database.connection():
        files = attachments.outgoing(post.message_id, account) if post.message_id is not None else ()
    return OutgoingMessage(
        delivery_id=f"staff:{post.ticket.id}:{post.sequence}",
        attempt_number=1,
        address=address,
        recipient_name="",
        body=again + post.text,
        body_format="text",
        subject=None,
        external_id=None,
        in_reply_to=None,
        references=(),
        automatic=False,
        ticket_number=post.ticket.number,
        buttons=tuple(post.buttons),
        attachments=files,
    )
