"""The gateway's application: `gunicorn -c functions/gunicorn_conf.py 'functions.gateway.app:create_app()'`."""

from __future__ import annotations

from typing import Any

from functions.http import runtime, web
from functions.http.operations import Operations
from queues.sweep import OpportunisticSweep


def operations() -> Operations:
    """Everything that the gateway serves."""
    from functions.gateway import (
        access,
        attachments,
        channels,
        deliveries,
        inbox,
        lifecycle,
        messages,
        model,
        own_addresses,
        people,
        requesters,
        tasks,
        tickets,
        webhooks,
        workflows,
    )

    collected = Operations()
    for module in (
        access,
        people,
        own_addresses,
        requesters,
        tickets,
        messages,
        attachments,
        lifecycle,
        workflows,
        model,
        inbox,
        deliveries,
        tasks,
        channels,
        webhooks,
    ):
        collected.all.extend(module.operations.all)
    return collected


def create_app() -> Any:
    """The WSGI application."""
    config = runtime.start("gateway")
    return web.create_app(
        "gateway",
        operations(),
        configured=config,
        after=OpportunisticSweep().maybe,
        backlog=config.embedded,  # one process is the whole desk; else the tick function tells
    )
