"""The actor that posts a ticket's events in its topic of the staff group, in order."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import partial

from models.attachments import queries as attachments
from models.attachments import scans
from models.channels import accounts, health
from models.channels.accounts import ChannelAccount
from models.kernel import limits, settings
from models.kernel.errors import ConfigurationError, NestorError, PermanentFailure
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.telemetry import logs
from models.ports.outbound import OutgoingMessage, SendOutcome
from models.staff_chat import ticket_posts
from models.tasks import rates, task_leases
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import TellStaff
from models.tickets import staff_groups
from queues import channels
from queues.actor import Actor
from queues.channel_port import Sender, Topics
from queues.processes.recording import record_answer
from queues.settlement import Done, Failed, Postponed, Settlement

log = logs.get("staff")
# One message of the chat; further messages would hold a worker at the group's rate limit.
_post_chars_max = 3_500
_GOES_ON = " … [It goes on in the console.]"
# Posts of one run; the next run posts the rest.
_posts_max = 100


def run(task: ClaimedTask, payload: TellStaff) -> Settlement:
    """Post the events that are not posted yet. A post that may have arrived (a worker died in the call) is repeated
    once, marked.
    """
    ticket_id = payload.ticket_id
    with database.connection():
        account = accounts.find(payload.channel, payload.account)
    chat = staff_groups.chat_of(account)
    if chat is None:
        return Done()
    sender = channels.complete(account.channel).sender
    for _ in range(_posts_max):
        # The posts together may take longer than the task's time limit.
        task_leases.confirm(task)
        with database.transaction():
            post = ticket_posts.next_post(account, ticket_id)
            if post is None:
                return Done()
            wait_s = rates.take_or_line_up(_buckets(account, sender, chat, post))
            if wait_s == 0:
                post = ticket_posts.begin(account, post)
        if wait_s > 0:
            return Postponed(wait_s, "rate limit")
        settlement = _posted(task, account, chat, post)
        if settlement is not None:
            return settlement
    return Postponed(1.0, "more is to be told")


def _buckets(account: ChannelAccount, sender: Sender, chat: str, post: ticket_posts.Post) -> list[rates.Bucket]:
    """Return the limits of a post. The posts of new tickets have a part of the group's limit, so that a burst of them
    leaves room for the messages of running conversations.
    """
    wanted = sender.buckets(account, chat)
    if post.opens_topic:
        every_s = 60.0 / limits.staff_new_tickets_per_minute
        wanted.append(rates.Bucket(f"{account.channel}:{account.name}:{chat}:new", every_s, limits.telegram_chat_burst))
    return wanted


def _posted(task: ClaimedTask, account: ChannelAccount, chat: str, post: ticket_posts.Post) -> Settlement | None:
    """Post one event; returns None after it was posted, else the task's settlement."""
    config, topics = settings.current(), channels.complete(account.channel).topics
    assert topics is not None, "only a channel with topics has a staff group"
    try:
        # A ConfigurationError goes on to the runner: the task waits for the operator.
        address = _open(task, topics, account, chat, post)
    except PermanentFailure as error:
        return Failed(error.message, permanent=True)
    sender = channels.complete(account.channel).sender
    outcome = sender.send(_message(post, account, address), account, config)
    if outcome.kind == "permanent" and post.message_id is not None:
        # The group most likely refuses a file: the text is posted without it.
        outcome = sender.send(_message(post, account, address, without_files=outcome.detail), account, config)
    log.info("staff_told", account=account.name, outcome=outcome.kind, sequence=post.sequence)
    record_answer(task, partial(_record_post, account, chat, post, outcome))
    if outcome.kind == "throttled":
        return Postponed(outcome.retry_after_s or 1.0, "throttled by the provider")
    if not _is_settled(post, outcome):
        return Failed(f"{outcome.kind}: {outcome.detail}", retry_after_s=outcome.retry_after_s)
    if post.closes is True:
        _close(topics, account, config, address)
    return None


