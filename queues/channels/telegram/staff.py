"""The topics of the staff group, one for each ticket. The bot must be an administrator with the right to manage topics
(https://core.telegram.org/bots/api#createforumtopic).
"""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel.errors import PermanentFailure
from models.kernel.settings import Settings
from queues.channels.telegram import address as addresses
from queues.channels.telegram.bot_api import setup


def open_topic(account: ChannelAccount, settings: Settings, chat: str, name: str) -> str:
    """Open a topic; returns its address. Raises, as all functions here, ConfigurationError, PermanentFailure,
    TransientFailure.
    """
    token = account.credential("token", settings)
    made = setup.call(token, settings.telegram_api_url, "create_forum_topic", chat_id=int(chat), name=name)
    return f"{chat}/{int(made['message_thread_id'])}"


def close_topic(account: ChannelAccount, settings: Settings, address: str) -> None:
    """Close the topic: then only administrators can write there."""
    _change(account, settings, address, "close_forum_topic")


def reopen_topic(account: ChannelAccount, settings: Settings, address: str) -> None:
    _change(account, settings, address, "reopen_forum_topic")


def _change(account: ChannelAccount, settings: Settings, address: str, method: str) -> None:
    place = addresses.read(address)
    if place is None or place.topic is None:
        raise PermanentFailure("the address is no topic's")
    token = account.credential("token", settings)
    try:
        setup.call(token, settings.telegram_api_url, method, chat_id=place.chat, message_thread_id=place.topic)
    except PermanentFailure as error:
        # Somebody has closed or opened the topic by hand.
        if "TOPIC_NOT_MODIFIED" not in error.message.upper():
            raise
