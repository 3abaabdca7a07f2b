"""/v1/attachments: upload files and get links to them; /files: the targets of the links."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import quote, unquote

import msgspec

from functions.gateway.sights import sight_of
from functions.http import idempotency, multipart, response_headers, streams
from functions.http.bodies import explain_pattern
from functions.http.operations import Answer, AnyCall, Call, Idempotency, Operations
from functions.views import message_views as views
from functions.views import pages
from functions.views import representations as show
from models import migrations
from models.attachments import commands, links, queries, rules, scans
from models.attachments.row_types import AttachmentRow
from models.blobs import commands as blobs
from models.identity.rules import Permission, Principal
from models.kernel import limits, settings
from models.kernel.errors import FieldProblem, Invalid, NotFound
from models.kernel.storage import database
from models.visibility import sight

operations = Operations()

_EXTENDED_NAME = re.compile(r"filename\*\s*=\s*(?:utf-8)?'[^']*'([^;\s]+)", re.IGNORECASE)
_QUOTED_NAME = re.compile(r'filename\s*=\s*"((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_BARE_NAME = re.compile(r"filename\s*=\s*([^;\"\s]+)", re.IGNORECASE)


CONTENT_ID = explain_pattern(
    r"^[A-Za-z0-9._@-]{1,100}(?![\s\S])", "expected letters, digits, dots, @, - and _, at most 100"
)


class UploadQuery(msgspec.Struct):
    """`filename` is used when Content-Disposition has no name.

    `content_id` lets the text embed a picture: in Markdown as `![](cid:...)`, in HTML as `<img src="cid:...">`.
    """

    content_id: Annotated[str, msgspec.Meta(pattern=CONTENT_ID)] | None = None
    filename: Annotated[str, msgspec.Meta(max_length=limits.attachment_name_chars_max)] | None = None


class LinkQuery(msgspec.Struct):
    """`inline` requests a link that displays a picture instead of downloading it.

    It applies to PNG, JPEG, GIF and WebP, detected by content, when files have an origin of their own.
    """

    inline: bool = False


@operations.add(
    "POST",
    "/v1/attachments",
    summary="Upload an attachment",
    needs=Permission.tickets_write,
    raw="*/*",
    unlocked=True,
    idempotency=Idempotency.handler,
    query=UploadQuery,
    body_bytes_max=limits.upload_bytes_max,
    answers={201: views.LinkedAttachment},
    problems=(413, 503),
)
def upload(call: Call[None, UploadQuery]) -> Answer:
    """The request body is the file, or a form (multipart/form-data) whose only part `file` is the file. Name the
    returned id in `attachments` of a message.

    Only the uploader can use it, in one message. An upload that no message uses is deleted after a day. Where a malware
    scanner is configured, a message with the upload is sent after the scanner releases it, and refused if it does not.
    A repeat with the same Idempotency-Key and the same file returns the first upload, with a new link.
    """
    claimed = call.request.content_type or rules.UNKNOWN
    name = call.query.filename or _disposition_name(call.request.get_header("Content-Disposition") or "")
    with call.incoming.pieces(limits.upload_bytes_max, whole_s=limits.upload_s) as parts:
        if multipart.is_form(claimed):
            file = multipart.file_of(claimed, parts, part="file")
            parts, claimed, name = file.pieces, file.content_type, call.query.filename or file.filename
        elif claimed.lower().startswith("multipart/"):
            raise Invalid([FieldProblem("/file", "expected the file itself or multipart/form-data as the body")])
        attachment_id = commands.upload(
            parts,
            filename=name or "file",
            content_type=claimed,
            by=call.caller.key,
            content_id=call.query.content_id,
            key=call.request.get_header("Idempotency-Key"),
            fingerprint=lambda sha256: idempotency.fingerprint(
                call, settings.current(), f"{claimed}\n{name}\n{sha256}"
            ),
        )
    with database.connection():
        row = queries.get(attachment_id)
    return Answer(_linked(row, inline=False), status=201, headers={"Location": f"/v1/attachments/{attachment_id}"})


def _disposition_name(header: str) -> str:
    """The name in a Content-Disposition (RFC 6266). The extended form takes precedence over the plain one."""
    header = header[: limits.header_value_chars_max * 2]
    if (match := _EXTENDED_NAME.search(header)) is not None:
        return unquote(match[1], errors="replace")
    if (match := _QUOTED_NAME.search(header)) is not None:
        return re.sub(r"\\(.)", r"\1", match[1])
    return match[1] if (match := _BARE_NAME.search(header)) is not None else ""


@operations.add(
    "GET",
    "/v1/attachments/{attachment}",
    summary="Get an attachment",
    needs=Permission.tickets_read,
    query=LinkQuery,
    answers={200: views.LinkedAttachment},
    problems=(404,),
)
def read_attachment(call: Call[None, LinkQuery]) -> Answer:
    """`url` is a signed link that needs no header and expires after five minutes. It is null while the malware scanner
    holds the file back (`scan`).
    """
    row = queries.get(pages.id_of(call.params["attachment"], "attachment"))
    if row["message_id"] is None and row["uploaded_by"] != _key(call.principal):
        raise NotFound(f"there is no attachment {row['id']}")
    sight.require(sight_of(call), row["ticket_id"], "attachment", row["id"])
    return Answer(_linked(row, inline=call.query.inline))


def _key(principal: Principal | None) -> str | None:
    return principal.key if principal is not None else None


def _linked(row: AttachmentRow, *, inline: bool) -> views.LinkedAttachment:
    config = settings.current()
    shown = inline and links.has_own_origin(config) and row["sniffed_type"] in rules.SHOWN_IN_PLACE
    given = row["object_key"] is not None and scans.is_released(row["scan"])
    url = links.url(row["id"], config, inline=shown) if given else None
    made: views.LinkedAttachment = show.copied(views.LinkedAttachment, {**row, "url": url})
    return made


@operations.add(
    "GET",
    "/files/{token}",
    summary="Download a file",
    public=True,
    unlocked=True,
    answers={200: bytes, 206: bytes},
    problems=(404, 503),
    media_type=rules.UNKNOWN,
)
def download(call: Call) -> Answer:
    """The signed link authorises the request.

    The response is a download, except for pictures on a separate origin for files.
    """
    config = settings.current()
    if not links.serves(call.request.netloc, config):
        raise NotFound("Files are not served on this host.")
    migrations.check_once()  # the first connection brings the database's clock, by which links expire
    link = links.read(call.params["token"], config)
    with database.connection():
        row = queries.get(link.attachment_id)
    if row["object_key"] is None or row["sniffed_type"] is None:
        raise NotFound("The content of this file was deleted.")
    if not scans.is_released(row["scan"]):
        raise NotFound(f"This file is held back: {scans.reason(row['scan'] or '', row['scan_detail'])}.")
    shown = link.inline and row["sniffed_type"] in rules.SHOWN_IN_PLACE
    kind = row["sniffed_type"] if shown else rules.served_type(row["content_type"], row["sniffed_type"])
    headers = {
        "Content-Disposition": _disposition("inline" if shown else "attachment", row["filename"]),
        "X-Content-Type-Options": "nosniff",
        **response_headers.for_file(shown=shown),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "bytes",
        "ETag": f'"{row["sha256"]}"',  # bytes under a hash never change, so a download that broke off can go on
    }
    if call.request.method == "HEAD":
        return Answer(headers=headers | {"Content-Length": str(row["size_bytes"])}, raw=b"", content_type=kind)
    start, length = _range(call, row)
    whole = length == row["size_bytes"]
    if not whole:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{row['size_bytes']}"
    file = blobs.open_key(row["object_key"])
    file.seek(start)
    stream = streams.FileStream(file, call.request, bytes_max=length)
    return Answer(status=200 if whole else 206, headers=headers, content_type=kind, stream=stream, stream_bytes=length)


def _range(call: AnyCall, row: AttachmentRow) -> tuple[int, int]:
    """The first byte and the number of bytes. A single range is honoured, any other ignored (RFC
    9110, section 14.2).
    """
    size: int = row["size_bytes"]
    match = _RANGE.fullmatch(call.request.get_header("Range") or "")
    same = call.request.get_header("If-Range") in (None, f'"{row["sha256"]}"')
    if match is None or not same or not size or match.groups() == ("", ""):
        return 0, size
    if match[1] == "":
        start, end = max(0, size - int(match[2])), size - 1
    else:
        start, end = int(match[1]), min(int(match[2] or size), size - 1)
    return (start, end - start + 1) if start <= end else (0, size)


def _disposition(kind: str, filename: str) -> str:
    """A Content-Disposition (RFC 6266) with an ASCII name for old clients and the full name in the form of RFC 8187."""
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", filename)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
