"""Receive provider events: authenticate, store the raw bytes with one task, answer. An actor does the rest.

Malformed content is kept and shown (2xx), because a 5xx makes a provider resend poison for days.
"""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import msgspec

from functions.http import runtime, web
from functions.http.operations import Answer, AnyCall, Call, Cost, Idempotency, Operations
from functions.views.parameters import PARAMETERS
from models import migrations
from models.channels import accounts
from models.channels.accounts import ChannelAccount
from models.inbox import commands as inbox
from models.kernel import limits
from models.kernel.errors import NotFound, TooLarge
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.telemetry import crash, metrics
from models.ports.inbound import EventKey, IngressRequest, Received
from queues import channels
from queues.channel_port import Ingress
from queues.sweep import OpportunisticSweep


class Taken(msgspec.Struct):
    """The id of the stored event. `repeat`: it was stored before. A request can carry several
    events, or none to store.
    """

    event_id: UUID | None
    repeat: bool
    event_ids: list[UUID] | msgspec.UnsetType = msgspec.UNSET


def operations(config: Settings) -> Operations:
    """The operations of the webhook function."""
    collected = Operations(PARAMETERS)
    served = {name for name in config.webhook_channels.split(",") if name} or channels.names()

    @collected.add(
        "HEAD",
        "/webhooks/{channel}/{account}",
        summary="Check that events are taken here",
        cost=Cost.free,
        public=True,
        unlocked=True,
        answers={200: None},
        problems=(404,),
    )
    def confirm_address(call: Call) -> Answer:
        """Some providers (Mandrill) ask for this before they store the address.

        The answer says nothing about the account, so no database is needed.
        """
        if call.params["channel"] not in served:
            raise NotFound(f"there is no channel {call.params['channel'][:40]!r}")
        return Answer(None)

    @collected.add(
        "POST",
        "/webhooks/{channel}/{account}",
        summary="Receive a provider's event",
        cost=Cost.free,
        public=True,
        unlocked=True,
        idempotency=Idempotency.unneeded,
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
    """Store the beginning of an event that is too large, so that people see it. The provider still gets the error."""
    beginning = call.incoming.beginning(limits.oversized_kept_bytes)
    announced = call.request.content_length or 0
    digest = hashlib.sha256(beginning + str(announced).encode()).hexdigest()
    key = EventKey(
        f"oversized:{digest}",
        None,
        unreadable=f"{error.message.rstrip('.')}; only its first {len(beginning)} bytes are kept",
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
    """Read the body, verify its signature unless the caller is authenticated, and store its events."""
    with call.incoming.body(ingress.body_bytes_max) as raw:
        request = IngressRequest(headers, raw, call.request.content_type or "", query)
        if not call.incoming.known:
            ingress.verify(request, account, config)
            call.incoming.known = True
        received = ingress.receive(request, account)
        with database.connection(), database.transaction():
            stored = _store(account, request, received)
            crash.point("before_commit")
    crash.point("after_commit")
    for one in stored:
        metrics.inbox_events.labels(account.channel, "repeat" if one.repeat else "stored").inc()
    return Answer(_answer(stored) if received.answer is None else dict(received.answer))


def _store(account: ChannelAccount, request: IngressRequest, received: Received) -> list[inbox.Stored]:
    """Store the events of a request, and its nonce against replays."""
    if received.nonce is not None:
        inbox.remember(account, *received.nonce, raw=request.body)
    return [
        inbox.store(
            account,
            event.key,
            raw=request.body if event.raw is None else event.raw,
            content_type=event.content_type or request.content_type,
        )
        for event in received.events
    ]


def _answer(stored: list[inbox.Stored]) -> Taken:
    ids = [one.event_id for one in stored]
    repeat = all(one.repeat for one in stored)
    return Taken(ids[0] if ids else None, repeat, ids if len(ids) > 1 else msgspec.UNSET)


def create_app() -> Any:
    """The WSGI application: `gunicorn -c functions/gunicorn_conf.py 'functions.webhooks.app:create_app()'`."""
    config = runtime.start("webhooks")
    return web.create_app("webhooks", operations(config), configured=config, after=OpportunisticSweep().maybe)
