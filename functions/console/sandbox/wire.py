"""Requests to the sandbox's control port, and to the webhook of this desk as Telegram would send them.

Both are on this machine, so no proxy of the environment sees them.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from typing import Final
from urllib.parse import urlencode

from models.kernel.errors import Unavailable
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings

BOT_ID: Final = 1_000_001  # the id in the token of the demo's bot
ADA: Final = 7  # Ada's chat, as in README's tour
_WEBHOOK: Final = "/webhooks/telegram/demo"
_SECRET: Final = "telegram_demo_secret_token"  # noqa: S105 -- the name of a credential, not its value
_TIMEOUT_S: Final = 10.0  # both answer within milliseconds; a machine under load gets seconds


class SandboxAway(Unavailable):
    """The sandbox does not answer. Restart the desk, then try again."""

    code = "sandbox_away"


def control(config: Settings, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
    """Return the answer of the control port. Raises SandboxAway."""
    content = None if body is None else json.dumps(body).encode()
    answer = _answer(urllib.request.Request(config.sandbox_url + path, data=content, method=method))  # noqa: S310
    found: JsonObject = json.loads(answer)
    return found


def chat(config: Settings) -> list[JsonObject]:
    """Return the messages of Ada's chat with the bot, oldest first."""
    items: list[JsonObject] = control(config, "GET", f"/chat?{urlencode({'bot_id': BOT_ID, 'chat_id': ADA})}")["items"]
    return items


def act(config: Settings, action: str, **details: object) -> None:
    """Let Ada act in the chat, and post the updates to the webhook of this desk."""
    deed = {"action": action, "chat_id": ADA, "user_id": ADA, "bot_id": BOT_ID, "name": "Ada", **details}
    for update in control(config, "POST", "/people", deed)["updates"]:
        request = urllib.request.Request(  # noqa: S310 -- this desk
            config.public_url + _WEBHOOK, data=json.dumps(update).encode(), method="POST"
        )
        request.add_header("X-Telegram-Bot-Api-Secret-Token", config.secret(_SECRET))
        _answer(request)


def post_mail(config: Settings, raw: bytes) -> None:
    """Post a mail to the webhook of this desk, as a mail server does."""
    request = urllib.request.Request(config.public_url + "/webhooks/email/demo", data=raw, method="POST")  # noqa: S310
    request.add_header("Authorization", f"Bearer {config.secret('email_demo_bearer')}")
    request.add_header("Content-Type", "message/rfc822")
    _answer(request)


def _answer(request: urllib.request.Request) -> bytes:
    if not request.has_header("Content-type"):
        request.add_header("Content-Type", "application/json")
    # The certificate of `--tls` is for other names than this machine's address.
    context = ssl._create_unverified_context() if request.type == "https" else None  # noqa: S323
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=_TIMEOUT_S) as answer:
            body: bytes = answer.read()
    except OSError as error:  # urllib.error.URLError is one
        raise SandboxAway() from error
    return body
