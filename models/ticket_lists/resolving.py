"""Make a TicketFilter of the words that people write. Raises Invalid with the place of each wrong word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from models.identity.rules import normalise_email
from models.infomodel import published
from models.infomodel.values import hidden
from models.kernel import clock, names
from models.kernel.errors import FieldProblem, Invalid
from models.kernel.ids import parse_id
from models.teams import queries as teams
from models.ticket_lists import known
from models.ticket_lists.filters import FieldValues, Period, TicketFilter
from models.ticket_lists.words import EXPECTED_MOMENT, FilterWords, instant_of
from models.visibility.sight import Sight

_NOBODY: Final = UUID(int=0)  # the `me` of a caller that is no user; no ticket has it
# Kinds of fields whose values have no one text form.
_NOT_COMPARED: Final = ("money",)


def resolve(words: FilterWords, sight: Sight, *, place: str = "?") -> TicketFilter:
    """Return the filter of the words for a caller. `place`: the beginning of the places of errors. Raises Invalid."""
    return _Resolver(words, sight, place).resolve()


class _Resolver:
    def __init__(self, words: FilterWords, sight: Sight, place: str) -> None:
        self._words, self._sight, self._place = words, sight, place
        self._now = clock.now()
        self._problems: list[FieldProblem] = []

    def resolve(self) -> TicketFilter:
        words = self._words
        without = TicketFilter(
            states=self._known("state", words.not_state, "not_"),
            categories=words.not_category,
            types=self._known("type", words.not_type, "not_"),
            priorities=self._known("priority", words.not_priority, "not_"),
            channels=self._known("channel", words.not_channel, "not_"),
            accounts=self._known("account", words.not_account, "not_"),
            workflows=self._known("workflow", words.not_workflow, "not_"),
            teams=self._teams("not_team", words.not_team),
            any_tags=[names.folded(tag) for tag in words.not_tag],
            assignees=self._people("not_assignee", words.not_assignee),
            fields=self._fields("not_field", words.not_field),
        )
        found = TicketFilter(
            states=self._known("state", words.state),
            categories=words.category,
            types=self._known("type", words.type),
            priorities=self._known("priority", words.priority),
            channels=self._known("channel", words.channel),
            accounts=self._known("account", words.account),
            workflows=self._known("workflow", words.workflow),
            teams=self._teams("team", words.team),
            assignees=self._people("assignee", words.assignee),
            followers=self._users("follower", words.follower),
            mentioned=self._users("mentioned", words.mentioned),
            requesters=words.requester,
            addresses=[normalise_email(one) if "@" in one else one for one in words.requester_address],
            organisations=words.organisation,
            tags=[names.folded(tag) for tag in words.tag],
            any_tags=[names.folded(tag) for tag in words.any_tag],
            created=self._period("created", words.created_since, words.created_until),
            updated=self._period("updated", words.updated_since, words.updated_until),
            last_message=self._period("last_message", words.last_message_since, words.last_message_until),
            due=self._period("due", words.due_since, words.due_until),
            unanswered=words.unanswered,
            assignee_away=words.assignee_away,
            failed=words.failed,
            breached=words.breached,
            has_file=words.has_file,
            unread=words.unread,
            reader=None if words.unread is None else self._sight.user_id or _NOBODY,
            snoozed=words.snoozed,
            bin=words.bin,
            fields=self._fields("field", words.field),
            without=None if without == TicketFilter() else without,
        )
        if self._problems:
            raise Invalid(self._problems)
        return found

    def _known(self, name: str, values: Sequence[str], negation: str = "") -> Sequence[str]:
        self._problems += known.problems(f"{self._place}{negation}{name}", name, values)
        return values

    def _teams(self, name: str, values: Sequence[str]) -> Sequence[str | None]:
        """Teams by name; `mine` are the caller's, `none` tickets without a team."""
        if not values:
            return ()
        self._known("team", [value for value in values if value not in ("none", "mine")], name.removesuffix("team"))
        found: list[str | None] = [value for value in values if value not in ("none", "mine")]
        if "none" in values:
            found.append(None)
        if "mine" in values:
            user_id = self._sight.user_id
            # A member of no team has no ticket of their teams; no team has an empty name.
            found += (teams.of_user(user_id) if user_id is not None else ()) or ("",)
        return found

    def _people(self, name: str, values: Sequence[str]) -> Sequence[UUID | None]:
        return [None if value == "none" else self._user(name, value, "a user's id, me or none") for value in values]

    def _users(self, name: str, values: Sequence[str]) -> Sequence[UUID]:
        return [self._user(name, value, "a user's id or me") for value in values]

    def _user(self, name: str, value: str, expected: str) -> UUID:
        if value == "me":
            return self._sight.user_id or _NOBODY
        found = parse_id(value)
        if found is None:
            self._problems.append(FieldProblem(f"{self._place}{name}", f"expected {expected}"))
        return found or _NOBODY

    def _period(self, name: str, since: str | None, until: str | None) -> Period | None:
        if since is None and until is None:
            return None
        return Period(self._instant(f"{name}_since", since), self._instant(f"{name}_until", until))

    def _instant(self, name: str, moment: str | None) -> datetime | None:
        if moment is None:
            return None
        at = instant_of(moment, now=self._now)
        if at is None:
            self._problems.append(FieldProblem(f"{self._place}{name}", EXPECTED_MOMENT))
        return at

    def _fields(self, name: str, wanted: Mapping[str, Sequence[str]]) -> Sequence[FieldValues]:
        return list(self._each_field(name, wanted)) if wanted else ()

    def _each_field(self, name: str, wanted: Mapping[str, Sequence[str]]) -> Iterator[FieldValues]:
        types = published.all_types()
        role = self._sight.role
        hiding = {
            field: [one.name for one in types if field in hidden(one, role)]
            for field in {field for one in types for field in one.fields}
        }
        visible = sorted(
            field
            for field, hidden_in in hiding.items()
            if any(field in one.fields and one.name not in hidden_in for one in types)
        )
        for field, values in wanted.items():
            place = f"{self._place}{name}.{field}"
            if field not in visible:
                self._problems.append(FieldProblem(place[:80], known.expected(visible, field)))
            elif any(one.fields[field].kind in _NOT_COMPARED for one in types if field in one.fields):
                self._problems.append(FieldProblem(place, "expected a field of another kind; money has no one text"))
            elif values:
                yield FieldValues(field, values, hiding[field])
