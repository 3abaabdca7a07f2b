"""CSV with a mapping file, which names the files, their columns, and how they write instants (RFC 4180).

A ticket's row can name its requester by address alone. Messages are rows of a file of their own, with the ticket's id;
without such a file, the ticket's `description` is its first message.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from models.imports import form, limits
from models.imports.bundles import Bundle
from models.imports.formats.mapping import CsvFile, Mapping
from models.imports.items import Item
from models.imports.problems import Problem, of_decoding, size
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.open_json import JsonObject
from models.ports import channel_facts

_ORDER = ("organisation", "requester", "ticket")
_INSTANTS = ("created_at", "updated_at", "solved_at", "closed_at")
_LISTS = ("tags", "domains", "followers")
_NUMBERS = ("number",)
# Members of a row that the reader turns into other members.
_TICKET_EXTRAS = ("description", "requester_email", "requester_name")


def read(bundle: Bundle, mapping: Mapping) -> Iterator[Item]:
    """Yield the records of the files that the mapping names. Raises Invalid for a mapping that does not fit."""
    if not mapping.csv:
        raise Invalid([FieldProblem("/mapping/csv", "expected at least one file")])
    messages: dict[str, list[JsonObject]] = defaultdict(list)
    for one in mapping.csv:
        if one.record == "message":
            for _, row in _rows(bundle, one):
                messages[str(row.get("ticket", ""))].append(row)
    seen: set[str] = set()
    for kind in _ORDER:
        for one in mapping.csv:
            if one.record == kind:
                for place, row in _rows(bundle, one):
                    yield from _items(place, kind, row, messages, seen, mapping)


def _rows(bundle: Bundle, file: CsvFile) -> Iterator[tuple[str, JsonObject]]:
    """Yield the place and the members of each row. Cells that are empty have no member."""
    zone = _zone(file)
    with bundle.open_file(file.file) as stream:
        if stream is None:
            raise Invalid([FieldProblem("/mapping/csv", f"expected the file {file.file!r} among those of the import")])
        encoding = "utf-8-sig" if file.encoding == "utf-8" else file.encoding
        with io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="") as text:
            reader = csv.DictReader(_bounded(text), delimiter=file.delimiter)
            _check_columns(file, reader.fieldnames or [])
            for row in reader:
                yield f"{file.file}:{reader.line_num}", _members(row, file, zone)


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield lines of bounded length; the csv module bounds the fields of a row (131,072 characters) itself."""
    csv.field_size_limit(limits.text_chars_max)
    while line := text.readline(limits.text_chars_max):
        yield line


def _check_columns(file: CsvFile, names: Sequence[str]) -> None:
    wanted = {*file.columns.values(), *file.fields.values()}
    if missing := sorted(wanted - set(names)):
        found = ", ".join(repr(name[:60]) for name in names)
        raise Invalid([FieldProblem("/mapping/csv", f"{file.file}: expected the column {missing[0]!r}, found {found}")])


def _zone(file: CsvFile) -> ZoneInfo:
    try:
        return ZoneInfo(file.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(
            [FieldProblem("/mapping/csv", f"zone: expected an IANA zone, found {file.zone[:60]!r}")]
        ) from error


def _members(row: dict[str, str | None], file: CsvFile, zone: ZoneInfo) -> JsonObject:
    found: JsonObject = {}
    for member, column in file.columns.items():
        cell = (row.get(column) or "").strip()
        if not cell:
            continue
        if member in _INSTANTS:
            found[member] = _instant(cell, file, zone)
        elif member in _LISTS:
            found[member] = [part.strip() for part in cell.split(file.separator) if part.strip()]
        elif member in _NUMBERS and cell.isdecimal():
            found[member] = int(cell)
        else:
            found[member] = cell
    fields = {name: cell for name, column in file.fields.items() if (cell := (row.get(column) or "").strip())}
    return found | ({"fields": fields} if fields else {})


def _parsed(cell: str, time_format: str | None) -> datetime:
    """Return the instant of a cell, or the local time that the cell names. Raises ValueError."""
    if time_format is None:
        return datetime.fromisoformat(cell)
    return datetime.strptime(cell, time_format)  # noqa: DTZ007 -- the zone of the file is added by the caller


def _instant(cell: str, file: CsvFile, zone: ZoneInfo) -> str:
    """Return the instant in RFC 3339; a cell that cannot be read stays, and the record's check refuses it."""
    try:
        at = _parsed(cell, file.time_format)
    except ValueError:
        return cell
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC).isoformat()


def _items(
    place: str, kind: str, row: JsonObject, messages: dict[str, list[JsonObject]], seen: set[str], mapping: Mapping
) -> Iterator[Item]:
    if kind == "requester":
        yield _item(place, {"kind": kind} | _with_address(row), mapping)
        return
    if kind == "ticket":
        if (address := row.get("requester_email")) is not None and "requester" not in row:
            person = {"id": f"mailto:{address.lower()}", "name": row.get("requester_name", address), "email": address}
            if person["id"] not in seen:
                seen.add(person["id"])
                yield _item(place, {"kind": "requester"} | _with_address(person), mapping)
            row = row | {"requester": person["id"]}
        row = row | {"messages": _messages(row, messages.get(str(row.get("id", "")), []))}
        row = {name: value for name, value in row.items() if name not in _TICKET_EXTRAS}
    yield _item(place, {"kind": kind} | row, mapping)


def _with_address(row: JsonObject) -> JsonObject:
    """Turn the columns `email` and `phone` into addresses."""
    found = {name: value for name, value in row.items() if name != "email"}
    if (email := row.get("email")) is not None:
        found["addresses"] = [{"channel": channel_facts.with_emails(), "address": email}]
    return found


def _messages(ticket: JsonObject, rows: list[JsonObject]) -> list[JsonObject]:
    """The messages of a ticket. An author with the requester's address, or without a kind, is the requester."""
    found = []
    if (description := ticket.get("description")) is not None:
        name = ticket.get("requester_name", "")
        author = {"kind": "requester", "id": ticket.get("requester"), "name": name}
        found.append(
            {"id": "description", "author": author, "created_at": ticket.get("created_at"), "body": description}
        )
    for number, row in enumerate(rows, 1):
        kind = row.get("author_kind", "requester")
        author = {"kind": kind, "name": row.get("author_name", row.get("author_email", ""))}
        if kind == "agent":
            author["email"] = row.get("author_email")
        elif kind == "requester":
            author["id"] = ticket.get("requester")
        known = {name: value for name, value in row.items() if name in ("body", "created_at", "kind", "external_id")}
        found.append({"id": row.get("id", str(number)), "author": author, "body": ""} | known)
    return found


def _item(place: str, values: JsonObject, mapping: Mapping) -> Item:
    try:
        return Item(place, mapping.applied(form.convert(values)))
    except msgspec.ValidationError as error:
        problem = of_decoding(error)
        member = problem.path.split("[")[0].split(".")[0]
        if isinstance(value := values.get(member), str):
            problem = Problem(problem.path, size(value), problem.expected)
        return Item(place, None, [problem])
