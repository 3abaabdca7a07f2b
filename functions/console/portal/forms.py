"""The forms of visitors: text and files (multipart/form-data), the token of the session, one effect per form.

Files are stored while they are read. The token stands before the files, so nobody without it stores one. A form that is
refused keeps its files: the next form names them in `upload`, and only the same visitor can use them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from itertools import chain
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from functions.console.frame import session
from functions.console.portal import visits
from functions.http import idempotency, multipart
from functions.http.operations import Answer, AnyCall, Idempotency, Operations
from models import migrations
from models.attachments import commands as attachments
from models.idempotency import commands as kept
from models.kernel import limits, settings
from models.kernel.errors import BadRequest, Conflict, Invalid, TooLarge, TooManyRequests, Unauthenticated
from models.kernel.ids import parse_id
from models.kernel.settings import Settings
from models.kernel.storage import database
from models.portal import acts
from models.portal.sign_in import Visitor

# -- limits ------------------------------------------------------------------------------------------------------------
_PARTS_MAX: Final = 500  # the fields of a ticket type, each with its choices
_TEXT_BYTES_MAX: Final = 512 * 1024  # a long message in a script of four bytes a character
_ONCE: Final = "once"
_URLENCODED: Final = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Form:
    """The values of a form by name, and the ids of its files."""

    values: dict[str, list[str]] = field(default_factory=dict)
    uploads: list[UUID] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return the last value of a name, or an empty text."""
        return self.values.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """Return all values of a name."""
        return self.values.get(name, [])


Handler = Callable[[Any, Visitor, Form], Answer]
Again = Callable[[AnyCall, Visitor, Form, Exception], Answer]


def post(
    operations: Operations, path: str, summary: str, *, again: Again | None = None
) -> Callable[[Handler], Handler]:
    """Declare a form of visitors. It runs in one transaction.

    `again` answers a refused form (Invalid, Conflict, TooManyRequests) with the page that keeps what was typed.
    """

    def register(handler: Handler) -> Handler:
        @wraps(handler)
        def receive(call: AnyCall) -> Answer:
            config = settings.current()
            session.check_origin(call.request, config)
            with database.connection():
                migrations.check_once()
                try:
                    visitor = visits.visitor_of(call)
                except Unauthenticated:
                    return visits.ended(call)
            call.incoming.known = True
            form = _read(call, visitor, config)
            try:
                with database.connection(), database.transaction():
                    return _once(call, visitor, form, handler, config)
            except (Invalid, Conflict, TooManyRequests) as error:
                if again is None:
                    raise
                with database.connection():
                    return again(call, visitor, form, error)

        operations.add(
            "POST",
            path,
            summary=summary,
            answers={303: None},
            public=True,
            unlocked=True,
            raw="multipart/form-data",
            body_bytes_max=limits.upload_bytes_max,
            idempotency=Idempotency.handler,
        )(receive)
        return handler

    return register


def _once(call: AnyCall, visitor: Visitor, form: Form, handler: Handler, config: Settings) -> Answer:
    """Run the handler, or return the stored answer of the same form. A refused form is not stored."""
    once = form.text(_ONCE)
    if not once:
        return handler(call, visitor, form)
    content = "&".join(
        f"{name}={value}"
        for name in sorted(form.values)
        for value in form.values[name]
        if name not in (session.FIELD, "upload")
    )
    key = f"{call.request.path[:120]}:{once[:64]}"
    stored = kept.take(visitor.key, key, request_hash=idempotency.fingerprint(call, config, content))
    if stored is not None:
        return Answer(status=stored.status, headers=stored.headers)
    answer = handler(call, visitor, form)
    kept.store(visitor.key, key, kept.StoredAnswer(answer.status, dict(answer.headers), ""))
    return answer


def _read(call: AnyCall, visitor: Visitor, config: Settings) -> Form:
    """Read the form. Raises BadRequest, TooLarge, ForeignForm."""
    media_type = call.request.content_type or ""
    form = Form()
    if multipart.is_form(media_type):
        with call.incoming.pieces(limits.upload_bytes_max, whole_s=limits.upload_s) as body:
            for number, part in enumerate(multipart.parts_of(media_type, body)):
                if number >= _PARTS_MAX:
                    raise BadRequest(f"The form has more than {_PARTS_MAX} parts.")
                if part.filename is None:
                    _add(form, part.name, _text(part.pieces))
                else:
                    session.check_form(form.text(session.FIELD), visitor.session_id, config)
                    _keep(form, visitor, part)
    else:
        with call.incoming.body(_TEXT_BYTES_MAX) as raw:
            for name, value in _pairs(media_type, raw):
                _add(form, name, value)
    session.check_form(form.text(session.FIELD), visitor.session_id, config)
    earlier = [one for text in form.all("upload") if (one := parse_id(text)) is not None]
    form.uploads = [*earlier, *form.uploads][: limits.attachments_per_message_max]
    return form


def _pairs(media_type: str, raw: bytes) -> list[tuple[str, str]]:
    if raw and media_type.partition(";")[0].strip().lower() != _URLENCODED:
        raise BadRequest("Content-Type: expected multipart/form-data or application/x-www-form-urlencoded")
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_PARTS_MAX, errors="strict")
    except ValueError as error:
        raise BadRequest(f"The form cannot be read: {error}"[:200]) from error


def _add(form: Form, name: str, value: str) -> None:
    if "\0" in name or "\0" in value:
        raise BadRequest("The form must not contain the null character.")
    form.values.setdefault(name, []).append(value.replace("\r\n", "\n"))


def _text(pieces: Iterator[bytes]) -> str:
    read = b""
    for piece in pieces:
        read += piece
        if len(read) > _TEXT_BYTES_MAX:
            raise TooLarge(f"A text of the form is larger than {_TEXT_BYTES_MAX} bytes.")
    try:
        return read.decode()
    except ValueError as error:
        raise BadRequest("The form must be in UTF-8.") from error


def _keep(form: Form, visitor: Visitor, part: multipart.FormPart) -> None:
    """Store a file. A field without a chosen file is an empty part (HTML Standard, section 4.10.22.4)."""
    first = next(part.pieces, b"")
    if not first:
        return
    with database.connection(), database.transaction():
        acts.take_upload(visitor)
    made = attachments.upload(
        chain([first], part.pieces),
        filename=part.filename or "file",
        content_type=part.content_type,
        by=visitor.key,
    )
    form.uploads.append(made)


def of_query(call: AnyCall) -> Form:
    """Return the values in the address of a page. Raises BadRequest."""
    form = Form()
    for name, value in _pairs(_URLENCODED, call.request.query_string.encode()):
        _add(form, name, value)
    return form


def problems_of(error: Exception) -> Mapping[str, str]:
    """Return the problems of a refused form by the path of their field."""
    return {one.path: one.message for one in error.problems} if isinstance(error, Invalid) else {}
