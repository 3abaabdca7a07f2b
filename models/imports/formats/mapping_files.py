"""Mapping files in YAML. The gateway and the workers get a mapping as JSON, so only the command loads YAML."""

from __future__ import annotations

from models.definitions import files
from models.imports import limits
from models.imports.formats import mapping
from models.imports.formats.mapping import Mapping
from models.kernel.errors import FieldProblem, Invalid


def read(text: bytes, name: str) -> Mapping:
    """Return a mapping file in YAML. Raises Invalid with the place of the mistake."""
    if len(text) > limits.mapping_bytes_max:
        raise Invalid([FieldProblem("/mapping", f"expected at most {limits.mapping_bytes_max} bytes")])
    try:
        document = files.loads(text.decode(), name)
    except UnicodeDecodeError as error:
        raise Invalid([FieldProblem("/mapping", "expected a text in UTF-8")]) from error
    return mapping.convert(document.body)
