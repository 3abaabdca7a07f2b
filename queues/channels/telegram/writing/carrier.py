"""The calls of one delivery to the Bot API: in order, within one time limit.

A call is repeated without the part that the Bot API rejects: the reply, the topic or the entities. The carrier records
which messages arrived, so that a later failure reports what the chat already shows.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest, RetryAfter, TelegramError

from models.kernel import limits
from models.kernel.open_json import JsonObject
from models.kernel.text import one_line
from models.ports.outbound import OutgoingMessage, SendOutcome, unknown
from queues.channels.telegram.address import Address
from queues.channels.telegram.bot_api import bots, errors
from queues.channels.telegram.writing.rich import Rich

# The decimal digits of a 64-bit integer. Ids of the Bot API fit 52 bits.
_DIGITS_MAX = 19
_ABOUT_REPLY = ("message to be replied not found", "replied message not found", "reply message not found")
_ABOUT_TOPIC = ("message thread not found", "topic_deleted", "topic not found")
_ABOUT_ENTITIES = ("can't parse entities", "can't parse messageentity", "entity_bounds_invalid")


class Refused(Exception):
    """A call failed. `outcome` is the outcome of the delivery, `error` the exception of python-telegram-bot."""

    def __init__(self, outcome: SendOutcome, error: TelegramError | None = None) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome
        self.error = error

    def says(self, *words: str) -> bool:
        """Return True if the error is a bad request whose description contains one of these texts."""
        return isinstance(self.error, BadRequest) and any(word in self.error.message.lower() for word in words)


class Carrier:
    """The sender of one outgoing message to one chat."""

    def __init__(self, token: str, api_url: str, to: Address, message: OutgoingMessage, deadline: float) -> None:
        self._token, self._api_url, self.to, self._deadline = token, api_url, to, deadline
        # The ids of the sent messages, in order.
        self.arrived: list[int] = []
        # Pairs of a file's SHA-256 and its Telegram file_id.
        self.file_ids: list[tuple[str, str]] = []
        self._topic = to.topic
        self._answered = self.message_id(message.in_reply_to)
        self._silent = message.silent
        self._no_preview = message.automatic
        self._sends = 0

    def send(self, method: str, **content: Any) -> list[JsonObject]:
        """Call a method that sends messages, record their ids, and return them as JSON. Raises Refused."""
        self._keep_pace()
        sent = self._send(method, content)
        messages = sent if isinstance(sent, list) else [sent]
        if not messages or not all(
            isinstance(one, dict) and isinstance(one.get("message_id"), int) for one in messages
        ):
            raise Refused(unknown("the Bot API answered, but not in its own form"))
        self.arrived += [message["message_id"] for message in messages]
        self._sends += len(messages)
        # Only the first part is a reply.
        self._answered = None
        return messages

    def _send(self, method: str, content: JsonObject) -> Any:
        # A deleted reply target, a deleted topic and bad entities can occur together, each once.
        while True:
            try:
                return self._call(method, {**content, **self._envelope(method)})
            except Refused as refused:
                if not self._give_up_something(refused, content):
                    raise

    def change(self, method: str, **parameters: Any) -> Any:
        """Call a method that edits or deletes sent messages. Raises Refused."""
        if self.to.business is not None:
            parameters["business_connection_id"] = self.to.business
        try:
            return self._call(method, parameters)
        except Refused as refused:
            if not self._give_up_entities(refused, parameters):
                raise
        return self._call(method, parameters)

    def message_id(self, external_id: str | None) -> int | None:
        """Return the message id in an external id that `Address.message` made; None for a message of another chat."""
        place, _, number = (external_id or "").rpartition(":")
        known = place == self.to.numbering and number.isascii() and number.isdecimal()
        return int(number) if known and len(number) <= _DIGITS_MAX else None

    def external_id(self, message_id: int) -> str:
        return self.to.message(message_id)

    def _envelope(self, method: str) -> JsonObject:
        """Return the parameters of each message besides its content: chat, topic, reply, sound and preview."""
        found: JsonObject = {"chat_id": self.to.chat}
        if self._topic is not None:
            found["message_thread_id"] = self._topic
        if self.to.direct is not None:
            found["direct_messages_topic_id"] = self.to.direct
        if self._answered is not None:
            # The replied-to message may be deleted. The reply is then sent without the reference.
            found["reply_parameters"] = ReplyParameters(self._answered, allow_sending_without_reply=True)
        if self._silent:
            found["disable_notification"] = True
        if self.to.business is not None:
            found["business_connection_id"] = self.to.business
        if self._no_preview and method == "send_message":
            found["link_preview_options"] = LinkPreviewOptions(is_disabled=True)
        return found

    def _give_up_something(self, refused: Refused, content: JsonObject) -> bool:
        """Drop the reply, the topic or the entities that the Bot API rejected. Returns whether it dropped something."""
        if self._answered is not None and refused.says(*_ABOUT_REPLY):
            self._answered = None
            return True
        if self._topic is not None and refused.says(*_ABOUT_TOPIC):
            self._topic = None
            return True
        return self._give_up_entities(refused, content)

    def _give_up_entities(self, refused: Refused, content: JsonObject) -> bool:
        for name in ("entities", "caption_entities"):
            if content.get(name) and refused.says(*_ABOUT_ENTITIES):
                content[name] = None
                return True
        return False

    def _call(self, method: str, parameters: JsonObject) -> Any:
        """Make one call.

        After a part was sent, wait for a short 429, because a later attempt cannot resume in the middle.
        """
        while True:
            try:
                return bots.call(self._token, self._api_url, method, timeout_s=max(self.left_s(), 0.0), **parameters)
            except RetryAfter as error:
                outcome = errors.outcome_of(error)
                wait_s = outcome.retry_after_s or 0.0
                if not self.arrived or wait_s >= self.left_s():
                    raise Refused(outcome, error) from None
                _wait(wait_s)
            except TelegramError as error:
                raise Refused(errors.outcome_of(error), error) from error
            except bots.NoAnswer as error:
                raise Refused(unknown(str(error))) from error

    def left_s(self) -> float:
        return self._deadline - time.monotonic()

    def _keep_pace(self) -> None:
        """Wait for the chat's rate limit after a burst. The attempt itself has taken the slot of the first message."""
        if self._sends < limits.telegram_chat_burst:
            return
        in_group = self.to.chat < 0
        pause_s = 60.0 / limits.telegram_group_per_minute if in_group else 1.0 / limits.telegram_chat_per_s
        if pause_s < self.left_s():
            _wait(pause_s)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def text_parameters(rich: Rich) -> JsonObject:
    return {"text": rich.text, "entities": entities(rich)}


def caption_parameters(rich: Rich | None) -> JsonObject:
    if rich is None:
        return {}
    return {"caption": rich.text, "caption_entities": entities(rich)}


def entities(rich: Rich) -> list[MessageEntity] | None:
    return [
        MessageEntity(one.type, one.offset, one.length, url=one.url, language=one.language) for one in rich.entities
    ] or None


def keyboard(message: OutgoingMessage) -> InlineKeyboardMarkup | None:
    """Return the buttons of a message by row. Raises Refused if the data of a button exceeds the Bot API's 64 bytes."""
    rows: dict[int, list[InlineKeyboardButton]] = {}
    for button in message.buttons:
        data = f"b:{button.token}:{button.value}" if button.value else f"b:{button.token}"
        if len(data.encode()) > limits.telegram_button_bytes_max:
            raise Refused(
                SendOutcome(
                    "permanent",
                    f"a button carries {len(data.encode())} bytes; Telegram takes {limits.telegram_button_bytes_max}",
                )
            )
        label = one_line(button.label, limits.telegram_button_label_chars_max) or "…"
        rows.setdefault(button.row, []).append(InlineKeyboardButton(label, callback_data=data))
    return InlineKeyboardMarkup([rows[row] for row in sorted(rows)]) if rows else None
