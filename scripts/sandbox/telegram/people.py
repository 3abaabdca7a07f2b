"""Actions of a test's people in their chats: write, send pictures, press buttons, react, block the bot.

Each deed becomes the update that Telegram would send; it waits for getUpdates and is given back, so that a test may
also post it to the desk's webhook itself.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram.bot_context import Context
from scripts.sandbox.telegram.bot_media import medium
from scripts.sandbox.telegram.bot_messages import Message, bot_user, chat
from scripts.sandbox.telegram.updates import Update

_FILE_KINDS = ("photo", "document", "audio", "voice", "video", "animation", "video_note", "sticker")


class DeedRefused(ValueError):
    """No person could do that; the text says why."""


class People:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._last_message_id = int(time.time())  # no id is used again after a restart
        self._reactions: dict[tuple[int | str, int, int], list[dict[str, str]]] = {}
        self._deeds: dict[str, Callable[[_Deed], list[Update]]] = {
            "message": self._write,
            "files": self._send_files,
            "edit": self._edit,
            "press": self._press,
            "react": self._react,
            "block": lambda deed: self._set_blocked(deed, blocked=True),
            "unblock": lambda deed: self._set_blocked(deed, blocked=False),
        }

    def act(self, body: Mapping[str, Any]) -> list[Update]:
        """Do the deed `action` of a person in `chat_id` of the bot `bot_id`; raises DeedRefused."""
        deed = _Deed(body)
        action = deed.text("action")
        if action not in self._deeds:
            raise DeedRefused(f"action: expected one of {', '.join(self._deeds)}, got {action!r}")
        updates = self._deeds[action](deed)
        for update in updates:
            update["update_id"] = self._context.bots.queue(update, deed.bot_id)
        return updates

    def _write(self, deed: "_Deed") -> list[Update]:
        return [{"message": self._put(deed, {"text": deed.text("text")})}]

    def _send_files(self, deed: "_Deed") -> list[Update]:
        """One file, or several as an album: a message each, of which the first has the caption."""
        kind, file_ids = deed.text("kind"), deed.body.get("file_ids")
        if kind not in _FILE_KINDS or not isinstance(file_ids, list) or not file_ids:
            raise DeedRefused(f"expected a kind of {', '.join(_FILE_KINDS)} and a list of file_ids")
        messages = []
        group = {"media_group_id": str(self._last_message_id + 1)} if len(file_ids) > 1 else {}
        for index, file_id in enumerate(file_ids):
            content = self._context.files.read(str(file_id).removeprefix("sandbox-"))
            if content is None:
                raise DeedRefused(f"no file {file_id!r}; store it first")
            stored = self._context.files.store(content, filename=str(deed.body.get("filename", "file")))
            caption = {"caption": deed.text("caption")} if index == 0 and "caption" in deed.body else {}
            messages.append(self._put(deed, {**medium(kind, stored), **caption, **group}))
        return [{"message": message} for message in messages]

    def _edit(self, deed: "_Deed") -> list[Update]:
        message = self._message(deed)
        if message["from"]["id"] == deed.bot_id:
            raise DeedRefused("a person cannot edit the bot's message")
        file_id = deed.body.get("file_id")
        edited: Message = {**message, "edit_date": int(time.time())}
        if file_id is not None:
            edited = {**_without_medium(edited), **self._replaced(deed, str(file_id))}
        if "text" in deed.body:
            edited["text" if not _medium_of(edited) else "caption"] = deed.text("text")
        elif file_id is None:
            raise DeedRefused("an edit has a text, a file_id or both")
        self._context.sent.put(deed.bot_id, deed.chat_id, edited)
        return [{"edited_message": edited}]

    def _replaced(self, deed: "_Deed", file_id: str) -> JsonObject:
        """Return the new medium of an edit; its kind may be another one, as in the clients."""
        kind, content = deed.text("kind"), self._context.files.read(file_id.removeprefix("sandbox-"))
        if kind not in _FILE_KINDS or content is None:
            raise DeedRefused(f"expected a kind of {', '.join(_FILE_KINDS)} and the file_id of a stored file")
        return medium(kind, self._context.files.store(content, filename=str(deed.body.get("filename", "file"))))

    def _press(self, deed: "_Deed") -> list[Update]:
        """Press the button with these `data`, or this `label`."""
        message = self._message(deed)
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        wanted = {deed.body.get("data"), deed.body.get("label")} - {None}
        button = next((one for row in rows for one in row if {one.get("callback_data"), one["text"]} & wanted), None)
        if button is None:
            raise DeedRefused(f"message {message['message_id']} has no such button")
        query = {
            "id": str(self._next_message_id()),
            "from": deed.person,
            "message": message,
            "chat_instance": str(deed.chat_id),
            "data": button["callback_data"],
        }
        return [{"callback_query": query}]

    def _react(self, deed: "_Deed") -> list[Update]:
        message_id = self._message(deed)["message_id"]
        key = (deed.chat_id, message_id, deed.person["id"])
        new = [{"type": "emoji", "emoji": str(emoji)} for emoji in deed.body.get("emojis", [])]
        old, self._reactions[key] = self._reactions.get(key, []), new
        head = {"chat": deed.chat, "message_id": message_id, "user": deed.person, "date": int(time.time())}
        return [{"message_reaction": {**head, "old_reaction": old, "new_reaction": new}}]

    def _set_blocked(self, deed: "_Deed", *, blocked: bool) -> list[Update]:
        blocks = self._context.chats.blocked
        (blocks.add if blocked else blocks.discard)(deed.chat_id)
        bot = bot_user(deed.bot_id)
        member = {"status": "member", "user": bot}
        banned = {"status": "kicked", "user": bot, "until_date": 0}
        old, new = (member, banned) if blocked else (banned, member)
        head = {"chat": deed.chat, "from": deed.person, "date": int(time.time())}
        return [{"my_chat_member": {**head, "old_chat_member": old, "new_chat_member": new}}]

    def _put(self, deed: "_Deed", content: JsonObject) -> Message:
        message: Message = {
            "message_id": self._next_message_id(),
            "from": deed.person,
            "chat": deed.chat,
            "date": int(time.time()),
            **content,
        }
        thread_id = deed.body.get("message_thread_id")
        if thread_id is not None:
            message |= {"message_thread_id": thread_id, "is_topic_message": True}
        reply_to = deed.body.get("reply_to")
        if reply_to is not None:
            original = self._context.sent.get(deed.bot_id, deed.chat_id, reply_to)
            if original is None:
                raise DeedRefused(f"there is no message {reply_to!r} to answer")
            message["reply_to_message"] = {k: v for k, v in original.items() if k != "reply_to_message"}
        self._context.sent.put(deed.bot_id, deed.chat_id, message)
        return message

    def _message(self, deed: "_Deed") -> Message:
        message_id = deed.body.get("message_id")
        message = self._context.sent.get(deed.bot_id, deed.chat_id, message_id) if isinstance(message_id, int) else None
        if message is None:
            raise DeedRefused(f"there is no message {message_id!r} in this chat")
        return message

    def _next_message_id(self) -> int:
        self._last_message_id += 1
        return self._last_message_id


def _medium_of(message: Message) -> str | None:
    return next((kind for kind in _FILE_KINDS if kind in message), None)


def _without_medium(message: Message) -> Message:
    """Return the message without its medium. The text of a message without one becomes the caption."""
    if "text" in message:
        return {**{name: value for name, value in message.items() if name != "text"}, "caption": message["text"]}
    return {name: value for name, value in message.items() if name not in _FILE_KINDS}


class _Deed:
    """The fields that every deed has."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.bot_id = self._integer("bot_id")
        self.chat_id = self._integer("chat_id")
        user_id = self._integer("user_id") if "user_id" in body else abs(self.chat_id)
        name = str(body.get("name", f"User {user_id}"))
        self.person: JsonObject = {
            "id": user_id,
            "is_bot": False,
            "first_name": name,
            "language_code": "en",
        }
        self.chat = chat(self.chat_id)

    def text(self, name: str) -> str:
        value = self.body.get(name)
        if not isinstance(value, str):
            raise DeedRefused(f"{name}: expected text, got {value!r}")
        return value

    def _integer(self, name: str) -> int:
        value = self.body.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise DeedRefused(f"{name}: expected a whole number, got {value!r}")
        return value
