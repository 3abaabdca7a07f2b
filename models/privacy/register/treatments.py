"""The entries of the register: how the export and the erasure treat a column."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Treatment(StrEnum):
    """The four ways to treat a column."""

    exported = "exported and erased"
    erased = "erased"
    kept = "kept"
    impersonal = "holds no personal data"


@dataclass(frozen=True, slots=True)
class Column:
    """The entry of one column.

    `blank` replaces an erased value where the column's type does not decide it (JSON). `shown`: the export has the
    column although it holds no personal data, because a reader needs it to understand the row. `partly`: the value is
    of several people, and the erasure removes the person's part only. `without_addresses`: the value stays, and the
    erasure replaces the person's addresses inside (models/privacy/desk_texts.py).
    """

    treatment: Treatment
    reason: str
    blank: Any = None
    shown: bool = False
    partly: bool = False
    without_addresses: bool = False

    @property
    def is_erased(self) -> bool:
        return self.treatment in (Treatment.exported, Treatment.erased)

    @property
    def is_exported(self) -> bool:
        return self.treatment is Treatment.exported or self.shown


def exported(reason: str, *, blank: Any = None, partly: bool = False) -> Column:
    """The person's data: the export has it, the erasure removes it."""
    return Column(Treatment.exported, reason, blank, partly=partly)


def erased(reason: str, *, blank: Any = None, partly: bool = False, without_addresses: bool = False) -> Column:
    """Personal, but nothing that the person could use: the erasure removes it, the export leaves it out.

    `without_addresses`: rows that are not the person's lose the person's addresses.
    """
    return Column(Treatment.erased, reason, blank, partly=partly, without_addresses=without_addresses)


def kept(reason: str) -> Column:
    """Stays after an erasure, for this reason."""
    return Column(Treatment.kept, reason)


def kept_without_addresses(reason: str) -> Column:
    """Stays after an erasure, for this reason, without the person's addresses."""
    return Column(Treatment.kept, reason, without_addresses=True)


def impersonal(reason: str) -> Column:
    """Cannot hold a person's data, for this reason."""
    return Column(Treatment.impersonal, reason)


WORD: Final = Column(Treatment.impersonal, "a word of a closed list", shown=True)
NAME: Final = Column(Treatment.impersonal, "a name that the desk's configuration gives", shown=True)
HASH: Final = impersonal("a hash, a random token or an id")
STAFF: Final = kept("data of a user of the desk, who is no requester")
DESK_WITHOUT_ADDRESSES: Final = kept_without_addresses("the staff's words, which can name an address of a requester")
DESK: Final = kept("the staff's words about the desk itself")
