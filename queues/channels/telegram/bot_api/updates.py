"""The kinds of updates that the Bot API (10.0) knows, and what becomes of those that are no message.

Light: the program that registers webhooks asks for exactly these; Telegram leaves some out unless they are named.
"""

from __future__ import annotations

# Kinds that carry a message: key -> whether it is an edit of an earlier one.
MESSAGES = {
    "message": False,
    "edited_message": True,
    "channel_post": False,
    "edited_channel_post": True,
    "business_message": False,
    "edited_business_message": True,
}

# What a desk has no use for: kept raw, and shown with these words.
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

# setWebhook's and getUpdates' `allowed_updates`: what the desk acts upon. Reactions come only when they are named (Bot API, getUpdates).
ALLOWED_UPDATES = (
    *MESSAGES,
    "callback_query",
    "message_reaction",
    "my_chat_member",
    "business_connection",
    "deleted_business_messages",
)
