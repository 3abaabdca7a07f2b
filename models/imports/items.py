"""A record as a format read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.imports import form
from models.imports.problems import Problem


@dataclass(frozen=True, slots=True)
class Item:
    """One record with its place in the files, or the problems for which it cannot be read.

    `problems` of a record that could be read are parts that the format left out.
    """

    place: str
    record: form.AnyRecord | None
    problems: Sequence[Problem] = ()
