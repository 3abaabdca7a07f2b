"""The dashes above a signature, and signatures of one line ("-- Ada")."""

from __future__ import annotations

import re

# `- --` stands in a PGP-signed text, which escapes dashes (RFC 9580 section 7.2).
_MARKS = frozenset(["--", "—", "―", "–", "——", "――", "- --", "-- --", "~~"])
_NAME_CHARS_MAX = 60
_NAME = re.compile(r"(?:-|(?:--|[–—―]{1,2})[ \t]?)(?:[^\W\d_a-z][\w.'’-]{0,30}(?: |$)){1,3}")


def is_signature_mark(line: str) -> bool:
    """Return True if the line is `--` or a long dash alone."""
    return line in _MARKS


def is_dashed_name(line: str) -> bool:
    """Return True if the line is a signature such as `-Ada`, `-- Ada Lovelace` or `— Ada`. `- Ada` is a list item."""
    return len(line) <= _NAME_CHARS_MAX and _NAME.fullmatch(line) is not None
