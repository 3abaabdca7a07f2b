"""The actor that sends a batch of notices to the chat that its user connected: at most once."""

from __future__ import annotations

from functools import partial

from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.conversations import chats
from models.kernel.storage import database
from models.notices import composing
from models.notices.composing import Content, Item
from models.ports.outbound import SendOutcome
from models.staff import addresses
from models.staff.addresses import OwnChat
from models.tasks.commands import ClaimedTask
from models.tasks.payloads import SendChatNotices
from queues.actor import Actor
from queues.outside import one_chat_message
from queues.settlement import Done, Settlement

_ENDS = {"accepted": "sent", "permanent": "failed", "unknown": "unknown"}


def run(task: ClaimedTask, payload: SendChatNotices) -> Settlement:
    """Send what the user may see now, to the chat that counts as the user's now."""
    with database.connection():
        content = composing.of_batch(payload.batch_id, payload.user_id)
        chat = addresses.newest_chat(payload.user_id)
        account = None if chat is None else _account(chat)
        refused = _refusal(content, chat, account)
    if refused is not None or chat is None or account is None:
        return Done(partial(composing.record, content, state="withheld", error=refused))
    return one_chat_message.send(
        task,
        account,
        name=f"user_notice:{payload.batch_id}",
        address=chat.address,
        text="\n\n".join(_text(item) for item in content.items),
        subject=None,
        record=partial(_record, content),
        record_lost=partial(composing.record, content, state="unknown", error="the worker died in the call"),
    )


def _account(chat: OwnChat) -> ChannelAccount | None:
    if chat.account is None:
        return accounts.default_for(chat.channel)
    return accounts.find(chat.channel, chat.account)


def _refusal(content: Content, chat: OwnChat | None, account: ChannelAccount | None) -> str | None:
    """Return the reason why nothing is sent, or None."""
    if not content.items:
        return "nothing is left to send"
    if chat is None:
        return "the user has no connected chat"
    if account is None or account.config.get("enabled") is False:
        return "the account of the user's chat is switched off"
    return chats.unreachable_reason(account, chat.address)


def _text(item: Item) -> str:
    return "\n".join(part for part in (item.text, item.title, item.excerpt) if part)


def _record(content: Content, outcome: SendOutcome) -> None:
    state = _ENDS.get(outcome.kind)
    if state is not None:
        composing.record(content, state=state, error=None if state == "sent" else outcome.detail)


def _give_up(task: ClaimedTask, payload: SendChatNotices, reason: str) -> None:
    composing.give_up(payload.batch_id, reason)


ACTOR = Actor(run, _give_up)
