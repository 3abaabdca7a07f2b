"""The test of a bot's token, and the registration of its webhook at Telegram."""

from __future__ import annotations

from models.channels import texts
from models.channels.accounts import ChannelAccount
from models.kernel import clock, languages
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.settings import Settings
from queues.channel_port import Finding, webhook_url
from queues.channels.telegram.bot_api import setup as bot_api
from queues.channels.telegram.bot_api.updates import ALLOWED_UPDATES

# The commands of the bot's menu (https://core.telegram.org/bots/api#setmycommands).
_COMMANDS = ("new", "status", "close", "lang")


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
    """Return the desk's commands and the account's own commands that have a description, by language.

    The Bot API takes languages of two letters (ISO 639-1); `""` is the menu of everybody else.
    """
    own: dict[str, dict[str, str]] = {
        name: command["description"]
        for name, command in account.config.get("commands", {}).items()
        if command.get("description")
    }
    known = {tag for texts_of in own.values() for tag in texts_of} | set(texts.languages(account))
    wanted = sorted({language for tag in known if len(language := languages.primary(tag)) == 2})
    return {"": _menu_in(account, None, own)} | {language: _menu_in(account, language, own) for language in wanted}


def _menu_in(account: ChannelAccount, language: str | None, own: dict[str, dict[str, str]]) -> dict[str, str]:
    menu = {name: texts.text(account, f"menu_{name}", language) for name in _COMMANDS}
    return menu | {name: described[texts.tag_for(account, described, language)] for name, described in own.items()}
