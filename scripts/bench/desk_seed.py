"""Fill a desk with many tickets, as months of work leave them: by COPY, in batches that each commit.

    python -m scripts.bench.desk_seed postgresql://... 100000

A run that was stopped goes on with the batch that is missing. The texts are words of a vocabulary whose frequencies
follow Zipf's law, plus marked words that the rows of the benchmark search for. The batches depend on nothing but
their number, so every run seeds the same desk. Only the way in is unlike a real desk: no events, tasks or deliveries.
"""

from __future__ import annotations

import io
import itertools
import json
import random
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2

batch_tickets = 5_000
_MESSAGES = (1, 2, 2, 3, 3, 3, 4, 4, 5, 6.6)  # of ten tickets; 3.36 on average
_WORDS_OF_A_MESSAGE = (12, 90)
_VOCABULARY = 20_000
_END = datetime(2026, 11, 1, tzinfo=UTC)
_SPAN = timedelta(days=400)

# Words that no other text has, and the share of tickets that have them.
COMMON, RARE, MIDDLING = "printer", "zanzibar", "turbine"
_COMMON_SHARE, _MIDDLING_SHARE = 0.9, 0.03
_RARE_EVERY = 2_003  # tickets: 5 of 10,000
PHRASE, _PHRASE_SHARE = "paper jam", 0.004  # "paper" and "jam" alone stand in many more
_PHRASE_WORDS_SHARE = 0.2

_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "on", "us")]
_STATES = (
    ("new", "todo"),
    ("open", "todo"),
    ("waiting_on_requester", "waiting"),
    ("solved", "done"),
    *[("closed", "closed")] * 6,
)
_PRIORITIES = ("low", "normal", "normal", "normal", "high", "urgent")
_TYPES = ("question", "incident", "task")
_TAGS = ("vip", "billing", "hardware", "network", "login", "refund")


@dataclass(frozen=True, slots=True)
class Place:
    """The users, teams and life cycle of the desk to which the tickets refer."""

    users: Sequence[str]
    teams: Sequence[str]
    workflow: str
    version: int


@dataclass(slots=True)
class _Rows:
    """Rows of one batch, as COPY reads them."""

    requesters: list[tuple[Any, ...]] = field(default_factory=list)
    identities: list[tuple[Any, ...]] = field(default_factory=list)
    tickets: list[tuple[Any, ...]] = field(default_factory=list)
    messages: list[tuple[Any, ...]] = field(default_factory=list)


_COLUMNS = {
    "requesters": "id, name, created_at, updated_at",
    "identities": "id, requester_id, channel, address, created_at",
    "tickets": "id, number, title, type, priority, state, category, workflow, workflow_version, requester_id,"
    " assignee_id, team, channel, contact_channel, contact_address, fields, tags, message_count, created_at,"
    " updated_at, last_message_at, next_due_at",
    "messages": "id, ticket_id, sequence, direction, kind, author_kind, author_id, author_name, body, channel,"
    " external_id, attachments, created_at",
}


def seed(database_url: str, tickets: int) -> None:
    """Bring a desk to a number of seeded tickets, a multiple of the batch; what is there stays."""
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            place = _place(cursor)
            cursor.execute("SELECT count(*) FROM tickets WHERE number > %s", (_FIRST_NUMBER,))
            [(done,)] = cursor.fetchall()
        for batch in range(done // batch_tickets, tickets // batch_tickets):
            with connection, connection.cursor() as cursor:
                for table, rows in _filled(batch, place):
                    _copy(cursor, table, rows)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) tickets, messages, requesters, identities")
    finally:
        connection.close()


_FIRST_NUMBER = 10_000_000  # above those of the desk's own tickets


def _place(cursor: Any) -> Place:
    cursor.execute("SELECT id::text FROM users ORDER BY id")
    users = [row[0] for row in cursor.fetchall()]
    cursor.execute("SELECT name FROM teams ORDER BY name")
    teams = [row[0] for row in cursor.fetchall()]
    cursor.execute("SELECT max(version) FROM definitions WHERE kind = 'workflow' AND name = 'support'")
    [(version,)] = cursor.fetchall()
    return Place(users, teams, "support", version or 1)


def _filled(batch: int, place: Place) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    choose = random.Random(batch)  # noqa: S311 -- texts of a benchmark
    rows = _Rows()
    for index in range(batch * batch_tickets, (batch + 1) * batch_tickets):
        _ticket(index, choose, place, rows)
    for table in _COLUMNS:
        yield table, getattr(rows, table)


