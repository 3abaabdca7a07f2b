"""The export of Zendesk: the objects of its public API and of its JSON export (tickets with their comments).

Files are recognised by their names: organizations*.json, users*.json, groups*.json, tickets*.json (or .ndjson, .jsonl).
A file is an answer of the API ({"tickets": [...]}), or has an object a line. Comments are in the ticket, in
comments/<ticket id>.json, or in comments*.json with a `ticket_id`. Files are attachments/<id>/<file name>.
Source: https://developer.zendesk.com/api-reference/ticketing/ (Tickets, Ticket Comments, Users, Organizations, Groups,
Ticket Attachments).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

import msgspec

from models.imports import form, limits
from models.imports.bundles import Bundle
from models.imports.formats import ndjson
from models.imports.formats.mapping import Mapping
from models.imports.formats.zendesk_tickets import People, ticket_of
from models.imports.items import Item
from models.imports.problems import Problem, of_decoding
from models.kernel.open_json import JsonObject
from models.ports import channel_facts

_SUFFIXES: Final = (".json", ".ndjson", ".jsonl")
# The words of Zendesk in the shipped life cycle `support` and type `question`; a mapping file overrides them.
_STATES: Final = {"pending": "waiting_on_requester", "hold": "open"}
_TYPES: Final = {"problem": "question", "incident": "question", "task": "question"}


def read(bundle: Bundle, mapping: Mapping) -> Iterator[Item]:
    """Yield the records of all files."""
    words = msgspec.structs.replace(mapping, states={**_STATES, **mapping.states}, types={**_TYPES, **mapping.types})
    for place, one in _objects(bundle, "organizations"):
        yield _item(place, one, words, _organisation, words)
    people = People({}, {}, {str(one.get("id")): str(one.get("name")) for _, one in _objects(bundle, "groups") if one})
    for place, one in _objects(bundle, "users"):
        if one is not None and one.get("role") in ("agent", "admin"):
            people.agents[str(one.get("id"))] = one
            if one.get("email"):
                yield _item(place, one, words, _user)
        else:
            if one is not None:
                people.others[str(one.get("id"))] = (str(one.get("name") or ""), str(one.get("email") or ""))
            yield _item(place, one, words, _requester, words)
    yield from _tickets(bundle, words, people)


def _tickets(bundle: Bundle, mapping: Mapping, people: People) -> Iterator[Item]:
    loose: dict[str, list[JsonObject]] = defaultdict(list)
    for _, one in _objects(bundle, "comments"):
        if one is not None and one.get("ticket_id") is not None:
            loose[str(one["ticket_id"])].append(one)
    asked: set[str] = set()
    for place, one in _objects(bundle, "tickets"):
        if one is None:
            yield _item(place, None, mapping, _user)
            continue
        ticket_id, requester_id = str(one.get("id")), str(one.get("requester_id"))
        # An agent who asked for help is a requester, too.
        if requester_id in people.agents and requester_id not in asked:
            asked.add(requester_id)
            agent = people.agents[requester_id]
            yield _item(place, agent, mapping, _requester, mapping)
        comments = one.get("comments") or loose.get(ticket_id) or _comments_of(bundle, ticket_id)
        notes: list[Problem] = []
        yield _item(place, one, mapping, ticket_of, comments, people, mapping, bundle, notes, notes=notes)


def _comments_of(bundle: Bundle, ticket_id: str) -> list[JsonObject]:
    name = f"comments/{ticket_id}.json"
    return [one for _, one in _of_file(bundle, name, "comments") if one is not None] if ticket_id.isdecimal() else []


def _objects(bundle: Bundle, key: str) -> Iterator[tuple[str, JsonObject | None]]:
    """Yield the place and the object of each record of a kind; None for a line that is no JSON."""
    for name in bundle.names():
        path = PurePosixPath(name)
        if path.name.startswith(key) and path.suffix in _SUFFIXES and path.parts[0] != "attachments":
            yield from _of_file(bundle, name, key)


def _of_file(bundle: Bundle, name: str, key: str) -> Iterator[tuple[str, JsonObject | None]]:
    if (size := bundle.size_of(name)) is None:
        return
    with bundle.open_file(name) as stream:
        assert stream is not None, "the file has a size"
        for number, line in ndjson.lines(stream):
            try:
                found = msgspec.json.decode(line or b"")
            except (msgspec.DecodeError, RecursionError):
                if number == 1 and size <= limits.document_bytes_max:
                    break  # a document of several lines
                yield f"{name}:{number}", None
                continue
            yield from _each(f"{name}:{number}", found, key)
        else:
            return
    with bundle.open_file(name) as stream:
        assert stream is not None, "the file has a size"
        try:
            found = msgspec.json.decode(stream.read())
        except (msgspec.DecodeError, RecursionError):
            yield name, None
            return
    yield from _each(name, found, key)


def _each(place: str, found: Any, key: str) -> Iterator[tuple[str, JsonObject | None]]:
    """Yield the objects of an answer of the API, of a list, or of a line."""
    if isinstance(found, dict) and isinstance(found.get(key), list) and "id" not in found:
        found = found[key]
    for index, one in enumerate(found) if isinstance(found, list) else [(None, found)]:
        yield f"{place}[{index}]" if index is not None else place, one if isinstance(one, dict) else None


def _item(
    place: str,
    one: JsonObject | None,
    mapping: Mapping,
    make: Callable[..., JsonObject],
    *more: Any,
    notes: Sequence[Problem] = (),
) -> Item:
    """Return the item of an object; `make` returns the record's members, of the object and `more`."""
    if one is None:
        return Item(place, None, [Problem("", "something else", "a JSON object")])
    try:
        return Item(place, mapping.applied(form.convert(make(one, *more))), notes)
    except msgspec.ValidationError as error:
        return Item(place, None, [of_decoding(error)])
    except (TypeError, AttributeError, ValueError, KeyError):
        return Item(place, None, [Problem("", "members of other types", "an object of Zendesk's API")])


