"""Read the files of a form (multipart/form-data, RFC 7578) piece by piece, without holding them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import falcon
from falcon.media.multipart import BodyPart, MultipartForm, MultipartParseError, MultipartParseOptions
from falcon.util import BufferedReader

from models.kernel import limits
from models.kernel.errors import BadRequest, FieldProblem, Invalid

_piece_bytes = 64 * 1024
# The headers of a part: a file name and a media type.
_part_headers_bytes_max = 8 * 1024


@dataclass(frozen=True, slots=True)
class FormFile:
    """The file of a form. `pieces` must be read to its end, which checks that the form is complete."""

    filename: str
    content_type: str
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class FormPart:
    """A part of a form. `filename` is None for a part that is no file. `pieces` must be read before the next part."""

    name: str
    filename: str | None
    content_type: str
    pieces: Iterator[bytes]


def is_form(content_type: str) -> bool:
    """Return True for the media type of a form with files."""
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def file_of(content_type: str, body: Iterator[bytes], *, part: str) -> FormFile:
    """Return the file of a form whose only part has the name `part`.

    Raises Invalid for another part or none, BadRequest for a malformed form; so does the reading of `pieces`.
    """
    parts = _parts(content_type, body)
    with _as_bad_request():
        first = next(parts, None)
    if first is None:
        raise Invalid([FieldProblem(f"/{part}", "expected one part with a file, found none")])
    _check_name(first, part)
    return FormFile(first.filename or "", first.content_type, _pieces(first, parts, part))


def parts_of(content_type: str, body: Iterator[bytes]) -> Iterator[FormPart]:
    """Return the parts of a form in their order. Raises BadRequest for a malformed form, also while pieces are read."""
    parts = _parts(content_type, body)
    while True:
        with _as_bad_request():
            part = next(parts, None)
        if part is None:
            return
        yield FormPart(part.name or "", part.filename, part.content_type, _pieces_of(part))


def _pieces_of(part: BodyPart) -> Iterator[bytes]:
    with _as_bad_request():
        while piece := part.stream.read(_piece_bytes):
            yield piece


def _parts(content_type: str, body: Iterator[bytes]) -> Iterator[BodyPart]:
    _, options = falcon.parse_header(content_type)
    boundary = options.get("boundary", "")
    # RFC 2046, section 5.1.1.
    if not 1 <= len(boundary) <= 70 or not boundary.isascii():
        raise BadRequest("Content-Type: expected a boundary of 1 to 70 ASCII characters")
    settings = MultipartParseOptions()
    settings.max_body_part_headers_size = _part_headers_bytes_max
    reader = BufferedReader(_Source(body).read, limits.upload_bytes_max + _part_headers_bytes_max + _piece_bytes)
    return iter(MultipartForm(reader, boundary.encode(), None, settings))


class _Source:
    """A file-like reader of the pieces of a body."""

    def __init__(self, body: Iterator[bytes]) -> None:
        self._body, self._rest = body, b""

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = next(self._body, b"")
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def _pieces(file: BodyPart, parts: Iterator[BodyPart], name: str) -> Iterator[bytes]:
    yield from _pieces_of(file)
    with _as_bad_request():
        for other in parts:
            found = other.name or ""
            raise Invalid([FieldProblem(f"/{found[:80]}", f"expected one part, {name}, found another one")])


def _check_name(part: BodyPart, expected: str) -> None:
    if part.name != expected:
        found = (part.name or "")[:80]
        raise Invalid([FieldProblem(f"/{found}", f"expected a part with the name {expected}, found {found!r}")])


@contextmanager
def _as_bad_request() -> Iterator[None]:
    """Turn an error of the parser into one of the caller."""
    try:
        yield
    except MultipartParseError as error:
        raise BadRequest(f"The form is malformed: {error.description}.") from error
