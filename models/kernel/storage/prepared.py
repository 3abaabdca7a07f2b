"""Statements that PostgreSQL parses and plans once for each connection (PREPARE and EXECUTE, PostgreSQL manual,
part VI).

Parsing and planning cost the server more than the execution of a look-up by key: 160 against 80 microseconds for an API
key, 590 against 430 for a ticket with its message, events and delivery. A statement is prepared at its second use on a
connection, in the message that executes it. So statements that run once cost nothing more.

A pooler in transaction mode gives each transaction another server connection, where the name is unknown. Such a pooler
tells the client a process id of its own, so `is_direct` finds it out, and the statements go out as texts. If a pooler
hides itself, the random names make its mistake an error: no server connection has another client's statement under the
same name.

A server can forget its statements (DISCARD ALL), and a migration can make one impossible. The connection forgets them
as well and prepares them again, a few times; then it sends texts.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from psycopg2.extensions import connection

statements_max = 100  # of a connection; the server keeps some 50 KB for a statement of many inserts
forgotten_max = 3  # times that a connection prepares again; a server that forgets more often is behind a pooler
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
        # None: not known yet. False: a pooler stands between, or the server forgot statements several times.
        self.is_direct: bool | None = None
        # The changes of tables that the process knew when the statements were prepared.
        self.plans_epoch = 0
        self._messages: dict[str, str] = {}
        self._used_once: set[str] = set()
        self._given = 0
        self._times_forgotten = 0
        self._prefix = _random_prefix()
        self._has_old_statements = False

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
        name = f"{self._prefix}{self._given}"
        execute = f"EXECUTE {name}{arguments}"
        return f"PREPARE {name} AS {prepare};{execute}", execute

    def clean_up(self) -> str:
        """Return the statement to send first: it frees the server's memory of forgotten statements."""
        needed, self._has_old_statements = self._has_old_statements, False
        return "DEALLOCATE ALL;" if needed else ""

    def remember(self, text: str, message: str) -> None:
        """Use `message` for the statement from now on: the server has prepared it."""
        self._messages[text] = message
        self._used_once.discard(text)

    def forget(self) -> None:
        """Prepare the statements again at their next use, under other names; send texts after the last time."""
        self._times_forgotten += 1
        if self._times_forgotten > forgotten_max:
            self.is_direct = False
        self._has_old_statements = bool(self.is_direct)
        # Each was used already, so the next use prepares it.
        self._used_once.update(self._messages)
        self._messages.clear()
        self._given = 0
        self._prefix = _random_prefix()


def _random_prefix() -> str:
    return f"nestor_{secrets.token_hex(8)}_"


@lru_cache(maxsize=512)
def _split(text: str) -> tuple[str, str]:
    """Return the statement with `$1` ... for its parameters, and the arguments of EXECUTE."""
    places: Mapping[str, int] = {name: n for n, name in enumerate(dict.fromkeys(_PLACE.findall(text)), start=1)}
    arguments = ", ".join(f"%({name})s" for name in places)
    return _PLACE.sub(lambda found: f"${places[found[1]]}", text), f" ({arguments})" if arguments else ""


_WRITES_OR_LOCKS = re.compile(
    r"\bFOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|SHARE|KEY\s+SHARE)\b|\b(?:pg_\w*advisory\w*|nextval|setval|set_config|pg_notify)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=1024)
def is_read(text: str) -> bool:
    """Return True for a SELECT that writes nothing and locks no row, so that a repeat in another transaction is the
    same.
    """
    return text.lstrip()[:6].upper() == "SELECT" and _WRITES_OR_LOCKS.search(text) is None
