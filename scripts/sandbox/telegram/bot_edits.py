"""Methods that edit or delete messages of a chat, or react to them."""

from scripts.sandbox import limits
from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram.bot_context import Context, Method, chat_of
from scripts.sandbox.telegram.bot_messages import Message, caption_content, inline_keyboard, new_message, text_content
from scripts.sandbox.telegram.bot_request import Call, bad_request

_CAPTIONED = ("photo", "document", "audio", "voice", "video", "animation")
# A few of those that the Bot API lists; what is not here is refused as it would refuse it.
_REACTIONS = frozenset(
    "👍👎🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋😈😴😭🤓👻👀🎃🙈😇😨🤝🤗🫡🎅🎄💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾😡❤"
)


def methods(context: Context) -> list[Method]:
    edits = _Edits(context)
    table = {
        "editMessageText": edits.text,
        "editMessageCaption": edits.caption,
        "editMessageReplyMarkup": edits.reply_markup,
        "deleteMessage": edits.delete,
        "deleteMessages": edits.delete_many,
        "setMessageReaction": edits.react,
    }
    in_a_chat = [Method(name, run, needs_chat=True) for name, run in table.items()]
    return [*in_a_chat, Method("deleteBusinessMessages", edits.delete_business)]


class _Edits:
    def __init__(self, context: Context) -> None:
        self._context = context

    def text(self, call: Call) -> Message:
        message = self._to_edit(call)
        content = {**text_content(call), **inline_keyboard(call)}
        if "text" not in message:
            raise bad_request("there is no text in the message to edit")
        return self._edited(call, message, content, ("text", "entities", "reply_markup"))

    def caption(self, call: Call) -> Message:
        message = self._to_edit(call)
        content = {**caption_content(call), **inline_keyboard(call)}
        if not any(field in message for field in _CAPTIONED):
            raise bad_request("there is no caption in the message to edit")
        return self._edited(call, message, content, ("caption", "caption_entities", "reply_markup"))

    def reply_markup(self, call: Call) -> Message:
        return self._edited(call, self._to_edit(call), inline_keyboard(call), ("reply_markup",))

    def delete(self, call: Call) -> bool:
        message_id = call.integer("message_id")
        if not self._context.sent.remove(call.bot_id, chat_of(call), message_id):
            raise bad_request("message to delete not found")
        self._context.record(call, {"message_id": message_id})
        return True

    def delete_many(self, call: Call) -> bool:
        """Delete the messages that exist and skip the others, as the Bot API does; append one entry per deletion."""
        for message_id in self._ids(call):
            if self._context.sent.remove(call.bot_id, chat_of(call), message_id):
                self._context.record(call, {"message_id": message_id})
        return True

    def delete_business(self, call: Call) -> bool:
        """No chat is named: the connection knows it. Our message ids are unique over all chats."""
        if not call.text("business_connection_id"):
            raise bad_request("business connection not found")
        for message_id in self._ids(call):
            chat_id = self._context.sent.chat_of(call.bot_id, message_id)
            if chat_id is not None and self._context.sent.remove(call.bot_id, chat_id, message_id):
                self._context.record(call, {"chat_id": chat_id, "message_id": message_id})
        return True

    def _ids(self, call: Call) -> list[int]:
        ids = call.json("message_ids", list, "can't parse message_ids: expected an Array of Integer") or []
        if not ids:
            raise bad_request("message identifiers are not specified")
        if len(ids) > limits.DELETIONS_MAX:
            raise bad_request("too many message identifiers specified")
        if not all(isinstance(one, int) and one > 0 for one in ids):
            raise bad_request("invalid message identifier specified")
        return ids

    def react(self, call: Call) -> bool:
        message_id = call.integer("message_id")
        if self._context.sent.get(call.bot_id, chat_of(call), message_id) is None:
            raise bad_request("message to react not found")
        reactions = call.json("reaction", list, "can't parse reaction: expected an Array of ReactionType") or []
        emojis = [one.get("emoji", "") if isinstance(one, dict) else "" for one in reactions]
        if any(emoji not in _REACTIONS for emoji in emojis):
            raise bad_request("REACTION_INVALID")
        if len(emojis) > 1:
            raise bad_request("REACTIONS_TOO_MANY")
        self._context.record(call, {"reacted_to": message_id, "emojis": emojis})
        return True

    def _to_edit(self, call: Call) -> Message:
        message = self._context.sent.get(call.bot_id, chat_of(call), call.integer("message_id"))
        if message is None:
            raise bad_request("message to edit not found")
        if message["from"]["id"] != call.bot_id:
            raise bad_request("message can't be edited")
        return message

    def _edited(self, call: Call, message: Message, content: JsonObject, fields: tuple[str, ...]) -> Message:
        edited = {name: value for name, value in message.items() if name not in fields} | content
        if edited == message:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message"
            )
        edited["edit_date"] = new_message(call, chat_of(call), 0)["date"]
        self._context.record(
            call,
            {
                "text": edited.get("text", edited.get("caption", "")),
                "message_id": message["message_id"],
                "message": edited,
            },
        )
        self._context.sent.put(call.bot_id, chat_of(call), edited)
        return edited
