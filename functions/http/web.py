"""The application factory of all functions: request ids, traces, authentication, limits, errors, health, metrics,
access log.

The access log and the metrics contain the template of the route, never the URL, because a URL can contain a secret.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import falcon
import peewee

from functions.http import bodies, callers, health, idempotency, problems, response_headers
from functions.http.operations import Answer, AnyCall, Call, Cost, Operation, Operations
from functions.http.quotas import Quotas, of_setting
from functions.http.reading import Incoming
from models import migrations
from models.audit import callers as audit_callers
from models.identity.rules import Principal
from models.kernel import limits, settings, type_info
from models.kernel.errors import BadRequest, Forbidden, NestorError, Unauthenticated
from models.kernel.ids import new_id
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.kernel.telemetry import logs, metrics, trace

log = logs.get("http")
Authenticate = Callable[[AnyCall, falcon.Response, Settings], Principal]
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,128}$")


@dataclass(frozen=True, slots=True)
class Front:
    """The differences of a function for browsers from the API.

    `authenticate` returns the caller of a request, and may set cookies on the response; it raises Unauthenticated.
    `add_errors` registers the error handlers that answer with pages. `headers` replace default headers. A front has no
    OpenAPI document.
    """

    authenticate: Authenticate
    add_errors: Callable[[Any], None]
    headers: Mapping[str, str]


class _Requests:
    """Falcon middleware: request id, trace, caller, security headers, access log and metrics of every request."""

    def __init__(self, function: str, config: Settings, headers: Mapping[str, str]) -> None:
        self._function = function
        self._threads = config.http_threads
        self._trusted_proxies = config.trusted_proxies
        self._headers = {**response_headers.headers_for(config), **headers}

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        given = req.get_header("X-Request-Id") or ""
        request_id = given if _REQUEST_ID.match(given) else new_id().hex
        following = trace.following(req.get_header("traceparent"), request_id)
        traceparent = following.__enter__()
        client = callers.client_address(req, self._trusted_proxies)
        network = callers.network_of(client)
        bound = logs.bound(request_id=request_id, trace_id=trace.trace_id(traceparent), network=network)
        bound.__enter__()
        calling = audit_callers.calling(
            client, req.get_header("User-Agent"), kind="anonymous", device=req.get_header("Nestor-Device")
        )
        calling.__enter__()
        req.context.client = client
        req.context.started = time.perf_counter()
        req.context.incoming = Incoming(req, self._threads)
        req.context.leave = (calling, bound, following)
        resp.set_header("X-Request-Id", request_id)

    def process_response(self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool) -> None:
        req.context.incoming.finish()
        duration_s = time.perf_counter() - req.context.started
        route = req.uri_template or "(unknown)"
        status = str(resp.status_code)
        metrics.request_seconds.labels(self._function, *_counted_as(req), status).observe(duration_s)
        # Knative polls an unready process every 50 ms. The readiness check logs the reason once.
        quiet = route == "/readyz" or (route in ("/healthz", "/metrics") and resp.status_code < 400)
        (log.debug if quiet else log.info)(
            "request",
            method=_method(req),
            route=route,
            status=resp.status_code,
            duration_ms=round(duration_s * 1000, 1),
        )
        for name, value in self._headers.items():
            if resp.get_header(name) is None:
                resp.set_header(name, value)
        for context in req.context.leave:
            context.__exit__(None, None, None)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _method(req: falcon.Request) -> str:
    return req.method if req.method in _METHODS else "OTHER"


def _counted_as(req: falcon.Request) -> tuple[str, str]:
    """Method and route of the metrics: those of a declared operation, else `(unknown)`.

    Otherwise a caller who tries each method on each path makes a series of 14 lines for every pair.
    """
    declared = getattr(req.context, "declared", False)
    return _method(req), req.uri_template if declared and req.uri_template else "(unknown)"


def create_app(
    function: str,
    operations: Operations,
    *,
    configured: Settings | None = None,
    after: Callable[[], None] | None = None,
    backlog: bool = False,
    front: Front | None = None,
) -> Any:
    """Create a WSGI application with the operations of one function, health, metrics and OpenAPI. Opens no connection.

    Builds the type information of every loaded type, so it must run before the threads that serve requests.

    `after` runs after each response to a writing operation (the opportunistic sweep). `backlog`: see `health.add`.
    `front`: the function serves pages to browsers.
    """
    from functions.http import openapi

    config = configured or settings.current()
    app = falcon.App(middleware=[_Requests(function, config, front.headers if front else {})])
    app.req_options.strip_url_path_trailing_slash = True
    app.req_options.keep_blank_qs_values = True
    app.add_error_handler(Exception, problems.on_unexpected)
    app.add_error_handler(falcon.HTTPError, problems.on_http_error)
    app.add_error_handler(peewee.PeeweeException, problems.on_database_error)
    app.add_error_handler(NestorError, problems.on_nestor_error)
    if front is not None:
        front.add_errors(app)
    complete = Operations(operations.parameters, operations.examples, operations.groups)
    complete.all.extend(operations.all)
    health.add(complete, function, config, backlog=backlog)
    if front is None:
        openapi.add(complete, function, config)
    authenticate = front.authenticate if front is not None else _bearer
    quotas = of_setting(config.request_limits)
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in complete.all:
        assert operation.method not in by_path.get(operation.path, {}), (
            f"{operation.method} {operation.path} is declared twice"
        )
        by_path.setdefault(operation.path, {})[operation.method] = operation
    for path, methods in by_path.items():
        resource = _Resource()
        for method, operation in methods.items():
            responder = _responder(operation, config, quotas, after, authenticate)
            setattr(resource, f"on_{method.lower()}", responder)
            if method == "GET":
                resource.on_head = responder  # RFC 9110 9.3.2: GET without the body; uptime probes use it
        app.add_route(path, resource)
    type_info.build()
    return app


class _Resource:
    """A path. `create_app` sets its responders."""

    on_head: Callable[..., None]


def _responder(
    operation: Operation,
    config: Settings,
    quotas: Quotas,
    after: Callable[[], None] | None,
    authenticate: Authenticate,
) -> Callable[..., None]:
    def respond(req: falcon.Request, resp: falcon.Response, **params: str) -> None:
        req.context.declared = True
        call: AnyCall = Call(req, params, req.context.incoming, None, None, None, client=req.context.client)
        if any("\x00" in value for value in params.values()):
            raise BadRequest("The path must not contain the null character.")
        if operation.public:
            _charge(quotas, operation.charged, call.client, resp)
        if operation.public and operation.unlocked:
            answer = _open(call, operation, config)
        else:
            answer = _guarded(call, operation, config, quotas, resp, authenticate)
        _represent(resp, answer)
        if after is not None and operation.writes:
            after()

    return respond


def _charge(quotas: Quotas, cost: Cost, caller: str, resp: falcon.Response) -> None:
    """Count the request for its caller or network. Raises QuotaExceeded."""
    if cost is Cost.free:
        return
    key = callers.network_of(caller) if cost is Cost.public else caller
    for name, value in quotas.take(cost, key).items():
        resp.set_header(name, value)


def _open(call: AnyCall, operation: Operation, config: Settings) -> Answer:
    """Run a public operation without a connection; its handler opens one when it needs it."""
    idempotency.key_of(call, operation)
    if operation.body is not None:
        with call.incoming.body(operation.body_bytes_max or limits.json_body_bytes_max) as call.raw_body:
            pass
    _prepare(call, operation)
    return idempotency.run(call, operation, config)


def _guarded(
    call: AnyCall,
    operation: Operation,
    config: Settings,
    quotas: Quotas,
    resp: falcon.Response,
    authenticate: Authenticate,
) -> Answer:
    """Authenticate, read the body, run the operation. A body that is not at hand is read without a connection."""
    with database.connection():
        migrations.check_once()
        try:
            _authorise(call, operation, config, resp, authenticate)
        except Unauthenticated:
            _charge(quotas, Cost.public, call.client, resp)
            raise
        if call.principal is not None:
            _charge(quotas, operation.charged, call.principal.key, resp)
        idempotency.key_of(call, operation)
        if operation.raw is None and (operation.body is None or call.incoming.is_at_hand()):
            return _read_and_run(call, operation, config)
    if operation.raw is not None:  # the handler reads the body and opens its own transactions
        _prepare(call, operation)
        return operation.handler(call)
    return _read_and_run(call, operation, config)


def _read_and_run(call: AnyCall, operation: Operation, config: Settings) -> Answer:
    if operation.body is None:
        _prepare(call, operation)
        return idempotency.run(call, operation, config)
    with call.incoming.body(operation.body_bytes_max or limits.json_body_bytes_max) as call.raw_body:
        _prepare(call, operation)
        with database.connection():
            return idempotency.run(call, operation, config)


def _bearer(call: AnyCall, resp: falcon.Response, config: Settings) -> Principal:
    """Return the caller whom the header `Authorization: Bearer` proves. Raises Unauthenticated."""
    from models.identity.sign_in import tokens

    scheme, _, token = (call.request.get_header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated()
    return tokens.authenticate(token.strip(), config)


def _authorise(
    call: AnyCall, operation: Operation, config: Settings, resp: falcon.Response, authenticate: Authenticate
) -> None:
    """Raise 401 without an authenticated caller, 403 without the permission, before the response
    reveals anything else.
    """
    if operation.public:
        return
    from models.identity.sign_in import tokens

    call.principal = authenticate(call, resp, config)
    call.incoming.known = True
    audit_callers.identify(call.principal.kind, str(call.principal.id))
    logs.bind(caller=call.principal.key)
    if operation.needs is not None and operation.needs not in call.principal.permissions:
        callers.record_refusal(call.principal.key, operation)
        who = "This API key" if call.principal.kind == "api_key" else f"The role {call.principal.rights.name}"
        raise Forbidden(f"{who} lacks the permission {operation.needs}.")
    if operation.recent:
        tokens.check_recent(call.principal)


def _prepare(call: AnyCall, operation: Operation) -> None:
    if operation.query is not None:
        call.query = bodies.query(call.request, operation.query)
    if operation.body is not None:
        call.body = bodies.decode(call.request, operation, call.raw_body)


def _represent(resp: falcon.Response, answer: Answer) -> None:
    resp.status = answer.status
    for name, value in answer.headers.items():
        resp.set_header(name, value)
    for cookie in answer.cookies:
        resp.append_header("Set-Cookie", cookie)
    if answer.stream is not None:
        resp.content_type = answer.content_type
        resp.set_stream(answer.stream, answer.stream_bytes)
        return
    data = answer.raw if answer.raw is not None else idempotency.encode(answer.body)
    if data or answer.status not in (204, 304):
        resp.content_type = answer.headers.get("Content-Type", answer.content_type)
        resp.data = data
