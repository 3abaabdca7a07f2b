"""The set-up of a bot by an operator: its webhook and its menu of commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from telegram import BotCommand
from telegram.error import TelegramError

from models.kernel import limits
from models.kernel.errors import ConfigurationError, NestorError, PermanentFailure, TransientFailure
from queues.channels.telegram.bot_api import bots, errors
from queues.channels.telegram.bot_api.updates import ALLOWED_UPDATES

# The default of the Bot API's setWebhook; its maximum is 100.
CONNECTIONS_DEFAULT = 40


@dataclass(frozen=True, slots=True)
class Me:
    """The bot's own user. `reads_groups`: privacy mode is off, so the bot receives every message of a group."""

    bot_id: int
    username: str
    name: str
    reads_groups: bool


@dataclass(frozen=True, slots=True)
class WebhookInfo:
    """The state of the webhook at Telegram.

    `url` is empty without one; it may contain a secret path, so never show it.
    """

    url: str
    pending_updates: int
    last_error: str | None
    last_error_at: datetime | None
    max_connections: int | None
    allowed_updates: tuple[str, ...]


def get_me(token: str, api_url: str) -> Me:
    """Return the bot of the token.

    Like all functions here, raises ConfigurationError (unknown token), PermanentFailure and TransientFailure.
    """
    user = call(token, api_url, "get_me")
    return Me(
        int(user["id"]),
        str(user.get("username", "")),
        str(user["first_name"]),
        bool(user.get("can_read_all_group_messages")),
    )


def get_webhook_info(token: str, api_url: str) -> WebhookInfo:
    info = call(token, api_url, "get_webhook_info")
    at = info.get("last_error_date")
    return WebhookInfo(
        str(info["url"]),
        int(info["pending_update_count"]),
        info.get("last_error_message"),
        datetime.fromtimestamp(at, tz=UTC) if isinstance(at, int) else None,
        info.get("max_connections"),
        tuple(info.get("allowed_updates", ())),
    )


def set_webhook(
    token: str,
    api_url: str,
    url: str,
    *,
    secret_token: str,
    allowed_updates: tuple[str, ...] = ALLOWED_UPDATES,
    max_connections: int = CONNECTIONS_DEFAULT,
) -> None:
    """Register `url` (HTTPS) for the bot's updates, including the pending ones."""
    call(
        token,
        api_url,
        "set_webhook",
        url=url,
        secret_token=secret_token,
        allowed_updates=list(allowed_updates),
        max_connections=max_connections,
    )


def delete_webhook(token: str, api_url: str) -> None:
    """Remove the webhook; pending updates remain for getUpdates."""
    call(token, api_url, "delete_webhook")


def set_my_commands(token: str, api_url: str, commands: Mapping[str, Mapping[str, str]]) -> None:
    """Set the bot's menu: language -> command -> description. The language `""` is the default."""
    for language, described in commands.items():
        listed = [BotCommand(name, text) for name, text in described.items()]
        call(token, api_url, "set_my_commands", commands=listed, language_code=language or None)


def call(token: str, api_url: str, method: str, **parameters: Any) -> Any:
    try:
        return bots.call(token, api_url, method, timeout_s=limits.send_read_timeout_s, **parameters)
    except TelegramError as error:
        raise failure_of(error) from error
    except bots.NoAnswer as error:
        raise TransientFailure(f"the Bot API: {error}") from error


def failure_of(error: TelegramError) -> NestorError:
    """Convert a failed call to a NestorError whose message contains no token and no URL."""
    outcome = errors.outcome_of(error)
    if outcome.account_error is not None:
        return ConfigurationError(outcome.account_error)
    if outcome.kind == "permanent":
        return PermanentFailure(f"the Bot API refused: {outcome.detail}")
    return TransientFailure(outcome.detail, retry_after_s=outcome.retry_after_s)
