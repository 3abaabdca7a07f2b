"""The types of expressions. DYN is checked at run time only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Simple:
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListType:
    of: Type

    def __str__(self) -> str:
        return f"list({self.of})"


@dataclass(frozen=True, slots=True)
class MapType:
    of: Type

    def __str__(self) -> str:
        return f"map({self.of})"


@dataclass(frozen=True)
class Record:
    """A map whose members are known by name; an `open` one may have others."""

    fields: Mapping[str, Type]
    open: bool = False

    def __str__(self) -> str:
        return "record"

    def __hash__(self) -> int:
        return hash(tuple(self.fields))


Type = Simple | ListType | MapType | Record

BOOL, INT, DOUBLE, STRING = Simple("bool"), Simple("int"), Simple("double"), Simple("string")
TIMESTAMP, DURATION, NULL, DYN = Simple("timestamp"), Simple("duration"), Simple("null"), Simple("dyn")
NUMBERS = (INT, DOUBLE)
