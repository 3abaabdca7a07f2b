"""The sender: sends a message to a chat (its text in parts, then its files), and edits or deletes sent messages."""

from __future__ import annotations

import time
from dataclasses import replace

from telegram import InlineKeyboardMarkup

from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.errors import ConfigurationError
from models.kernel.settings import Settings
from models.ports.outbound import OutgoingMessage, SendOutcome, misconfigured, permanent, transient
from models.tasks.rates import Bucket
from queues.channels.telegram import address
from queues.channels.telegram.address import Address
from queues.channels.telegram.writing import edits, media
from queues.channels.telegram.writing.carrier import Carrier, Refused, keyboard, text_parameters
from queues.channels.telegram.writing.render import shown
from queues.channels.telegram.writing.rich import Rich, units
from queues.channels.telegram.writing.split import split
from queues.channels.telegram.writing.upload import send_files

# All parts together, under the actor's own limit with room to record the outcome.
_SEND_S_MAX = limits.actor_time_limit_s - 20.0
# A burst of 5 on top of 25/s stays within the 30/s of the Bot API's FAQ; without one, two answers at once collide.
_BOT_BURST = 5


def send(message: OutgoingMessage, account: ChannelAccount, settings: Settings) -> SendOutcome:
    """Send, edit or delete, as `message.operation` says.

    The first part decides the outcome. When a later part fails, the outcome is `unknown`, with the ids of the parts
    that arrived: a repeat would show the first parts twice, so a person decides.
    """
    to = _place(message)
    if to is None:
        return permanent("the address is not a Telegram chat id")
    try:
        token = account.credential("token", settings)
    except ConfigurationError as error:
        # Nothing was sent.
        return misconfigured(error)
    carrier = Carrier(token, settings.telegram_api_url, to, message, time.monotonic() + _SEND_S_MAX)
    try:
        if message.operation == "edit":
            return edits.edit(carrier, message, shown(message, account))
        if message.operation == "delete":
            return edits.delete(carrier, message)
        return _send(carrier, message, shown(message, account))
    except Refused as refused:
        return _ended(carrier, refused.outcome)


def _place(message: OutgoingMessage) -> Address | None:
    """Return the address with the message's own topic or business connection; None for an address that is not
    Telegram's.
    """
    to = address.read(message.address)
    if to is None or to.chat == 0:
        return None
    if message.topic is not None:
        return address.read(f"{to.chat}/{message.topic}")
    business = message.details.get("business_connection_id")
    if to.business is None and isinstance(business, str) and address.is_business(business):
        return Address(to.chat, business=business)
    return to


def _send(carrier: Carrier, message: OutgoingMessage, rich: Rich) -> SendOutcome:
    files = message.attachments
    is_empty = not rich.text and not files
    trouble = "the message is empty; Telegram takes no empty text" if is_empty else media.trouble(files)
    if trouble is not None:
        return permanent(trouble)
    buttons = keyboard(message)
    if len(files) == 1 and units(rich.text) <= limits.telegram_caption_utf16_max:
        send_files(carrier, list(files), caption=rich if rich.text else None, keyboard=buttons)
    else:
        _send_parts(carrier, message, split(rich), buttons)
    return _arrived(carrier)


def _send_parts(
    carrier: Carrier, message: OutgoingMessage, parts: list[Rich], buttons: InlineKeyboardMarkup | None
) -> None:
    """Send the text's parts, then the files. The buttons stand under the last part, or under the last file without a
    text.
    """
    for number, part in enumerate(parts, start=1):
        more = {"reply_markup": buttons} if buttons is not None and number == len(parts) else {}
        carrier.send("send_message", **text_parameters(part), **more)
    groups = media.groups(message.attachments, alone_last=buttons is not None and not parts)
    for number, group in enumerate(groups, start=1):
        last = number == len(groups) and not parts
        send_files(carrier, group, keyboard=buttons if last else None)


def _arrived(carrier: Carrier) -> SendOutcome:
    external = tuple(carrier.external_id(one) for one in carrier.arrived)
    return SendOutcome("accepted", external_id=external[0], external_ids=external, file_ids=tuple(carrier.file_ids))


def _ended(carrier: Carrier, outcome: SendOutcome) -> SendOutcome:
    """Return the whole message's outcome after a call failed."""
    if outcome.new_address == str(carrier.to.chat):
        # A group that moved to its own id: a repeat there at once would be refused without end.
        outcome = transient(outcome.detail)
    elif outcome.new_address is not None:
        # A group's topics keep their ids when it moves.
        outcome = replace(outcome, new_address=str(replace(carrier.to, chat=int(outcome.new_address))))
    if not carrier.arrived:
        return outcome
    external = tuple(carrier.external_id(one) for one in carrier.arrived)
    detail = f"{len(external)} of its messages arrived, the next failed: {outcome.detail}"
    return SendOutcome(
        "unknown",
        detail,
        external_id=external[0],
        external_ids=external,
        account_error=outcome.account_error,
        suppress=outcome.suppress,
    )


def buckets(account: ChannelAccount, where: str) -> list[Bucket]:
    """Return the limits of the bot and of the chat. A group's id is negative; its topics share its limit."""
    bot = f"telegram:{account.name}"
    found = address.read(where)
    chat_id = where if found is None else str(found.chat)
    if chat_id.startswith("-"):
        chat = Bucket(f"{bot}:{chat_id}", 60.0 / limits.telegram_group_per_minute, limits.telegram_chat_burst)
    else:
        chat = Bucket(f"{bot}:{chat_id}", 1.0 / limits.telegram_chat_per_s, limits.telegram_chat_burst)
    return [Bucket(bot, 1.0 / limits.telegram_bot_per_s, _BOT_BURST), chat]
