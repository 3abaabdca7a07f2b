"""Updates that are not messages: button presses, reactions, the bot's membership, and deletions."""

from __future__ import annotations

import re

from models.kernel import limits
from models.ports.inbound import (
    ButtonPress,
    Deletion,
    Ignored,
    ReachabilityChange,
    ReactionChange,
    Unparseable,
)
from queues.channels.telegram.address import Address, is_business
from queues.channels.telegram.reading import people, places
from queues.channels.telegram.reading.places import chat_type
from queues.channels.telegram.reading.shapes import Json, identifier, is_id, is_true, items, line, member

# The data of our buttons: `b:<token>`, with a score `b:<token>:<value>`; at most 64 bytes (Bot API, callback_data).
_BUTTON = re.compile(r"b:([A-Za-z0-9_-]{1,60})(?::([A-Za-z0-9_-]{0,20}))?")
# The reactions of one user to one message. The Bot API allows three.
_reactions_max = 20


def callback_query(query: Json) -> ButtonPress | Ignored:
    """Convert the press of a button."""
    presser = people.person(member(query, "from"))
    data = query.get("data")
    match = _BUTTON.fullmatch(data) if isinstance(data, str) else None
    if match is None:
        if not isinstance(data, str):
            return Ignored("the button of a game, or one without data")
        return Ignored(f"a button that is none of the desk's (its data has {len(data)} characters)")
    message = member(query, "message")
    chat, message_id = identifier(member(message, "chat"), "id"), identifier(message, "message_id")
    where = None if chat is None else places.contact(message)
    return ButtonPress(
        token=match[1],
        value=match[2] or "",
        author_address=presser.address,
        author_name=presser.name,
        # The message is missing when it is too old or was sent inline: then only the user is known.
        chat_address=presser.address if where is None else str(where),
        external_id=None if where is None or message_id is None else where.message(message_id),
        press_id=line(query, "id", 64),
    )


def message_reaction(update: Json) -> ReactionChange:
    """Convert a change to the user's current reactions; an anonymous reaction belongs to the chat."""
    user, chat = member(update, "user"), member(update, "actor_chat")
    author = people.person(user if identifier(user, "id") is not None else chat)
    reactions = items(update, "new_reaction", _reactions_max)
    return ReactionChange(
        external_id=_message(update),
        author_address=author.address,
        author_name=author.name,
        emojis=tuple(filter(None, map(_emoji, reactions))),
    )


def _emoji(reaction: Json) -> str:
    match reaction.get("type"):
        case "custom_emoji":
            return f"[custom emoji {line(reaction, 'custom_emoji_id', 40)}]"
        case "paid":
            return "[paid star]"
        case _:
            return line(reaction, "emoji", 40) or f"[{line(reaction, 'type', 40) or 'unknown'}]"


def _message(update: Json) -> str:
    chat, message_id = identifier(member(update, "chat"), "id"), identifier(update, "message_id")
    if chat is None or message_id is None:
        raise Unparseable("chat.id or message_id: expected a whole number")
    return Address(chat).message(message_id)


def my_chat_member(update: Json) -> ReachabilityChange:
    """Convert a change of the bot's membership; in a private chat, the user blocked or unblocked the bot."""
    chat = member(update, "chat")
    number = identifier(chat, "id")
    if number is None:
        raise Unparseable("chat.id: expected a whole number")
    now, before = member(update, "new_chat_member"), member(update, "old_chat_member")
    if not isinstance(now.get("status"), str):
        raise Unparseable("new_chat_member.status: expected text")
    kind = chat_type(chat)
    is_reachable = _may_write(now, kind)
    sender = identifier(member(update, "from"), "id")
    return ReachabilityChange(
        address=str(number),
        author_address=str(number if sender is None else sender),
        reachable=is_reachable,
        reason=_private(is_reachable, before) if kind == "private" else _group(now, before, kind, is_reachable),
    )


def _may_write(membership: Json, kind: str) -> bool:
    match membership.get("status"):
        case "left" | "kicked":
            return False
        case "restricted":
            return membership.get("is_member") is not False and membership.get("can_send_messages") is not False
        case "member":
            # Only administrators can post in a channel.
            return kind != "channel"
        case "administrator":
            return kind != "channel" or is_true(membership, "can_post_messages")
        case _:
            return True


def _private(is_reachable: bool, before: Json) -> str:
    if not is_reachable:
        return "the person blocked the bot"
    return "the person unblocked the bot" if before.get("status") == "kicked" else "the person started the bot"


def _group(now: Json, before: Json, kind: str, is_reachable: bool) -> str:
    place = "channel" if kind == "channel" else "group"
    was_in = before.get("status") not in ("left", "kicked", None)
    if now["status"] in ("left", "kicked"):
        return f"the bot was removed from the {place}"
    if not is_reachable:
        return f"the bot may not write in the {place}"
    return f"the bot's rights in the {place} changed" if was_in else f"the bot was added to the {place}"


def deleted_business_messages(update: Json) -> Deletion | Ignored:
    """Convert the deletion of messages in a business account's chat."""
    chat, ids = identifier(member(update, "chat"), "id"), update.get("message_ids")
    if chat is None:
        raise Unparseable("chat.id: expected a whole number")
    business = update.get("business_connection_id")
    where = Address(chat, business=business if isinstance(business, str) and is_business(business) else None)
    known = ids[: limits.telegram_deleted_ids_max] if isinstance(ids, list) else []
    found = tuple(where.message(number) for number in known if isinstance(number, int) and is_id(number))
    return Deletion(found) if found else Ignored("messages were taken back, but the update names none")
