"""Kinds of text that requests carry, with bounds and patterns that the OpenAPI document tells too.

A line ends up in mail headers and lists, so it has no control character: a newline there would add a header of the caller's choice.
Patterns end with `(?![\\s\\S])` and not `$`, which in Python lets one newline through at the end.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from models.kernel import limits

_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_END = r"(?![\s\S])"
# Blanks, then one character that is not, then anything printable: each character fits one place only, so matching is linear.
_LINE = rf"^[^\S{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*{_END}"
_NOT_BLANK = r"\S"
_MAILBOX = rf"[^@\s<>,;\"{_CONTROL}]+"

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.ticket_title_chars_max, pattern=_LINE)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.name_chars_max, pattern=_LINE)]
Description = Annotated[str, msgspec.Meta(max_length=limits.ticket_description_chars_max)]
Comment = Description
Body = Annotated[
    str, msgspec.Meta(min_length=1, max_length=limits.message_body_chars_max, pattern=_NOT_BLANK)
]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=rf"^[a-z][a-z0-9_-]*{_END}")]
Email = Annotated[
    str,
    msgspec.Meta(
        min_length=3, max_length=limits.email_address_chars_max, pattern=rf"^{_MAILBOX}@{_MAILBOX}{_END}"
    ),
]
