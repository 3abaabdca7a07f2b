"""The place of a message: its conversation and reply address, by the chat's type and the account's settings."""

from __future__ import annotations

from dataclasses import dataclass

from models.channels.accounts import ChannelAccount
from models.ports.inbound import Ignored, Unparseable
from queues.channels.telegram import address
from queues.channels.telegram.address import Address
from queues.channels.telegram.reading.content import words
from queues.channels.telegram.reading.people import Author, bot_username, is_ours
from queues.channels.telegram.reading.shapes import Json, identifier, is_id, is_true, items, member

# The Bot API sends at most 100 entities.
_entities_looked_at_max = 100
# A slash, a command of 32 characters, @, and a username of 32 characters.
_mention_units_max = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A message's place. A conversation has one current ticket.

    `is_direct`: only the author and the bot take part. `is_staff`: the chat is the staff group.
    """

    contact: Address
    conversation: str
    is_direct: bool
    is_staff: bool = False


def chat_type(chat: Json) -> str:
    """Return private, group, supergroup or channel; a chat without a type is a group when its id is negative."""
    told = chat.get("type")
    if told in ("private", "group", "supergroup", "channel"):
        return str(told)
    number = identifier(chat, "id")
    return "group" if number is not None and number < 0 else "private"


def contact(message: Json) -> Address:
    """Return the reply address. Raises Unparseable for a chat without an id."""
    chat = identifier(member(message, "chat"), "id")
    if chat is None:
        raise Unparseable("chat.id: expected a whole number")
    business = message.get("business_connection_id")
    if isinstance(business, str) and address.is_business(business):
        return Address(chat, business=business)
    direct = identifier(member(message, "direct_messages_topic"), "topic_id")
    if direct is not None and direct >= 0:
        return Address(chat, direct=direct)
    topic = identifier(message, "message_thread_id")
    # Without `is_topic_message`, the number identifies a thread of replies, not a topic.
    if is_true(message, "is_topic_message") and topic is not None and topic >= 0:
        return Address(chat, topic=topic)
    return Address(chat)


def find(message: Json, author: Author, account: ChannelAccount) -> Place | Ignored:
    """Return the message's place, or the reason to ignore messages from there."""
    where = contact(message)
    chat = member(message, "chat")
    kind = chat_type(chat)
    if kind == "channel":
        if account.config.get("channel_posts", "off") != "ticket":
            return Ignored("a channel's post; this account makes no tickets of them (channel_posts)")
        return Place(where, str(where), is_direct=False)
    if kind == "private" or where.business is not None or where.direct is not None:
        return Place(where, str(where), is_direct=True)
    if is_true(message, "is_automatic_forward") and account.config.get("channel_posts", "off") != "ticket":
        return Ignored("a channel's post that Telegram copied to the channel's discussion group")
    return _in_group(message, where, author, account)


def _in_group(message: Json, where: Address, author: Author, account: ChannelAccount) -> Place | Ignored:
    staff = account.config.get("staff")
    if isinstance(staff, dict) and staff.get("chat_id") == where.chat:
        return Place(where, str(where), is_direct=False, is_staff=True)
    mode = account.config.get("groups", "per_topic")
    if mode == "off":
        return Ignored("a message in a group; this account listens to none (groups: off)")
    if mode == "on_mention" and not speaks_to_us(message, account):
        return Ignored("a message in a group that does not mention the bot (groups: on_mention)")
    # In these modes each person who writes to the bot has a separate conversation.
    own = mode in ("per_user", "on_mention")
    return Place(where, f"{where.chat}#{author.address}" if own else str(where), is_direct=False)


def speaks_to_us(message: Json, account: ChannelAccount) -> bool:
    """Return True if the message mentions the bot, replies to it, or is a command to it.

    An account without `bot_id` and `bot_username` cannot distinguish bots, so a reply to any bot counts.
    """
    answered = member(message, "reply_to_message", "from")
    if is_ours(answered, account):
        return True
    username = bot_username(account)
    if not username and not is_id(account.config.get("bot_id")) and is_true(answered, "is_bot"):
        return True
    found = words(message)
    if found is None:
        return False
    text, name = found
    units = text.encode("utf-16-le", "surrogatepass")
    return any(_names_us(entity, units, username, account) for entity in items(message, name, _entities_looked_at_max))


def _names_us(entity: Json, units: bytes, username: str, account: ChannelAccount) -> bool:
    """Return True if the entity is a mention of the bot, or a command with the bot's name."""
    kind, start, length = entity.get("type"), identifier(entity, "offset"), identifier(entity, "length")
    if kind == "text_mention":
        return is_ours(member(entity, "user"), account)
    if not username or start is None or length is None:
        return False
    shown = _slice(units, start, length).lower()
    if kind == "bot_command":
        return shown.endswith(f"@{username}")
    return kind == "mention" and shown == f"@{username}"


def _slice(units: bytes, offset: int, length: int) -> str:
    """Return the text of an entity; empty if it is longer than a mention. Half a surrogate pair becomes U+FFFD."""
    if offset < 0 or not 0 < length <= _mention_units_max:
        return ""
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")