def _open(task: ClaimedTask, topics: Topics, account: ChannelAccount, chat: str, post: ticket_posts.Post) -> str:
    """Return the address of the ticket's topic, which is opened or reopened for the post."""
    config, address = settings.current(), post.address
    try:
        if address is None:
            address = topics.open_topic(account, config, chat, ticket_posts.topic_name(post.ticket))
            record_answer(task, partial(_record_topic, account, post, address))
        if post.closes is False:
            topics.reopen_topic(account, config, address)
    except (ConfigurationError, PermanentFailure) as error:
        with database.connection():
            health.report_error(account.channel, account.name, f"staff group: {error.message}")
        raise
    return address


def _is_settled(post: ticket_posts.Post, outcome: SendOutcome) -> bool:
    """Return True if the next event may be posted. A post that the group refuses must not hold back the
    following ones.
    """
    return outcome.kind in ("accepted", "permanent") or (outcome.kind == "unknown" and post.possibly_posted)


def _record_topic(account: ChannelAccount, post: ticket_posts.Post, address: str) -> None:
    with database.transaction():
        ticket_posts.open_topic(account, post.ticket.id, address)


def _record_post(account: ChannelAccount, chat: str, post: ticket_posts.Post, outcome: SendOutcome) -> None:
    with database.transaction():
        if outcome.kind == "throttled":
            _block(account, chat, outcome)
        health.report_outcome(account.channel, account.name, outcome)
        if outcome.kind in ("throttled", "transient"):
            ticket_posts.record_not_posted(account, post)
        if outcome.kind == "permanent":
            told = f"staff group: a post was refused: {outcome.detail}"
            health.report_error(account.channel, account.name, told)
        if _is_settled(post, outcome):
            ticket_posts.record_posted(account, post, outcome.external_id)


def _block(account: ChannelAccount, chat: str, outcome: SendOutcome) -> None:
    """Let the whole group wait as the provider asks: else the next ticket's post would call again at once."""
    whole = f"{account.channel}:{account.name}"
    names = {bucket.name for bucket in channels.complete(account.channel).sender.buckets(account, chat)} - {whole}
    for name in sorted(names | ({whole} if outcome.pause_account else set())):
        rates.block(name, for_s=min(outcome.retry_after_s or 1.0, limits.provider_wait_s_max))


def _close(topics: Topics, account: ChannelAccount, config: Settings, address: str) -> None:
    """Close the topic with its ticket. A topic that stays open does no harm."""
    try:
        topics.close_topic(account, config, address)
    except NestorError as error:
        log.warning("topic_stays_open", account=account.name, code=error.code)
        health.report_error(account.channel, account.name, f"staff group: {error.message}")


def _message(
    post: ticket_posts.Post, account: ChannelAccount, address: str, *, without_files: str = ""
) -> OutgoingMessage:
    message_id = None if without_files else post.message_id
    with database.connection():
        files = () if message_id is None else attachments.outgoing(message_id, account)
        held = [] if message_id is None else scans.held(message_id)
    notes = [f"[Its files could not be posted here: {without_files}]"] if without_files else []
    notes += [f"[Not posted: {one.filename}; {one.reason}]" for one in held]
    return OutgoingMessage(
        delivery_id=f"staff:{post.ticket.id}:{post.sequence}",
        attempt_number=1,
        address=address,
        recipient_name="",
        body=_body(post, notes),
        body_format=post.body_format,
        subject=None,
        external_id=None,
        in_reply_to=None,
        references=(),
        automatic=False,
        ticket_number=post.ticket.number,
        buttons=tuple(post.buttons),
        attachments=files,
    )


def _body(post: ticket_posts.Post, notes: Sequence[str]) -> str:
    """Put the heading and the notes around a message, in the message's format."""
    again = "(again, perhaps) " if post.possibly_posted else ""
    plain = f"{post.heading}\n{post.text}" if post.heading and post.body_format == "text" else post.text
    shown = plain if len(plain) <= _post_chars_max else plain[:_post_chars_max] + _GOES_ON
    if post.body_format == "text":
        return again + "\n".join([shown, *notes])
    around = [f"{again}{post.heading}", *notes]
    if post.body_format == "html":
        first, *rest = (f"<p>{html.escape(one)}</p>" for one in around)
        return "".join([first, shown, *rest])
    first, *rest = (_PUNCTUATION.sub(r"\\\g<0>", one) for one in around)
    return "\n\n".join([first, shown, *rest])


# CommonMark 0.31 section 2.4: a backslash before ASCII punctuation makes it text.
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


ACTOR = Actor(run)
