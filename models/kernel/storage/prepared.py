"""Statements that PostgreSQL parses and plans once for each connection (PREPARE and EXECUTE, PostgreSQL manual,
part VI).

Parsing and planning cost the server more than the execution of a look-up by key: 160 against 80 microseconds for an API
key, 590 against 430 for a ticket with its message, events and delivery. A statement is prepared at its second use on a
connection, in the message that executes it. So statements that run once cost nothing more.

A pooler in transaction mode gives each transaction another server connection, where the name is unknown. Such a pooler
tells the client a process id of its own, so `is_direct` finds it out, and the statements go out as texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from psycopg2.extensions import connection

statements_max = 100  # of a connection; the server keeps some 50 KB for a statement of many inserts
_PLACE = re.compile(r"%\((\w+)\)s")


class Prepared(str):
    """A statement that each connection may prepare. PostgreSQL finds the type of each parameter from its place: a
    column that it is compared with or stored in, or a CAST.
    """

    __slots__ = ()


class Connection(connection):
    """A connection that knows the statements which its server has prepared."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        # None: not known yet. False: a pooler stands between, or the server forgot a statement.
        self.is_direct: bool | None = None
        self._messages: dict[str, str] = {}
        self._used_once: set[str] = set()
        self._given = 0

    def message(self, text: str) -> tuple[str, str | None]:
        """Return the message that executes a translated statement, and the message of its next use once this one has
        succeeded (None: no change).
        """
        known = self._messages.get(text)
        if known is not None:
            return known, None
        if not self.is_direct or self._given >= statements_max:
            return text, None
        if text not in self._used_once:
            self._used_once.add(text)
            return text, None
        # PREPARE survives a rollback, also when the EXECUTE behind it fails. So no name is given twice.
        self._given += 1
        prepare, arguments = _split(text)
        execute = f"EXECUTE s{self._given}{arguments}"
        return f"PREPARE s{self._given} AS {prepare};{execute}", execute

    def remember(self, text: str, message: str) -> None:
        """Use `message` for the statement from now on: the server has prepared it."""
        self._messages[text] = message
        self._used_once.discard(text)

    def forget(self) -> bool:
        """Send texts from now on; return True if there were prepared statements."""
        had = bool(self._messages)
        self.is_direct = False
        self._messages.clear()
        return had


@lru_cache(maxsize=512)
def _split(text: str) -> tuple[str, str]:
    """Return the statement with `$1` ... for its parameters, and the arguments of EXECUTE."""
    places: Mapping[str, int] = {name: n for n, name in enumerate(dict.fromkeys(_PLACE.findall(text)), start=1)}
    arguments = ", ".join(f"%({name})s" for name in places)
    return _PLACE.sub(lambda found: f"${places[found[1]]}", text), f" ({arguments})" if arguments else ""
