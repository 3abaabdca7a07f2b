"""The kinds of updates in the Bot API 10.0, and the reasons to ignore those that the desk does not use.

The webhook is registered for exactly `ALLOWED_UPDATES`, because Telegram omits some kinds unless they are listed. The
module imports no library, because the program that registers webhooks uses it.
"""

from __future__ import annotations

# Kinds with a message: key -> True for an edit of an earlier one.
MESSAGES = {
    "message": False,
    "edited_message": True,
    "channel_post": False,
    "edited_channel_post": True,
    "business_message": False,
    "edited_business_message": True,
}

# Kinds that the desk ignores. The raw update is stored and shown with this reason.
UNUSED = {
    "business_connection": "a business account connected the bot, or changed its rights",
    "chat_boost": "somebody boosted a chat",
    "chat_join_request": "somebody asks to join a chat; its administrators decide",
    "chat_member": "somebody else's membership of a chat changed",
    "chosen_inline_result": "somebody chose an inline result; the desk offers none",
    "guest_message": "the bot was mentioned in a chat that it is no member of; it cannot answer there",
    "inline_query": "somebody typed an inline query; the desk answers none",
    "managed_bot": "a bot that this one manages was made or changed",
    "message_reaction_count": "anonymous reactions to a message were counted again",
    "poll": "the votes of a poll were counted again",
    "poll_answer": "somebody voted in a poll",
    "pre_checkout_query": "somebody is about to pay; the desk sells nothing",
    "purchased_paid_media": "somebody bought paid media",
    "removed_chat_boost": "somebody took a boost of a chat back",
    "shipping_query": "somebody asks for the price of shipping; the desk sells nothing",
}

# The `allowed_updates` of setWebhook and getUpdates. Telegram sends reactions only if they are listed (Bot API,
# getUpdates).
ALLOWED_UPDATES = (
    *MESSAGES,
    "callback_query",
    "message_reaction",
    "my_chat_member",
    "business_connection",
    "deleted_business_messages",
)
