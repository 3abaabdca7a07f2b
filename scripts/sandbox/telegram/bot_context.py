"""State that all methods of the fake Bot API share: the outbox, the messages in the chats, the known files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.sandbox import limits
from scripts.sandbox.files import FileStore, StoredFile
from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.outbox import Entry, Outbox
from scripts.sandbox.telegram.bot_chats import Chats
from scripts.sandbox.telegram.bot_messages import Message, SentMessages, new_message
from scripts.sandbox.telegram.bot_request import ApiError, Call, bad_request
from scripts.sandbox.telegram.updates import Bots


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    run: Callable[[Call], Any]  # what it returns may be awaitable
    needs_chat: bool = False
    is_limited: bool = False  # counts against the rate limits


@dataclass(frozen=True, slots=True)
class Context:
    outbox: Outbox
    files: FileStore
    bots: Bots
    sent: SentMessages
    chats: Chats

    def record(self, call: Call, details: Entry) -> None:
        raw = {name: "***" if name == "secret_token" else value for name, value in call.params.items()}
        head: Entry = {
            "channel": "telegram",
            "method": call.method,
            "bot_id": call.bot_id,
            "chat_id": call.chat_id,
        }
        self.outbox.append({**head, **details, "raw": raw})

    def next_message_id(self) -> int:
        """Return a message id. The sequence never restarts, so an id is unique even after a restart."""
        return limits.MESSAGE_ID_BASE + self.outbox.sequence + 1

    def send(self, call: Call, content: JsonObject, stored: StoredFile | None = None, field: str = "") -> Message:
        """The message as the chat sees it, recorded. Raises ApiError."""
        chat_id = chat_of(call)
        message = {**new_message(call, chat_id, self.next_message_id()), **content}
        thread_id = call.integer("message_thread_id")
        if thread_id:
            self.chats.check_topic(call.bot_id, chat_id, thread_id)
        original = self._answered(call, chat_id)
        if original is not None:
            message["reply_to_message"] = {k: v for k, v in original.items() if k != "reply_to_message"}
        text = message.get("text", message.get("caption", ""))
        details: Entry = {"text": text, "message_id": message["message_id"], "message": message}
        if stored is not None:
            details["files"] = [{"field": field, **stored.as_dict()}]
        self.record(call, details)
        self.sent.put(call.bot_id, chat_id, message)
        return message

    def _answered(self, call: Call, chat_id: int | str) -> Message | None:
        reply = call.json("reply_parameters", dict, "object expected as reply parameters") or {}
        message_id = reply.get("message_id")
        if message_id is None:
            return None
        original = self.sent.get(call.bot_id, chat_id, message_id) if isinstance(message_id, int) else None
        if original is None and not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return original

    def file(self, call: Call, field: str, reference: str | None = None) -> StoredFile:
        """The uploaded file, or one that the sandbox holds already under its file_id."""
        reference = call.text(field) if reference is None else reference
        upload = call.uploads.get(reference.removeprefix("attach://") if reference else field)
        if upload is None:
            content = self.files.read(reference.removeprefix("sandbox-"))
            if content is None:
                raise bad_request(
                    f"there is no {field} in the request"
                    if not reference
                    else "wrong file identifier/HTTP URL specified"
                )
            return self.files.store(content, filename=field)
        if not upload.content:
            raise bad_request("file must be non-empty")
        if len(upload.content) > limits.UPLOAD_BYTES_MAX:
            raise ApiError(413, "Request Entity Too Large")
        return self.files.store(upload.content, filename=upload.filename, content_type=upload.content_type)


def chat_of(call: Call) -> int | str:
    assert call.chat_id is not None  # `needs_chat` methods are checked before they run
    return call.chat_id