def _ticket(index: int, choose: random.Random, place: Place, rows: _Rows) -> None:
    number = _FIRST_NUMBER + 1 + index
    created = _END - _SPAN * choose.random()
    if index % 3 == 0 or not rows.requesters:
        requester, name = _id(choose), f"{_word(choose).title()} {_word(choose).title()}"
        address = f"{name.lower().replace(' ', '.')}.{index}@customer{index % 997}.example"
        rows.requesters.append((requester, name, created, created))
        rows.identities.append((_id(choose), requester, "email", address, created))
    requester, name = rows.requesters[-1][:2]
    address = rows.identities[-1][3]
    ticket, count = _id(choose), int(choose.choice(_MESSAGES) + choose.random())
    at = created
    for sequence in range(1, count + 1):
        inbound = sequence % 2 == 1
        author = ("requester", requester, name) if inbound else ("user", choose.choice(place.users), "Agent")
        kind = "note" if choose.random() < 0.1 and not inbound else "reply"
        body = _text(index, sequence, choose)
        external = f"<{choose.getrandbits(64):x}@customer{index % 997}.example>" if inbound else None
        direction = "inbound" if inbound else "internal" if kind == "note" else "outbound"
        at = min(_END, at + timedelta(minutes=choose.randrange(5, 2_000)))
        row = (_id(choose), ticket, sequence, direction, kind, *author, body, "email", external, "[]", at)
        rows.messages.append(row)
    state, category = choose.choice(_STATES)
    is_open = category in ("todo", "waiting")
    rows.tickets.append(
        (
            ticket,
            number,
            " ".join(_words(choose, 5)).capitalize(),
            choose.choice(_TYPES),
            choose.choice(_PRIORITIES),
            state,
            category,
            place.workflow,
            place.version,
            requester,
            choose.choice(place.users) if choose.random() < 0.8 else None,
            choose.choice(place.teams) if place.teams and choose.random() < 0.8 else None,
            "email",
            "email",
            address,
            json.dumps({"order": f"A-{index:06}"}),
            json.dumps(choose.sample(_TAGS, choose.choice((0, 0, 1, 1, 2)))),
            count,
            created,
            at,
            at,
            at + timedelta(hours=choose.randrange(1, 90)) if is_open else None,
        )
    )


def _text(index: int, sequence: int, choose: random.Random) -> str:
    found = _words(choose, choose.randrange(*_WORDS_OF_A_MESSAGE))
    if sequence == 1:
        if choose.random() < _COMMON_SHARE:
            found[len(found) // 2] = COMMON
        if choose.random() < _MIDDLING_SHARE:
            found[0] = MIDDLING
        if index % _RARE_EVERY == 0:
            found[-1] = RARE
        shared = choose.random()
        if shared < _PHRASE_SHARE:
            found[3:5] = PHRASE.split()
        elif shared < _PHRASE_WORDS_SHARE:
            found[3], found[-2] = reversed(PHRASE.split())
    return " ".join(found).capitalize() + "."


def _zipf(count: int) -> list[float]:
    return list(itertools.accumulate(1 / rank for rank in range(1, count + 1)))


_random = random.Random(0)  # noqa: S311 -- texts of a benchmark
_LEXICON = sorted({"".join(_random.choices(_SYLLABLES, k=_random.choice((2, 2, 3, 3, 4)))) for _ in range(_VOCABULARY)})
_random.shuffle(_LEXICON)
_WEIGHTS = _zipf(len(_LEXICON))


def _words(choose: random.Random, count: int) -> list[str]:
    return choose.choices(_LEXICON, cum_weights=_WEIGHTS, k=count)


def _word(choose: random.Random) -> str:
    return _words(choose, 1)[0]


def _id(choose: random.Random) -> str:
    return str(uuid.UUID(int=choose.getrandbits(128), version=4))


_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _copy(cursor: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    lines = ("\t".join("\\N" if one is None else str(one).translate(_ESCAPED) for one in row) for row in rows)
    cursor.copy_expert(f"COPY {table} ({_COLUMNS[table]}) FROM STDIN", io.StringIO("\n".join(lines) + "\n"))


if __name__ == "__main__":
    seed(sys.argv[1], int(sys.argv[2]))
