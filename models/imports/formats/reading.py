"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from models.imports.bundles import Bundle
from models.imports.formats import csv_files, mapping, ndjson, zendesk
from models.imports.items import Item
from models.kernel.errors import FieldProblem, Invalid

Read = Callable[[Bundle, mapping.Mapping], Iterator[Item]]
FORMATS: Final[Mapping[str, Read]] = {"nestor": ndjson.read, "csv": csv_files.read, "zendesk": zendesk.read}


def reader(name: str) -> Read:
    """Return the reader of a format. Raises Invalid."""
    found = FORMATS.get(name)
    if found is None:
        raise Invalid([FieldProblem("/format", f"expected one of {', '.join(FORMATS)}, found {name[:40]!r}")])
    return found
