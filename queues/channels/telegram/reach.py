"""The test of a bot's token, and the registration of its webhook at Telegram."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.settings import Settings
from queues.channel_port import Finding, webhook_url
from queues.channels.telegram.bot_api import setup as bot_api
from queues.channels.telegram.bot_api.updates import ALLOWED_UPDATES

# The bot's menu, by language; `""` is the default (https://core.telegram.org/bots/api#setmycommands).
_MENU = {
    "": {
        "new": "Open another ticket",
        "status": "Your tickets",
        "close": "My question is solved",
        "lang": "Language",
    },
    "ru": {
        "new": "Новое обращение",
        "status": "Ваши обращения",
        "close": "Вопрос решён",
        "lang": "Язык",
    },
}


def test(account: ChannelAccount, settings: Settings) -> list[Finding]:
    """Return the token's bot, and Telegram's report about the webhook."""
    try:
        token = account.credential("token", settings)
        me = bot_api.get_me(token, settings.telegram_api_url)
        findings = [Finding(True, f"getMe: @{me.username} ({me.name}), id {me.bot_id}")]
        if account.config.get("groups", "per_topic") in ("per_topic", "per_user") and not me.reads_groups:
            findings.append(
                Finding(
                    True,
                    "privacy mode is on: in groups the bot sees only what names it (BotFather, /setprivacy)",
                )
            )
        return findings + _webhook(account, bot_api.get_webhook_info(token, settings.telegram_api_url))
    except NestorError as error:
        return [Finding(False, error.message)]


def _webhook(account: ChannelAccount, info: bot_api.WebhookInfo) -> list[Finding]:
    polling = account.config.get("delivery") == "polling"
    if polling:
        return [
            Finding(
                not info.url,
                "getUpdates: no webhook is set" if not info.url else "a webhook is set, so getUpdates gets nothing",
            )
        ]
    if not info.url:
        return [Finding(False, "no webhook is set: run `python -m scripts.channels setup`")]
    findings = [Finding(True, f"webhook is set; {info.pending_updates} updates wait")]
    if info.last_error:
        at = clock.rfc3339(info.last_error_at) if info.last_error_at else "at an unknown time"
        findings.append(Finding(False, f"the last delivery failed {at}: {info.last_error}"))
    missing = set(ALLOWED_UPDATES) - set(info.allowed_updates)
    if missing:
        findings.append(Finding(False, f"Telegram holds back {', '.join(sorted(missing))}: run setup again"))
    return findings


def setup(account: ChannelAccount, settings: Settings, *, public_url: str) -> list[Finding]:
    """Set the webhook with secret token and allowed updates (or delete it for polling), set the menu, and return
    Telegram's report.
    """
    try:
        token, api = account.credential("token", settings), settings.telegram_api_url
        if account.config.get("delivery") == "polling":
            bot_api.delete_webhook(token, api)
            done = [Finding(True, "the webhook was taken away; workers read updates by getUpdates")]
        else:
            if not account.config.get("secret_token"):
                raise ConfigurationError("an account with a webhook needs a secret_token")
            secret = account.credential("secret_token", settings)
            bot_api.set_webhook(token, api, webhook_url(account, settings, public_url), secret_token=secret)
            done = [Finding(True, "the webhook is set, with secret token and allowed updates")]
        bot_api.set_my_commands(token, api, _menu(account))
        done.append(Finding(True, "the menu of commands is set"))
    except NestorError as error:
        return [Finding(False, error.message)]
    return done + test(account, settings)


def _menu(account: ChannelAccount) -> dict[str, dict[str, str]]:
    """Return the desk's commands, and the account's own commands that have a description."""
    menu = {language: dict(commands) for language, commands in _MENU.items()}
    for name, command in account.config.get("commands", {}).items():
        described: dict[str, str] = command.get("description", {})
        for language, text in described.items():
            menu.setdefault("" if language == "en" else language, dict(_MENU[""]))[name] = text
    return menu
