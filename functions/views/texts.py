"""Types of texts in requests, with bounds and patterns that the OpenAPI document includes.

A line ends up in mail headers and lists, so it has no control character: a newline there would inject a header.
Patterns end with `(?![\\s\\S])` instead of `$`, which in Python accepts a newline at the end.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from functions.http.bodies import explain_pattern
from models.kernel import languages, limits, names
from models.kernel.text import CONTROL, UNSEEN

_CONTROL = CONTROL
_END = r"(?![\s\S])"
# Invisible characters, then a visible one, then anything but control characters: each character fits one place only, so
# matching is linear.
_LINE = rf"^(?:(?![{_CONTROL}])[{UNSEEN}])*[^{UNSEEN}{_CONTROL}][^{_CONTROL}]*{_END}"
explain_pattern(_LINE, "expected one line of text that is not blank and has no control characters")
LINE_OR_NONE = explain_pattern(rf"^[^{_CONTROL}]*{_END}", "expected one line of text without control characters")
LANGUAGE_TAG = explain_pattern(languages.PATTERN, "expected a language tag (BCP 47) such as en or pt-BR")
_HEX = "[0-9a-f]"
_PLAIN = "A-Za-z0-9-"
_ATOM = "A-Za-z0-9!#$%&'*+/=?^_`{|}~-"  # RFC 5322 section 3.2.3
_MAILBOX = rf"[^@\s<>,;\"{_CONTROL}]+"
_EMAIL = explain_pattern(rf"^{_MAILBOX}@{_MAILBOX}{_END}", "expected an e-mail address such as ada@example.test")

WORD_PATTERN = explain_pattern(
    names.WORD_PATTERN,
    "expected a word of lower-case letters, digits, - and _, beginning with a letter",
)

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.ticket_title_chars_max, pattern=_LINE)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.inbox_reason_chars_max, pattern=_LINE)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.name_chars_max, pattern=_LINE)]
_PRINTED = explain_pattern(rf"^[^\x00]*{_END}", "expected a text without the null character")
# The first message of a ticket may be as long as the text of a mail.
Description = Annotated[str, msgspec.Meta(max_length=limits.message_body_chars_max, pattern=_PRINTED)]
Comment = Annotated[str, msgspec.Meta(max_length=limits.comment_chars_max, pattern=_PRINTED)]
Body = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.message_body_chars_max)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=names.word_chars_max, pattern=WORD_PATTERN)]
Tags = Annotated[list[Word], msgspec.Meta(max_length=limits.tags_max)]
# RFC 3339; the format alone is but a remark to most readers of OpenAPI.
_DATE = r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
Instant = Annotated[
    datetime,
    msgspec.Meta(
        extra_json_schema={
            "format": "date-time",
            "pattern": rf"^{_DATE}[Tt]{_CLOCK}:[0-5][0-9](?:\.[0-9]{{1,6}})?(?:[Zz]|[+-]{_CLOCK}){_END}",
        }
    ),
]
# Told, not checked here: the rules of `identity` say it in better words.
UserEmail = Annotated[
    str,
    msgspec.Meta(
        max_length=limits.email_address_chars_max,
        extra_json_schema={"pattern": rf"^(?!.*\.\.)[.{_ATOM}]{{1,64}}@(?:[{_PLAIN}]+\.)+[{_PLAIN}]{{2,}}{_END}"},
    ),
]
Assignee = Annotated[
    str,
    msgspec.Meta(extra_json_schema={"pattern": rf"^(?:me|none|{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}){_END}"}),
]
Email = Annotated[
    str,
    msgspec.Meta(min_length=3, max_length=limits.email_address_chars_max, pattern=_EMAIL),
]
