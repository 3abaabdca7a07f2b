"""Pages and forms: how a room declares what it serves.

    pages = Pages()

    @pages.get("/inbox", "The inbox", needs=Permission.tickets_read, query=InboxQuery)
    def inbox(call: Call[None, InboxQuery]) -> Answer: ...

    @pages.post("/inbox/snooze", "Snooze tickets", needs=Permission.tickets_write, form=Snooze)
    def snooze(call: Call[Snooze]) -> Answer: ...

A page reads on one connection. A form runs in one transaction, after its token is checked. With a field `once`, the
same form has one effect, however often it is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import msgspec

from functions.console.frame import session
from functions.http import bodies, idempotency
from functions.http.operations import Answer, AnyCall, AnyHandler, Call, Cost, Idempotency, Operations
from models.idempotency import commands as kept
from models.identity.rules import Permission
from models.kernel import settings
from models.kernel.errors import BadRequest
from models.kernel.open_json import JsonObject
from models.kernel.storage import database

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    B = TypeVar("B", default=None)
    Q = TypeVar("Q", default=None)
else:
    from typing import TypeVar

    B = TypeVar("B")
    Q = TypeVar("Q")

# -- limits ------------------------------------------------------------------------------------------------------------
form_bytes_max: Final = 1_048_576  # a long reply with its quotes; files have a form of their own
_FIELDS_MAX: Final = 2_000  # ids of a bulk selection and the fields of a ticket type
_ONCE: Final = "once"


class Pages:
    """The pages and forms of a room."""

    def __init__(self) -> None:
        self.operations = Operations()

    def get(
        self,
        path: str,
        summary: str,
        *,
        needs: Permission | None = None,
        query: type[Q] | None = None,
        public: bool = False,
        cost: Cost | None = None,
        calls_out: bool = False,
    ) -> Callable[[Callable[[Call[None, Q]], Answer]], Callable[[Call[None, Q]], Answer]]:
        """Declare a page. Without `needs` it is for every signed-in user, with `public` for everybody.

        `calls_out`: the handler calls another server, so it opens connections itself and holds none meanwhile.
        """

        def register(handler: Any) -> Any:
            @wraps(handler)
            def show(call: AnyCall) -> Answer:
                if calls_out:
                    result: Answer = handler(call)
                    return result
                with database.connection():
                    answer: Answer = handler(call)
                return answer

            kind: Any = query
            self.operations.add(
                "GET",
                path,
                summary=summary,
                answers={200: str},
                needs=needs,
                public=public,
                unlocked=True,
                query=kind,
                cost=cost,
            )(show)
            return handler

        return register

    def post(
        self,
        path: str,
        summary: str,
        *,
        form: type[B],
        needs: Permission | None = None,
        public: bool = False,
        cost: Cost | None = None,
        unlocked: bool = False,
        bytes_max: int = form_bytes_max,
    ) -> Callable[[Callable[[Call[B]], Answer]], Callable[[Call[B]], Answer]]:
        """Declare a form. `unlocked`: the handler opens its own transactions."""

        def register(handler: Any) -> Any:
            @wraps(handler)
            def receive(call: AnyCall) -> Answer:
                with call.incoming.body(bytes_max) as raw:
                    fields = _fields(call, raw)
                    call.body = _converted(fields, form)
                    token = call.request.get_header("X-Csrf") or fields.get(session.FIELD, [None])[-1]
                    return _run(call, handler, raw, token, fields, public=public, unlocked=unlocked)

            self.operations.add(
                "POST",
                path,
                summary=summary,
                answers={303: None},
                needs=needs,
                public=public,
                unlocked=True,
                raw="application/x-www-form-urlencoded",
                body_bytes_max=bytes_max,
                cost=cost,
                idempotency=Idempotency.handler,
            )(receive)
            return handler

        return register


def _run(
    call: AnyCall,
    handler: AnyHandler,
    raw: bytes,
    token: str | None,
    fields: dict[str, list[str]],
    *,
    public: bool,
    unlocked: bool,
) -> Answer:
    config = settings.current()
    if public:
        session.check_origin(call.request, config)
    else:
        session.check_form(token, call.caller.session_id, config)
    if unlocked:
        return handler(call)
    once = fields.get(_ONCE, [None])[-1]
    with database.connection(), database.transaction():
        if not once or public:
            return handler(call)
        content = "&".join(
            f"{name}={value}" for name in sorted(fields) for value in fields[name] if name != session.FIELD
        )
        request_hash = idempotency.fingerprint(call, config, content)
        key = f"{call.request.path[:120]}:{once[:64]}"
        stored = kept.take(call.caller.key, key, request_hash=request_hash)
        if stored is not None:
            return Answer(status=stored.status, headers=stored.headers, raw=stored.body.encode())
        answer = handler(call)
        if answer.status >= 400:
            kept.release(call.caller.key, key)  # refused: the page shows why, and the person tries again
            return answer
        body = (answer.raw or b"").decode()
        kept.store(call.caller.key, key, kept.StoredAnswer(answer.status, dict(answer.headers), body))
        return answer


def _fields(call: AnyCall, raw: bytes) -> dict[str, list[str]]:
    """Return the values of a form by name. Raises BadRequest."""
    media_type = (call.request.content_type or "").partition(";")[0].strip().lower()
    if raw and media_type != "application/x-www-form-urlencoded":
        raise BadRequest(
            f"Content-Type: expected application/x-www-form-urlencoded, found {media_type or 'none'}"[:200]
        )
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise BadRequest(f"The form cannot be read: {error}"[:200]) from error
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in value or "\0" in name:
            raise BadRequest("The form must not contain the null character.")
        found.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return found


def _converted(fields: dict[str, list[str]], form: type[Any]) -> Any:
    """Return the form as its type. A list takes all values of its name, other types take the last one.

    A field `values: dict[str, list[str]]` of the type takes every name that is none of the type's own. Raises Invalid.
    """
    known = {one.encode_name: one for one in msgspec.structs.fields(form)}
    given: JsonObject = {}
    rest: dict[str, list[str]] = {}
    for name, values in fields.items():
        if name in known and name != "values":
            given[name] = values if str(known[name].type).startswith(("list[", "typing.Annotated[list")) else values[-1]
        elif name not in (session.FIELD, _ONCE):
            rest[name] = values
    if "values" in known:
        given["values"] = rest
    try:
        return msgspec.convert(given, form, strict=False)
    except msgspec.ValidationError as error:
        raise bodies.invalid(error, form) from error


def see(address: str, *cookies: str) -> Answer:
    """Answer a form with the page to show next (303)."""
    return Answer(status=303, headers={"Location": address}, cookies=cookies)


def own_address(text: str | None, otherwise: str = "/") -> str:
    """Return an address of this desk that came with a request, else `otherwise`.

    A browser reads `//host` and `/\\host` as another host, and drops tabs and newlines.
    """
    if not text or not text.startswith("/") or text[1:2] in ("/", "\\") or not text.isprintable() or len(text) > 2_000:
        return otherwise
    return text
