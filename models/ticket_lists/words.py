"""The filter of a ticket list as people write it: query parameters, saved views, and the operators of a search.

The three share these names, so a filter that works in one place works in all of them. `resolving` checks the words and
makes a TicketFilter of them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from models.kernel import limits, names
from models.kernel.text import CONTROL

# -- limits ------------------------------------------------------------------------------------------------------------
values_max: Final = 50  # of one filter; a longer list is a mistake, and each value costs a comparison a ticket
fields_max: Final = 10  # custom fields in one filter; none has an index

_END: Final = r"(?![\s\S])"
_DATE: Final = r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_INSTANT: Final = rf"{_DATE}[Tt]{_CLOCK}:[0-5][0-9](?:\.[0-9]{{1,6}})?(?:[Zz]|[+-]{_CLOCK})"
MOMENT_PATTERN: Final = rf"^(?:{_INSTANT}|now|-?[0-9]{{1,4}}[mhdw]){_END}"
EXPECTED_MOMENT: Final = "expected a time such as 2026-01-31T09:00:00Z, or relative to now: -2d (ago), 4h (ahead), now"
_HEX: Final = "[0-9a-f]"
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Category = Literal["todo", "waiting", "done", "closed"]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=names.word_chars_max, pattern=names.WORD_PATTERN)]
Words = Annotated[list[Word], msgspec.Meta(max_length=values_max)]
# A time, or a distance from now: `-2d` two days ago, `4h` in four hours; m, h, d and w are the units.
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": MOMENT_PATTERN})]
_PERSON_PATTERN: Final = rf"^(?:me|none|{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}){_END}"
# A user: `me`, `none`, or an id.
Person = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": _PERSON_PATTERN})]
_USER_PATTERN: Final = _PERSON_PATTERN.replace("|none", "")
Users = Annotated[
    list[Annotated[str, msgspec.Meta(extra_json_schema={"pattern": _USER_PATTERN})]],
    msgspec.Meta(max_length=values_max),
]
People = Annotated[list[Person], msgspec.Meta(max_length=values_max)]
Address = Annotated[
    str, msgspec.Meta(min_length=1, max_length=limits.email_address_chars_max, pattern=rf"^[^{CONTROL}]+{_END}")
]
FieldName = Annotated[str, msgspec.Meta(max_length=names.chars_max)]
FieldValue = Annotated[str, msgspec.Meta(max_length=200, pattern=rf"^[^{CONTROL}]*{_END}")]
FieldWords = Annotated[
    dict[FieldName, Annotated[list[FieldValue], msgspec.Meta(max_length=values_max)]],
    msgspec.Meta(max_length=fields_max),
]


class FilterWords(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The filters of a list of tickets. A ticket of the list meets all of them.

    Several values of one filter mean any of them, except `tag`, which wants all. `not_...` leaves tickets out. `team`
    takes `none` and `mine`, people are ids, `me` or `none`. Times are instants, or relative to now: `-2d`, `4h`.
    """

    state: Words = []
    not_state: Words = []
    category: list[Category] = []
    not_category: list[Category] = []
    type: Words = []
    not_type: Words = []
    priority: Words = []
    not_priority: Words = []
    channel: Words = []
    not_channel: Words = []
    account: Words = []
    not_account: Words = []
    workflow: Words = []
    not_workflow: Words = []
    team: Words = []
    not_team: Words = []
    tag: Words = []
    any_tag: Words = []
    not_tag: Words = []
    assignee: People = []
    not_assignee: People = []
    follower: Users = []
    mentioned: Users = []
    requester: Annotated[list[UUID], msgspec.Meta(max_length=values_max)] = []
    requester_address: Annotated[list[Address], msgspec.Meta(max_length=values_max)] = []
    organisation: Annotated[list[UUID], msgspec.Meta(max_length=values_max)] = []
    created_since: Moment | None = None
    created_until: Moment | None = None
    updated_since: Moment | None = None
    updated_until: Moment | None = None
    last_message_since: Moment | None = None
    last_message_until: Moment | None = None
    due_since: Moment | None = None
    due_until: Moment | None = None
    unanswered: bool | None = None
    assignee_away: bool | None = None
    failed: bool | None = None
    breached: bool | None = None
    has_file: bool | None = None
    unread: bool | None = None
    snoozed: Literal["no", "only", "any"] = "no"
    bin: Literal["no", "deleted", "spam", "any"] = "no"
    field: FieldWords = {}
    not_field: FieldWords = {}


def instant_of(moment: str, *, now: datetime) -> datetime | None:
    """Return the instant of a moment in UTC; None for a text that is none, or beyond the calendar."""
    if re.match(MOMENT_PATTERN, moment) is None:
        return None
    try:
        if moment == "now":
            return now
        if (unit := _UNITS.get(moment[-1])) is not None:
            return now + timedelta(**{unit: int(moment[:-1])})
        return datetime.fromisoformat(moment.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
