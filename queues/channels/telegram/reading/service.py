"""Service messages: Telegram generates them about a chat, and they open no ticket."""

from __future__ import annotations

from queues.channels.telegram.reading import content
from queues.channels.telegram.reading.shapes import Json, line, member

# Key -> description. A key that ends in "_" matches by prefix and covers new service messages of a known family.
_SERVICE = {
    "new_chat_members": "somebody joined the chat",
    "new_chat_participant": "somebody joined the chat",
    "new_chat_member": "somebody joined the chat",
    "left_chat_member": "somebody left the chat",
    "left_chat_participant": "somebody left the chat",
    "new_chat_": "the chat changed",
    "left_chat_": "somebody left the chat",
    "delete_chat_": "something of the chat was taken away",
    "new_chat_title": "the chat has another title",
    "new_chat_photo": "the chat has another picture",
    "delete_chat_photo": "the chat's picture was taken away",
    "group_chat_created": "the group was made",
    "supergroup_chat_created": "the supergroup was made",
    "channel_chat_created": "the channel was made",
    "migrate_to_chat_id": "the group became a supergroup",
    "migrate_from_chat_id": "the supergroup was a group",
    "message_auto_delete_timer_changed": "messages are deleted after another time",
    "pinned_message": "a message was pinned",
    "successful_payment": "somebody paid",
    "refunded_payment": "a payment was given back",
    "users_shared": "somebody shared users with the bot",
    "user_shared": "somebody shared a user with the bot",
    "chat_shared": "somebody shared a chat with the bot",
    "chat_owner_": "the chat has another owner",
    "connected_website": "somebody signed in to a website",
    "write_access_allowed": "somebody let the bot write to them",
    "passport_data": "somebody shared Telegram Passport data",
    "proximity_alert_triggered": "two people came near to each other",
    "boost_added": "somebody boosted the chat",
    "chat_background_set": "the chat has another background",
    "forum_topic_created": "a topic was opened",
    "forum_topic_edited": "a topic was renamed",
    "forum_topic_closed": "a topic was closed",
    "forum_topic_reopened": "a topic was opened again",
    "forum_topic_": "a topic changed",
    "general_forum_topic_": "the general topic was hidden or shown",
    "giveaway_created": "a giveaway was announced",
    "giveaway_completed": "a giveaway ended",
    "video_chat_": "about a video chat",
    "voice_chat_": "about a voice chat",
    "checklist_tasks_": "about a checklist's tasks",
    "poll_option_": "a poll has other options",
    "direct_message_price_changed": "direct messages have another price",
    "paid_message_price_changed": "paid messages have another price",
    "suggested_post_approval_failed": "a suggested post could not be approved",
    "suggested_post_approved": "a suggested post was approved",
    "suggested_post_declined": "a suggested post was declined",
    "suggested_post_paid": "a suggested post was paid",
    "suggested_post_refunded": "a suggested post's payment was given back",
    "managed_bot_": "about a bot that this one manages",
    "gift_": "about a gift",
    "gift": "somebody gave a gift",
    "unique_gift": "somebody gave a unique gift",
}
_FAMILIES = tuple(name for name in _SERVICE if name.endswith("_"))
# The Bot API names a service message by what happened: `forum_topic_created`, `boost_added`. Content has a noun.
_HAPPENED = frozenset(
    """
    accepted activated added allowed approved assigned banned blocked changed claimed closed completed connected
    converted created deactivated declined deleted denied disabled disconnected edited enabled ended expired failed
    finished granted hidden invited joined launched left moved muted opened paid paused pinned promoted purchased
    reassigned received refunded rejected removed renamed reopened requested restored restricted resumed revoked
    scheduled selected sent set shared started stopped transferred triggered unbanned unblocked unhidden unmuted
    unpinned updated upgraded verified
    """.split()  # noqa: SIM905 -- a list literal would take seventy lines
)


def reason(message: Json) -> str | None:
    """Return the reason to ignore a service message; None for other messages. Includes the name of a topic.

    A message of an unknown kind counts as a service message if its name ends in a participle and nothing in it is a
    person's: no text, no known content.
    """
    for name, words in _SERVICE.items():
        if name in message:
            return f"service message: {name} ({words}{_topic(message, name)})"
    for name in message:
        family = next((one for one in _FAMILIES if name.startswith(one)), None)
        if family is not None:
            return f"service message: {line({'name': name}, 'name', 60)} ({_SERVICE[family]})"
    if content.kind(message) != "unsupported":
        return None
    unknown = content.unknown_keys(message)
    if unknown and all(name.rpartition("_")[2] in _HAPPENED and "_" in name for name in unknown):
        return f"service message: {', '.join(unknown)} (an unknown kind)"
    return None


def _topic(message: Json, name: str) -> str:
    title = line(member(message, name), "name", 128) if name.startswith("forum_topic_") else ""
    return f": {title}" if title else ""
