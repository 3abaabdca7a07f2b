"""The Bot API's methods that a desk uses.

Each checks, records what a chat would have seen, and returns the API's object.
"""

import re

from scripts.sandbox import limits
from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram import bot_edits, bot_forum, bot_media, bot_webhooks
from scripts.sandbox.telegram.bot_context import Context, Method
from scripts.sandbox.telegram.bot_messages import Message, bot_user, inline_keyboard, text_content
from scripts.sandbox.telegram.bot_request import Call, bad_request

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
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_ANSWER_UNITS_MAX = 200  # answerCallbackQuery: text


class Methods:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._commands: dict[tuple[int, str, str], list[dict[str, str]]] = {}  # by bot, scope and language
        table = [
            Method("getMe", self._get_me),
            Method("sendMessage", self._send_message, needs_chat=True, is_limited=True),
            Method("sendChatAction", self._send_chat_action, needs_chat=True),
            Method("answerCallbackQuery", self._answer_callback_query),
            Method("getFile", self._get_file),
            Method("setMyCommands", self._set_my_commands),
            Method("getMyCommands", lambda call: self._commands.get(_commands_key(call), [])),
            Method("deleteMyCommands", self._delete_my_commands),
            *bot_media.methods(context),
            *bot_edits.methods(context),
            *bot_webhooks.methods(context),
            *bot_forum.methods(context),
        ]
        self._table = {method.name.lower(): method for method in table}

    def find(self, name: str) -> Method | None:
        return self._table.get(name.lower())

    def _get_me(self, call: Call) -> JsonObject:
        return {
            **bot_user(call.bot_id),
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def _send_message(self, call: Call) -> Message:
        return self._context.send(call, {**text_content(call), **inline_keyboard(call)})

    def _send_chat_action(self, call: Call) -> bool:
        if call.text("action").lower() not in _ACTIONS:
            raise bad_request("wrong parameter action in request")
        self._context.record(call, {"action": call.text("action")})
        return True

    def _answer_callback_query(self, call: Call) -> bool:
        if not call.text("callback_query_id"):
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        if len(call.text("text")) > _ANSWER_UNITS_MAX:
            raise bad_request("MESSAGE_TOO_LONG")
        self._context.record(call, {"text": call.text("text")})
        return True

    def _get_file(self, call: Call) -> JsonObject:
        file_id = call.text("file_id")
        size = self._context.files.size(file_id)
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

    def _set_my_commands(self, call: Call) -> bool:
        commands = call.json("commands", list, "can't parse commands: expected an Array of BotCommand") or []
        if len(commands) > limits.COMMANDS_MAX:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for one in commands:
            if not isinstance(one, dict) or not _COMMAND.fullmatch(str(one.get("command", ""))):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(str(one.get("description", ""))) <= limits.COMMAND_DESCRIPTION_MAX:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self._commands[_commands_key(call)] = commands
        self._context.record(call, {"commands": commands})
        return True

    def _delete_my_commands(self, call: Call) -> bool:
        self._commands.pop(_commands_key(call), None)
        self._context.record(call, {})
        return True


def _commands_key(call: Call) -> tuple[int, str, str]:
    scope = call.json("scope", dict, "can't parse BotCommandScope") or {"type": "default"}
    return call.bot_id, str(sorted(scope.items())), call.text("language_code")
