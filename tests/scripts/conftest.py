"""The desk of a test over HTTP, for verbs that post to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from functions.http import runtime
from tests.desk import Desk


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Requests of a test are not news."""


@pytest.fixture
def served(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The webhooks and the gateway of the test's desk over HTTP; nothing runs its tasks but the test."""
    monkeypatch.setattr(runtime, "_state", runtime.State(adopted=True))
    from functions.gateway.app import create_app as gateway
    from functions.webhooks.app import create_app as webhooks

    by_prefix = {"/webhooks/": webhooks(), "/v1/": gateway()}

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        prefix = next(p for p in by_prefix if environ["PATH_INFO"].startswith(p))
        return by_prefix[prefix](environ, start_response)

    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
