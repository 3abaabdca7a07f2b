"""The Bot API's methods that a desk uses.

Each checks, records what a chat would have seen, and returns the API's object.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.sandbox import limits
from scripts.sandbox.bot_messages import (
    Message,
    SentMessages,
    bot_user,
    caption_content,
    inline_keyboard,
    new_message,
    text_content,
)
from scripts.sandbox.bot_request import ApiError, Call, bad_request
from scripts.sandbox.files import FileStore, StoredFile
from scripts.sandbox.outbox import Entry, Outbox
from scripts.sandbox.updates import Bots, Update, poll

_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    run: Callable[[Call], Any]  # what it returns may be awaitable
    needs_chat: bool = False
    is_limited: bool = False  # counts against the rate limits


class Methods:
    def __init__(self, *, outbox: Outbox, files: FileStore, bots: Bots, sent: SentMessages) -> None:
        self._outbox = outbox
        self._files = files
        self._bots = bots
        self._sent = sent
        table = [
            Method("getMe", self._get_me),
            Method("sendMessage", self._send_message, needs_chat=True, is_limited=True),
            Method("sendPhoto", self._send_photo, needs_chat=True, is_limited=True),
            Method("sendDocument", self._send_document, needs_chat=True, is_limited=True),
            Method("sendChatAction", self._send_chat_action, needs_chat=True),
            Method("editMessageText", self._edit_text, needs_chat=True),
            Method("editMessageReplyMarkup", self._edit_reply_markup, needs_chat=True),
            Method("deleteMessage", self._delete_message, needs_chat=True),
            Method("answerCallbackQuery", self._answer_callback_query),
            Method("getFile", self._get_file),
            Method("setWebhook", self._set_webhook),
            Method("deleteWebhook", self._delete_webhook),
            Method("getWebhookInfo", self._get_webhook_info),
            Method("getUpdates", self._get_updates),
        ]
        self._table = {method.name.lower(): method for method in table}

    def find(self, name: str) -> Method | None:
        return self._table.get(name.lower())

    def _get_me(self, call: Call) -> dict[str, Any]:
        return {
            **bot_user(call.bot_id),
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def _send_message(self, call: Call) -> Message:
        return self._sent_message(call, {**text_content(call), **inline_keyboard(call)})

    def _send_document(self, call: Call) -> Message:
        stored = self._file(call, "document")
        document = {
            "file_id": stored.file_id,
            "file_unique_id": stored.file_unique_id,
            "file_name": stored.filename,
            "mime_type": stored.content_type,
            "file_size": stored.size_bytes,
        }
        content = {"document": document, **caption_content(call), **inline_keyboard(call)}
        return self._sent_message(call, content, stored, "document")

    def _send_photo(self, call: Call) -> Message:
        stored = self._file(call, "photo")
        size = {
            "file_id": stored.file_id,
            "file_unique_id": stored.file_unique_id,
            "width": 1,  # the sandbox decodes no pictures
            "height": 1,
            "file_size": stored.size_bytes,
        }
        content = {"photo": [size], **caption_content(call), **inline_keyboard(call)}
        return self._sent_message(call, content, stored, "photo")

    def _send_chat_action(self, call: Call) -> bool:
        if call.text("action").lower() not in _ACTIONS:
            raise bad_request("wrong parameter action in request")
        self._record(call, {"action": call.text("action")})
        return True

    def _edit_text(self, call: Call) -> Message:
        message = self._to_edit(call)
        content = {**text_content(call), **inline_keyboard(call)}
        return self._edited(call, message, content, ("text", "entities", "reply_markup"))

    def _edit_reply_markup(self, call: Call) -> Message:
        return self._edited(call, self._to_edit(call), inline_keyboard(call), ("reply_markup",))

    def _delete_message(self, call: Call) -> bool:
        message_id = call.integer("message_id")
        if not self._sent.remove(call.bot_id, _chat_id(call), message_id):
            raise bad_request("message to delete not found")
        self._record(call, {"message_id": message_id})
        return True

    def _answer_callback_query(self, call: Call) -> bool:
        if not call.text("callback_query_id"):
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        self._record(call, {"text": call.text("text")})
        return True

    def _get_file(self, call: Call) -> dict[str, Any]:
        file_id = call.text("file_id")
        size = self._files.size(file_id)
        if size is None:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        if size > limits.DOWNLOAD_BYTES_MAX:
            raise bad_request("file is too big")
        sha256 = file_id.removeprefix("sandbox-")
        return {
            "file_id": file_id,
            "file_unique_id": sha256[:16],
            "file_size": size,
            "file_path": f"documents/{sha256}",
        }

    def _set_webhook(self, call: Call) -> bool:
        url = call.text("url").strip()
        if not url:
            return self._delete_webhook(call)
        if not re.match(r"https?://[^/\s]", url):  # plain http too, as a local Bot API server takes it
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        secret = call.text("secret_token")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        webhook: dict[str, Any] = {
            "url": url,
            "has_custom_certificate": False,
            "max_connections": min(max(call.integer("max_connections", 40), 1), 100),
        }
        allowed = call.json(
            "allowed_updates", list, "can't parse allowed_updates: expected an Array of strings"
        )
        if allowed:
            webhook["allowed_updates"] = allowed
        bot = self._bots.get(call.bot_id)
        bot.webhook = webhook
        self._drop_pending(call)
        self._record(call, {})
        return True

    def _delete_webhook(self, call: Call) -> bool:
        self._bots.get(call.bot_id).webhook = {}
        self._drop_pending(call)
        self._record(call, {})
        return True

    def _get_webhook_info(self, call: Call) -> dict[str, Any]:
        bot = self._bots.get(call.bot_id)
        info = bot.webhook or {"url": "", "has_custom_certificate": False}
        return {**info, "pending_update_count": len(bot.updates)}

    async def _get_updates(self, call: Call) -> list[Update]:
        bot = self._bots.get(call.bot_id)
        return await poll(
            bot,
            lambda: self._bots.pending(bot),
            offset=call.integer("offset"),
            limit=min(
                max(call.integer("limit", limits.UPDATES_PER_POLL_MAX), 1), limits.UPDATES_PER_POLL_MAX
            ),
            timeout_s=min(max(call.integer("timeout"), 0), limits.POLL_TIMEOUT_S_MAX),
        )

    def _drop_pending(self, call: Call) -> None:
        if call.flag("drop_pending_updates"):
            self._bots.get(call.bot_id).updates.clear()

    def _sent_message(
        self, call: Call, content: dict[str, Any], stored: StoredFile | None = None, field: str = ""
    ) -> Message:
        chat_id = _chat_id(call)
        # The sequence is unique for ever, so a message id never comes twice, not even after a restart.
        message_id = limits.MESSAGE_ID_BASE + self._outbox.sequence + 1
        message = {**new_message(call, chat_id, message_id), **content}
        reply_to = (call.json("reply_parameters", dict, "object expected as reply parameters") or {}).get(
            "message_id"
        )
        original = self._sent.get(call.bot_id, chat_id, reply_to) if isinstance(reply_to, int) else None
        if original is not None:
            message["reply_to_message"] = {k: v for k, v in original.items() if k != "reply_to_message"}
        text = message.get("text", message.get("caption", ""))
        details: Entry = {"text": text, "message_id": message_id, "message": message}
        if stored is not None:
            details["files"] = [{"field": field, **stored.as_dict()}]
        self._record(call, details)
        self._sent.put(call.bot_id, chat_id, message)
        return message

    def _to_edit(self, call: Call) -> Message:
        message = self._sent.get(call.bot_id, _chat_id(call), call.integer("message_id"))
        if message is None:
            raise bad_request("message to edit not found")
        return message

    def _edited(
        self, call: Call, message: Message, content: dict[str, Any], fields: tuple[str, ...]
    ) -> Message:
        edited = {name: value for name, value in message.items() if name not in fields} | content
        if edited == message:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message"
            )
        if "text" in fields and "text" not in message:
            raise bad_request("there is no text in the message to edit")
        edited["edit_date"] = new_message(call, _chat_id(call), 0)["date"]
        self._record(
            call, {"text": edited.get("text", ""), "message_id": message["message_id"], "message": edited}
        )
        self._sent.put(call.bot_id, _chat_id(call), edited)
        return edited

    def _file(self, call: Call, field: str) -> StoredFile:
        """The uploaded file, or one that the sandbox holds already under its file_id."""
        reference = call.text(field)
        upload = call.uploads.get(reference.removeprefix("attach://") if reference else field)
        if upload is None:
            content = self._files.read(reference.removeprefix("sandbox-"))
            if content is None:
                raise bad_request(
                    f"there is no {field} in the request" if not reference else "wrong file identifier"
                )
            return self._files.store(content, filename=field)
        if not upload.content:
            raise bad_request("file must be non-empty")
        if len(upload.content) > limits.UPLOAD_BYTES_MAX:
            raise ApiError(413, "Request Entity Too Large")
        return self._files.store(upload.content, filename=upload.filename, content_type=upload.content_type)

    def _record(self, call: Call, details: Entry) -> None:
        raw = {name: "***" if name == "secret_token" else value for name, value in call.params.items()}
        head: Entry = {
            "channel": "telegram",
            "method": call.method,
            "bot_id": call.bot_id,
            "chat_id": call.chat_id,
        }
        self._outbox.append({**head, **details, "raw": raw})


def _chat_id(call: Call) -> int | str:
    assert call.chat_id is not None  # `needs_chat` methods are checked before they run
    return call.chat_id
