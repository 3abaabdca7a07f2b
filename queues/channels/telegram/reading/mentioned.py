"""The people whose event an update is, for an update that makes no message. Accepts any JSON."""

from __future__ import annotations

from typing import Any

from queues.channels.telegram.reading.shapes import Json, identifier

# -- limits ----------------------------------------------------------------------------------------------------
_nodes_max = 5_000  # an update of the Bot API has some hundred members


def people(update: Json) -> tuple[str, ...]:
    """Return the ids of the users and private chats in the update, in their order.

    A user has the member `is_bot` (https://core.telegram.org/bots/api#user), a private chat the type `private`. Bots
    are left out. The messages of others that a message quotes or forwards are theirs and are left out as well.
    """
    found: dict[str, None] = {}
    waiting: list[Any] = [update]
    seen = 0
    while waiting and seen < _nodes_max:
        node = waiting.pop(0)
        seen += 1
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            if node.get("is_bot") is False or node.get("type") == "private":
                number = identifier(node, "id")
                if number is not None:
                    found[str(number)] = None
            waiting.extend(value for name, value in node.items() if name not in _OTHER_PEOPLE)
    return tuple(found)


_OTHER_PEOPLE = frozenset({"reply_to_message", "external_reply", "quote", "forward_origin", "forward_from", "via_bot"})
