"""The kinds of texts that a caller may search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scope:
    """`notes`: True if the caller reads notes. `fields`: names of searchable fields, each with the types whose models
    hide it from the caller.
    """

    notes: bool = True
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
