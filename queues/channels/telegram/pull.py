"""Long polling, for a desk without a public address: the desk asks Telegram for updates.

Telegram forgets an update when a later one is asked for, so the offset is kept in the transaction that stores the
updates, and sent only after it: a crash in between brings them again, and the inbox knows a repeat.
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import replace

from models.channels import health, positions
from models.channels.accounts import ChannelAccount
from models.kernel import limits
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.open_json import JsonObject
from models.kernel.settings import Settings
from models.kernel.telemetry import logs
from models.ports.inbound import IngressRequest, ReceivedEvent
from queues.pulling import events as pulled

log = logs.get("telegram_pull")

POSITION = "updates"
OTHER_READER = "another program reads this bot's updates, or has set a webhook for it: each bot has one reader"
STOLEN = (
    "somebody has set a webhook for this bot since this desk began to read it; remove it there,"
    " or run the set-up of this account again"
)
# The `limit` of getUpdates (https://core.telegram.org/bots/api#getupdates).
_BATCH_MAX = 100
# The Bot API's servers end longer waits.
_WAIT_S_MAX = 50
# The time until `stop` is noticed.
_LOOK_EVERY_S = 0.2
_CONTENT_TYPE = "application/json"


def wants(account: ChannelAccount) -> bool:
    """Return True if the account's file says `delivery: polling`."""
    return account.config.get("delivery") == "polling"


def pull(account: ChannelAccount, settings: Settings, stop: threading.Event, idle_s: float) -> None:
    """Store waiting updates and ask for more until `stop`; with `idle_s` 0, until no update waits."""
    reader = _Reader(account, settings)
    reader.take_over()
    # The first answer comes at once, and shows whether the account works.
    wait_s = 0
    while not stop.is_set():
        updates = reader.ask(wait_s, stop)
        if updates is None or (not updates and idle_s < 1):
            return
        reader.store(updates)
        wait_s = min(int(idle_s), _WAIT_S_MAX)


class _Reader:
    """The position and connection of one account."""

    def __init__(self, account: ChannelAccount, settings: Settings) -> None:
        self._account = account
        self._token = account.credential("token", settings)
        self._api_url = settings.telegram_api_url
        self._position = positions.get(account, POSITION) or {}
        self._well = False

    def take_over(self) -> None:
        """Remove the webhook that excludes polling, once for each version of the account's file.

        Raises ConfigurationError when there is one again: two desks that take a bot from one another would both lose
        updates.
        """
        from queues.channels.telegram.bot_api import (
            setup,  # python-telegram-bot is heavy, and `wants` is asked everywhere
        )

        has_webhook = bool(setup.get_webhook_info(self._token, self._api_url).url)
        known = self._position.get("version") == self._account.version
        if has_webhook and known:
            raise ConfigurationError(STOLEN)
        if has_webhook:
            setup.delete_webhook(self._token, self._api_url)
        if not known:
            self._keep([], {**self._position, "version": self._account.version})

    def ask(self, wait_s: int, stop: threading.Event) -> list[JsonObject] | None:
        """Return the next updates, [] after `wait_s` without one, None after `stop`. Raises TransientFailure,
        ConfigurationError.
        """
        from queues.channels.telegram.bot_api.updates import ALLOWED_UPDATES

        parameters = {
            "timeout": str(wait_s),
            "limit": str(_BATCH_MAX),
            "allowed_updates": json.dumps(list(ALLOWED_UPDATES)),
        }
        if "offset" in self._position:
            parameters["offset"] = str(self._position["offset"])
        answer = self._answer("getUpdates", parameters, stop, read_timeout_s=wait_s + limits.send_read_timeout_s)
        if answer is None:
            return None
        updates = _result(answer)
        if not self._well:
            health.report_well(self._account.channel, self._account.name)
            self._well = True
        return updates

    def store(self, updates: list[JsonObject]) -> None:
        """Store the updates and the offset behind them in one transaction; then send the answers that Telegram waits
        for.
        """
        if not updates:
            return
        from queues.channels.telegram import ingress

        answers, events = [], []
        for update in updates:
            # ASCII keeps a lone surrogate, which JSON can contain and UTF-8 cannot.
            raw = json.dumps(update, separators=(",", ":")).encode("ascii")
            received = ingress.receive(IngressRequest({}, raw, _CONTENT_TYPE), self._account)
            events += [replace(event, raw=event.raw or raw) for event in received.events]
            answers.append(received.answer)
        offset = max(update["update_id"] for update in updates) + 1
        self._keep(events, {**self._position, "offset": offset})
        log.info("updates_pulled", account=self._account.name, count=len(updates))
        for answer in answers:
            if answer is not None:
                self._carry_out(dict(answer))

    def _keep(self, events: list[ReceivedEvent], position: JsonObject) -> None:
        pulled.store(self._account, events, content_type=_CONTENT_TYPE, position=position, position_name=POSITION)
        self._position = position

    def _carry_out(self, answer: JsonObject) -> None:
        """Call the method that a webhook's answer would name. It ends a button's waiting sign, so a
        failure is ignored.
        """
        method = str(answer.pop("method"))
        parameters = {k: v if isinstance(v, str) else json.dumps(v) for k, v in answer.items()}
        try:
            self._answer(method, parameters, threading.Event(), read_timeout_s=limits.send_read_timeout_s)
        except (TransientFailure, ConfigurationError) as error:
            log.warning("answer_not_carried_out", account=self._account.name, error=error.code)

    def _answer(
        self, method: str, parameters: dict[str, str], stop: threading.Event, *, read_timeout_s: float
    ) -> bytes | None:
        """Return the answer's bytes, or None after `stop`."""
        from telegram.error import Conflict, TelegramError

        from queues.channels.telegram.bot_api import bots, setup

        future: Future[bytes] = bots.begin_raw(
            self._token, self._api_url, method, parameters, read_timeout_s=read_timeout_s
        )
        while not wait_for([future], timeout=_LOOK_EVERY_S).done:
            if stop.is_set():
                future.cancel()
                return None
        try:
            return future.result()
        except Conflict as error:
            raise TransientFailure(OTHER_READER) from error
        except TelegramError as error:
            failure = setup.failure_of(error)
            if isinstance(failure, TransientFailure | ConfigurationError):
                raise failure from error
            raise TransientFailure(failure.message) from error


def _result(answer: bytes) -> list[JsonObject]:
    """Return the updates as dictionaries, because python-telegram-bot refuses some real ones."""
    try:
        content = json.loads(answer)
        updates = content["result"]
        good = all(type(update["update_id"]) is int for update in updates)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise TransientFailure("the Bot API answered getUpdates in another form than its own") from error
    if not good or not isinstance(updates, list):
        raise TransientFailure("the Bot API answered getUpdates in another form than its own")
    return updates
