"""The own form: files *.ndjson (or *.jsonl) with one record a line, in the order of their names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from models.imports import form, limits
from models.imports.bundles import Bundle
from models.imports.formats.mapping import Mapping
from models.imports.items import Item
from models.imports.problems import Problem, of_decoding


def read(bundle: Bundle, mapping: Mapping) -> Iterator[Item]:
    """Yield the records of all files."""
    for name in bundle.names():
        if not name.endswith((".ndjson", ".jsonl")):
            continue
        with bundle.open_file(name) as stream:
            if stream is not None:
                for number, line in lines(stream):
                    yield _item(f"{name}:{number}", line, mapping)


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield the numbers and the bytes of the lines that are not empty; None for a line over the bound."""
    number = 0
    while line := stream.readline(limits.line_bytes_max + 1):
        number += 1
        if len(line) > limits.line_bytes_max and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(limits.line_bytes_max)
            yield number, None
        elif line.strip():
            yield number, line


def _item(place: str, line: bytes | None, mapping: Mapping) -> Item:
    if line is None:
        return Item(place, None, [Problem("", "a longer line", f"a line of at most {limits.line_bytes_max} bytes")])
    try:
        return Item(place, mapping.applied(form.decode(line)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = of_decoding(error) if isinstance(error, msgspec.DecodeError) else Problem("", "other bytes", "UTF-8")
        return Item(place, None, [problem])
