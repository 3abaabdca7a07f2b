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
    of several people, and the erasure removes the person's part only.
    """

    treatment: Treatment
    reason: str
    blank: Any = None
    shown: bool = False
    partly: bool = False

    @property
    def is_erased(self) -> bool:
        return self.treatment in (Treatment.exported, Treatment.erased)

    @property
    def is_exported(self) -> bool:
        return self.treatment is Treatment.exported or self.shown


def exported(reason: str, *, blank: Any = None, partly: bool = False) -> Column:
    """The person's data: the export has it, the erasure removes it."""
    return Column(Treatment.exported, reason, blank, partly=partly)


def erased(reason: str, *, blank: Any = None, partly: bool = False) -> Column:
    """Personal, but nothing that the person could use: the erasure removes it, the export leaves it out."""
    return Column(Treatment.erased, reason, blank, partly=partly)


def kept(reason: str) -> Column:
    """Stays after an erasure, for this reason."""
    return Column(Treatment.kept, reason)


def impersonal(reason: str) -> Column:
    """Cannot hold a person's data, for this reason."""
    return Column(Treatment.impersonal, reason)


WORD: Final = Column(Treatment.impersonal, "a word of a closed list", shown=True)
NAME: Final = Column(Treatment.impersonal, "a name that the desk's configuration gives", shown=True)
HASH: Final = impersonal("a hash, a random token or an id")
STAFF: Final = kept("data of a user of the desk, who is no requester")
DESK: Final = kept("the staff's words about the desk itself")