def _organisation(one: JsonObject, mapping: Mapping) -> JsonObject:
    return {
        "kind": "organisation",
        "id": str(one["id"]) if "id" in one else "",
        "name": one.get("name"),
        "domains": one.get("domain_names") or [],
        "fields": _fields(one.get("organization_fields"), mapping),
        "created_at": one.get("created_at"),
        "updated_at": one.get("updated_at"),
    }


def _user(one: JsonObject) -> JsonObject:
    # Never an administrator: the file could make anybody one.
    return {
        "kind": "user",
        "id": one.get("email"),
        "name": one.get("name"),
        "role": "agent",
        "active": one.get("active") is not False and not one.get("suspended"),
    }


def _requester(one: JsonObject, mapping: Mapping) -> JsonObject:
    addresses = []
    if one.get("email"):
        suspended = {"blocked": "suspended in Zendesk"} if one.get("suspended") else {}
        addresses = [{"channel": channel_facts.with_emails(), "address": one["email"], **suspended}]
    organisation = one.get("organization_id")
    return {
        "kind": "requester",
        "id": str(one["id"]) if "id" in one else "",
        "name": one.get("name"),
        "addresses": addresses,
        "locale": one.get("locale"),
        "time_zone": one.get("iana_time_zone"),
        "organisation": None if organisation is None else str(organisation),
        "fields": _fields(one.get("user_fields"), mapping),
        "created_at": one.get("created_at"),
        "updated_at": one.get("updated_at"),
    }


def _fields(values: Any, mapping: Mapping) -> JsonObject:
    """The fields that the mapping names."""
    given = values if isinstance(values, dict) else {}
    return {
        mapping.fields[name]: value for name, value in given.items() if name in mapping.fields and value is not None
    }
