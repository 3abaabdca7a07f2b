"""The last safety net of due work: a Knative PingSource posts here every few minutes.

It fires all due timers, wakes workers for all due tasks, and requests a read of every account that no process watches.
A lost tick only causes a delay.
"""

from __future__ import annotations

import hmac
from typing import Any

import msgspec

from functions.http import runtime, web
from functions.http.operations import Answer, Call, Cost, Idempotency, Operations
from functions.views.parameters import PARAMETERS
from models import migrations
from models.kernel.errors import Unauthenticated
from models.kernel.settings import Settings
from queues import sweep
from queues.pulling import accounts

# A PingSource sends the few bytes of its manifest.
_body_bytes_max = 65_536


class Swept(msgspec.Struct):
    """The result of the sweep."""

    timers_fired: int
    tasks_woken: int = msgspec.field(name="tasks_hinted")  # the public name is older than the word wakeup


def operations(config: Settings) -> Operations:
    """The operations of the tick function."""
    collected = Operations(PARAMETERS)

    @collected.add(
        "POST",
        "/tick",
        summary="Sweep due work",
        cost=Cost.free,
        public=True,
        unlocked=True,
        idempotency=Idempotency.unneeded,
        raw="*/*",
        body_bytes_max=_body_bytes_max,
        answers={200: Swept},
        problems=(401,),
    )
    def tick(call: Call) -> Answer:
        """Requires TICK_TOKEN, because Knative's activator hides the caller (knative/serving#12466).

        It is a bearer token, or the CloudEvents extension `ticktoken`: a PingSource cannot set headers.
        """
        scheme, _, bearer = (call.request.get_header("Authorization") or "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else call.request.get_header("Ce-Ticktoken") or ""
        expected = config.tick_token.encode()
        if not expected or not hmac.compare_digest(token.encode(), expected):
            raise Unauthenticated("Authentication required: send TICK_TOKEN.")
        call.incoming.known = True
        with call.incoming.body(_body_bytes_max):  # the data of the CloudEvent is discarded
            pass
        migrations.check_once()
        accounts.ask_for_pulls()  # mailboxes and bots that must be polled; the sweep wakes workers for these tasks too
        swept = sweep.once()
        return Answer(Swept(swept.timers_fired, swept.tasks_woken))

    return collected


def create_app() -> Any:
    """The WSGI application: `gunicorn -c functions/gunicorn_conf.py 'functions.tick.app:create_app()'`."""
    config = runtime.start("tick")
    return web.create_app("tick", operations(config), configured=config, backlog=True)
