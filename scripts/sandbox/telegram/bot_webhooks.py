"""Methods about how updates come: by webhook or by polling, never both."""

import re

from scripts.sandbox import limits
from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram.bot_context import Context, Method
from scripts.sandbox.telegram.bot_request import Call, bad_request
from scripts.sandbox.telegram.updates import Update, poll

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def methods(context: Context) -> list[Method]:
    webhooks = _Webhooks(context)
    return [
        Method("setWebhook", webhooks.set),
        Method("deleteWebhook", webhooks.delete),
        Method("getWebhookInfo", webhooks.info),
        Method("getUpdates", webhooks.updates),
    ]


class _Webhooks:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._bots = context.bots

    def set(self, call: Call) -> bool:
        url = call.text("url").strip()
        if not url:
            return self.delete(call)
        if not re.match(r"https?://[^/\s]", url):  # plain http too, as a local Bot API server takes it
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        secret = call.text("secret_token")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        webhook: JsonObject = {
            "url": url,
            "has_custom_certificate": False,
            "max_connections": min(max(call.integer("max_connections", 40), 1), 100),
        }
        bot = self._bots.get(call.bot_id)
        self._allow(call)
        if bot.allowed_updates:
            webhook["allowed_updates"] = sorted(bot.allowed_updates)
        bot.webhook = webhook
        self._drop_pending(call)
        self._context.record(call, {})
        return True

    def delete(self, call: Call) -> bool:
        self._bots.get(call.bot_id).webhook = {}
        self._drop_pending(call)
        self._context.record(call, {})
        return True

    def info(self, call: Call) -> JsonObject:
        bot = self._bots.get(call.bot_id)
        info = bot.webhook or {"url": "", "has_custom_certificate": False}
        return {**info, "pending_update_count": len(self._bots.pending(bot))}

    async def updates(self, call: Call) -> list[Update]:
        bot = self._bots.get(call.bot_id)
        self._allow(call)
        most = limits.UPDATES_PER_POLL_MAX
        return await poll(
            bot,
            lambda: self._bots.pending(bot),
            offset=call.integer("offset"),
            limit=min(max(call.integer("limit", most), 1), most),
            timeout_s=min(max(call.integer("timeout"), 0), limits.POLL_TIMEOUT_S_MAX),
        )

    def _allow(self, call: Call) -> None:
        """The list stays until the next one, as the Bot API says; an empty one means all but the rare kinds."""
        allowed = call.json("allowed_updates", list, "can't parse allowed_updates: expected an Array of strings")
        if allowed is not None:
            self._bots.get(call.bot_id).allowed_updates = frozenset(str(one) for one in allowed) or None

    def _drop_pending(self, call: Call) -> None:
        if call.flag("drop_pending_updates"):
            self._bots.get(call.bot_id).updates.clear()
