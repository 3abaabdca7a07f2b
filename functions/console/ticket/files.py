"""/t/{ticket}/files: upload a file for the next message."""

from __future__ import annotations

from functions.console.frame import session
from functions.console.frame.pages import Pages
from functions.console.ticket.finding import ticket_of
from functions.http import multipart
from functions.http.operations import Answer, Call, Idempotency
from models.attachments import commands as attachments
from models.attachments import queries
from models.identity.rules import Permission
from models.kernel import limits, settings
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.storage import database

pages = Pages()
operations = pages.operations


@operations.add(
    "POST",
    "/t/{ticket}/files",
    summary="Upload a file",
    needs=Permission.tickets_write,
    raw="multipart/form-data",
    unlocked=True,
    idempotency=Idempotency.handler,
    body_bytes_max=limits.upload_bytes_max,
    answers={200: dict[str, str]},
)
def upload(call: Call) -> Answer:
    """The form has one part, `file`; the token of the session is in the header X-Csrf, which a script sets.

    The file belongs to the uploader until a message uses it, and is deleted after a day otherwise.
    """
    session.check_form(call.request.get_header("X-Csrf"), call.caller.session_id, settings.current())
    with database.connection():
        ticket_of(call)
    claimed = call.request.content_type or ""
    if not multipart.is_form(claimed):
        raise Invalid([FieldProblem("file", "expected a form with a file")])
    with call.incoming.pieces(limits.upload_bytes_max, whole_s=limits.upload_s) as parts:
        file = multipart.file_of(claimed, parts, part="file")
        attachment_id = attachments.upload(
            file.pieces,
            filename=file.filename or "file",
            content_type=file.content_type,
            by=call.caller.key,
            content_id=None,
            key=None,
            fingerprint=lambda sha256: sha256,
        )
    with database.connection():
        row = queries.get(attachment_id)
    return Answer({"id": str(attachment_id), "filename": row["filename"]})
