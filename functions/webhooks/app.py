"""Take provider events: authenticate, store the raw bytes with one task, answer. Everything else happens in an actor.

Malformed content is kept and shown (2xx), because a 5xx makes a provider resend poison for days.
"""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import msgspec

from functions.http import runtime, web
from functions.http.operations import Answer, AnyCall, Call, Operations
from functions.views.parameters import PARAMETERS
from models import migrations
from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.inbox import commands as inbox
from models.kernel import crash, database, limits, metrics
from models.kernel.errors import NotFound, TooLarge
from models.kernel.settings import Settings
from models.ports.inbound import EventKey, IngressRequest
from queues import channels
from queues.channel_port import Ingress
from queues.sweep import OpportunisticSweep


class Taken(msgspec.Struct):
    """The id of the stored event. `repeat`: it was stored before. A request can carry several events, or none to store."""

    event_id: UUID | None
    repeat: bool
    event_ids: list[UUID] | msgspec.UnsetType = msgspec.UNSET


def operations(config: Settings) -> Operations:
    """Everything that the webhook function serves."""
    collected = Operations(PARAMETERS)
    served = {name for name in config.webhook_channels.split(",") if name} or channels.names()

    @collected.add(
        "POST",
        "/webhooks/{channel}/{account}",
        summary="Receive a provider's event",
        public=True,
        unlocked=True,
        raw="*/*",
        body_bytes_max=limits.webhook_body_bytes_max,
        answers={200: Taken},
        problems=(401, 404),
    )
    def take_event(call: Call) -> Answer:
        """The provider authenticates by the means of its channel: before the body is read, or by a signature over it.

        A 2xx response means that the event is committed. Malformed content is stored and answered with 2xx too.
        """
        channel, name = call.params["channel"], call.params["account"]
        if channel not in served:
            raise NotFound(f"there is no channel {channel[:40]!r}")
        ingress = channels.get(channel).ingress
        headers = {key.lower(): value for key, value in call.request.headers.items()}
        query = {key: value[-1] if isinstance(value, list) else value for key, value in call.request.params.items()}
        with database.connection():
            migrations.check_once()
            account = accounts.at_path(channel, name, config)
            call.incoming.known = ingress.authenticate(headers, query, account, config)
        assert ingress.body_bytes_max <= limits.webhook_body_bytes_max, f"{channel} takes more than any may"
        try:
            return _take(call, ingress, account, headers, query, config)
        except TooLarge as error:
            if call.incoming.known:
                _keep_beginning(call, account, error)
            raise

    return collected


def _keep_beginning(call: AnyCall, account: ChannelAccount, error: TooLarge) -> None:
    """What a provider brings and we cannot take is seen by people, with its first bytes; the provider hears that it is
    too large.
    """
    beginning = call.incoming.beginning(limits.oversized_kept_bytes)
    announced = call.request.content_length or 0
    digest = hashlib.sha256(beginning + str(announced).encode()).hexdigest()
    key = EventKey(
        f"oversized:{digest}",
        None,
        unreadable=f"{error.message}; only its first {len(beginning)} bytes are kept",
    )
    with database.connection(), database.transaction():
        inbox.store(account, key, raw=beginning, content_type=call.request.content_type or "")
    metrics.inbox_events.labels(account.channel, "oversized").inc()


def _take(
    call: AnyCall,
    ingress: Ingress,
    account: ChannelAccount,
    headers: dict[str, str],
    query: dict[str, str],
    config: Settings,
) -> Answer:
    """Read the body, verify it if need be, and store its events."""
    channel = account.channel
    with call.incoming.body(ingress.body_bytes_max) as raw:
        request = IngressRequest(headers, raw, call.request.content_type or "", query)
        if not call.incoming.known:
            ingress.verify(request, account, config)
            call.incoming.known = True
        received = ingress.receive(request, account)
        with database.connection(), database.transaction():
            if received.nonce is not None:
                inbox.remember(account, *received.nonce, raw=raw)
            stored = [
                inbox.store(
                    account,
                    event.key,
                    raw=raw if event.raw is None else event.raw,
                    content_type=event.content_type or request.content_type,
                )
                for event in received.events
            ]
            crash.point("before_commit")
    crash.point("after_commit")
    for one in stored:
        metrics.inbox_events.labels(channel, "repeat" if one.repeat else "stored").inc()
    if received.answer is not None:
        return Answer(dict(received.answer))
    repeat = all(one.repeat for one in stored)
    ids = [one.event_id for one in stored]
    return Answer(Taken(ids[0] if ids else None, repeat, ids if len(ids) > 1 else msgspec.UNSET))


def create_app() -> Any:
    """The WSGI application: `gunicorn -c functions/gunicorn_conf.py 'functions.webhooks.app:create_app()'`."""
    config = runtime.start("webhooks")
    return web.create_app("webhooks", operations(config), configured=config, after=OpportunisticSweep().maybe)
