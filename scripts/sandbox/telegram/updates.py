"""Per bot: its webhook setting and the updates that wait for getUpdates.

A desk without a public URL polls; tests queue what users "write" here. The webhook is only remembered, not
called: posting to the desk is `scripts.replay`'s work.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.sandbox import limits
from scripts.sandbox.faults import BOT_DESCRIPTIONS
from scripts.sandbox.json_object import JsonObject
from scripts.sandbox.telegram.bot_request import ApiError

Update = JsonObject
# Kinds that come only to who asks for them (getUpdates, allowed_updates).
_ASKED_FOR = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class UpdateRefused(ValueError):
    """The update cannot be queued."""


@dataclass(slots=True)
class Bot:
    bot_id: int
    webhook: JsonObject = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)
    polls: int = 0
    allowed_updates: frozenset[str] | None = None  # None: all but those that must be asked for
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Bots:
    """Bots by id, made when their token is first seen."""

    def __init__(self) -> None:
        self._bots: dict[int, Bot] = {}
        self._unclaimed: list[Update] = []  # queued for whichever bot polls first
        self._last_update_id = int(time.time())  # the desk knows the ids of an earlier start

    def get(self, bot_id: int) -> Bot:
        bot = self._bots.get(bot_id)
        if bot is None:
            if len(self._bots) >= limits.BOTS_MAX:
                raise ApiError(401, f"Unauthorized: the sandbox holds at most {limits.BOTS_MAX} bots")
            bot = self._bots[bot_id] = Bot(bot_id)
        return bot

    def queue(self, update: Update, bot_id: int | None) -> int:
        """Queue an update and return its update_id, made when absent. Raises UpdateRefused, ApiError."""
        update_id = update.get("update_id", self._last_update_id + 1)
        if isinstance(update_id, bool) or not isinstance(update_id, int) or update_id < 1:
            raise UpdateRefused(f"update_id: expected a positive integer, got {update_id!r}")
        waiting = self._unclaimed if bot_id is None else self.get(bot_id).updates
        if len(waiting) >= limits.PENDING_UPDATES_MAX:
            raise UpdateRefused(f"at most {limits.PENDING_UPDATES_MAX} updates wait for a bot")
        self._last_update_id = max(self._last_update_id, update_id)
        waiting.append({"update_id": update_id, **update})
        for bot in self._bots.values():
            bot.changed.set()
        return update_id

    def pending(self, bot: Bot) -> list[Update]:
        """The bot's waiting updates by id, those without a bot claimed for it. What it does not want is forgotten."""
        if self._unclaimed:
            bot.updates += self._unclaimed
            self._unclaimed = []
            bot.updates.sort(key=lambda update: int(update["update_id"]))
        bot.updates[:] = [update for update in bot.updates if _wanted(update, bot.allowed_updates)]
        return bot.updates


def _wanted(update: Update, allowed: frozenset[str] | None) -> bool:
    kinds = set(update) - {"update_id"}
    return not kinds & _ASKED_FOR if allowed is None else not kinds or bool(kinds & allowed)


async def poll(
    bot: Bot, pending: Callable[[], list[Update]], *, offset: int, limit: int, timeout_s: float
) -> list[Update]:
    """Confirm what is below `offset` and wait up to `timeout_s` for the next updates; raises ApiError 409."""
    if bot.webhook:
        raise ApiError(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    bot.polls += 1
    mine = bot.polls
    bot.changed.set()  # an older poll wakes and finds that it was replaced
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        waiting = pending()
        if offset < 0:
            del waiting[:offset]
            offset = 0
        elif offset > 0:
            waiting[:] = [update for update in waiting if update["update_id"] >= offset]
        if waiting:
            return waiting[:limit]
        left_s = deadline - asyncio.get_running_loop().time()
        if left_s <= 0:
            return []
        bot.changed.clear()
        try:
            await asyncio.wait_for(bot.changed.wait(), left_s)
        except TimeoutError:
            return []
        if bot.polls != mine:
            raise ApiError(409, BOT_DESCRIPTIONS["409"])
