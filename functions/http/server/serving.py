"""The work of a thread for a connection: parse the head, run the application, write while the kernel takes it."""

from __future__ import annotations

import errno
import io
import time
from enum import Enum
from typing import Any

from gunicorn.http import get_parser, wsgi
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData

from functions.http.server import refusals
from functions.http.server.connection import Connection, Inbox, Response
from functions.http.server.keys import BUFFERED
from models.kernel import limits

_disconnects = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF)
_nobody = ("-", 0)  # gunicorn logs the peer of a malformed request, and logs hold no addresses


class Next(Enum):
    """The main thread's next step with a connection."""

    WRITE = "write"
    KEEP = "keep"
    CLOSE = "close"


def begin(worker: Any, connection: Connection) -> Next:
    """Run the request whose head has arrived."""
    request = None
    try:
        request = _parse(worker.cfg, connection)
        return Next.CLOSE if request is None else _respond(worker, connection, request)
    except Exception as error:  # noqa: BLE001 -- whatever the application raises, the client gets an answer
        return _failed(worker, connection, request, error)


def go_on(worker: Any, connection: Connection) -> Next:
    """Continue a response after the kernel has taken the bytes that waited."""
    try:
        return _write(connection)
    except Exception as error:  # noqa: BLE001 -- whatever the application raises, the client gets an answer
        return _failed(worker, connection, connection.parser.mesg, error)


def _parse(cfg: Any, connection: Connection) -> Any:
    """Return gunicorn's request of the bytes that have arrived; None when the connection ends here."""
    if connection.inbox is None:
        connection.inbox = Inbox(connection.sock)
        connection.parser = get_parser(cfg, connection.sock, connection.client)
        connection.parser.unreader = connection.inbox
    received, complete = bytes(connection.received), connection.framing is not None
    connection.received, connection.framing, connection.searched_bytes = bytearray(), None, 0
    connection.inbox.buf = io.BytesIO(received)
    connection.inbox.waits = False
    try:
        request = next(connection.parser)
    except StopIteration:
        return None
    except NoMoreData:
        if complete or len(received) <= limits.request_head_bytes_max:
            return None
        raise LimitRequestHeaders(f"the head has more than {limits.request_head_bytes_max} bytes") from None
    connection.inbox.waits = True
    return request


def _respond(worker: Any, connection: Connection, request: Any) -> Next:
    assert connection.inbox is not None
    framed, environ = wsgi.create(request, connection.outbox, connection.client, connection.server, worker.cfg)
    environ["wsgi.multithread"] = True
    environ["gunicorn.socket"] = connection.sock
    environ[BUFFERED] = connection.inbox.buffered_bytes
    worker.nr += 1
    if worker.nr >= worker.max_requests:
        worker.alive = False
    if not worker.alive or not worker.cfg.keepalive:
        framed.force_close()
    connection.response = Response(framed, worker.wsgi(environ, framed.start_response))
    return _write(connection)


def _write(connection: Connection) -> Next:
    """Write the application's pieces while the kernel takes them."""
    response, outbox = connection.response, connection.outbox
    assert response is not None
    if not response.written:
        for piece in response.iterator:
            response.framed.write(piece)
            if not outbox.flush():
                return Next.WRITE
        response.framed.close()
        response.written = True
        response.close()
    if not outbox.flush():
        return Next.WRITE
    connection.response = None
    if response.framed.should_close() or not _is_drained(connection):
        return Next.CLOSE
    assert connection.inbox is not None
    connection.received = bytearray(connection.inbox.take_buffered())  # the beginning of the next request
    return Next.KEEP


def _is_drained(connection: Connection) -> bool:
    """Return True if the body is read to its end.

    The application has read or refused it (functions/http/reading.py).
    """
    body = connection.parser.mesg.body
    if body.failed:
        return False
    if getattr(body.reader, "length", None) == 0:
        return True
    return bool(connection.parser.finish_body(deadline=time.monotonic() + limits.drain_stranger[2]))


def _failed(worker: Any, connection: Connection, request: Any, error: Exception) -> Next:
    """Answer an error if nothing is sent yet; the connection ends."""
    response, connection.response = connection.response, None
    if response is not None:
        response.close()
    if isinstance(error, OSError) and error.errno in _disconnects:
        return Next.CLOSE
    if response is not None and response.framed.headers_sent:
        worker.log.error("Error handling request", exc_info=error)  # the client sees an early end
        return Next.CLOSE
    page = refusals.Page()
    worker.handle_error(request, page, _nobody, error)
    connection.outbox.sendall(page.response())
    try:
        connection.outbox.flush()
    except OSError:  # the client has disconnected
        return Next.CLOSE
    return Next.CLOSE
