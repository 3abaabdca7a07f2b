"""The filters of a list, each with its negation, on both engines; and the errors of wrong words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from models.deliveries import corrections
from models.infomodel import published
from models.kernel import clock
from models.kernel.errors import Invalid
from models.kernel.storage import database
from models.ticket_actions import answering, commands, following, tagging
from models.ticket_lists.page import page
from models.ticket_lists.resolving import resolve
from models.ticket_lists.words import FilterWords, instant_of
from models.visibility.sight import DESK, Sight
from tests.desk import Desk


def found(desk: Desk, sight: Sight = DESK, **words: Any) -> set[str]:
    """The titles of the tickets that a filter finds."""
    with database.connection():
        wanted = resolve(FilterWords(**words), sight)
        return {ticket.title for ticket in page(wanted, sort="number", after=None, limit=100, sight=DESK)}


def mine(desk: Desk) -> Sight:
    """The sight of the seeded agent."""
    return Sight(UUID(str(desk.person().id)), "agent", sees_all=True)


def test_words_are_any_of_and_their_negation_is_none_of(desk: Desk) -> None:
    desk.create_ticket("Printer", type="incident", priority="urgent")
    desk.create_ticket("Fax", priority="low", team="it")
    solved = desk.create_ticket("Phone")
    desk.transition(solved, "resolve")
    everything = {"Printer", "Fax", "Phone"}

    cases: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({}, everything),
        ({"type": ["incident"]}, {"Printer"}),
        ({"not_type": ["incident"]}, {"Fax", "Phone"}),
        ({"priority": ["urgent", "low"]}, {"Printer", "Fax"}),
        ({"not_priority": ["urgent", "low"]}, {"Phone"}),
        ({"category": ["done"]}, {"Phone"}),
        ({"not_category": ["done"]}, {"Printer", "Fax"}),
        ({"state": ["solved"]}, {"Phone"}),
        ({"not_state": ["solved"]}, {"Printer", "Fax"}),
        ({"workflow": ["incident"]}, {"Printer"}),
        ({"not_workflow": ["incident"]}, {"Fax", "Phone"}),
        ({"channel": ["api"]}, everything),
        ({"not_channel": ["api"]}, set()),
        ({"team": ["it"]}, {"Fax"}),
        ({"team": ["it", "oncall"]}, {"Fax", "Printer"}),
        ({"team": ["none"]}, {"Phone"}),
        ({"team": ["it", "none"]}, {"Fax", "Phone"}),
        ({"team": ["mine"]}, set()),
        ({"not_team": ["it"]}, {"Printer", "Phone"}),
        ({"not_team": ["none"]}, {"Fax", "Printer"}),
        ({"not_account": ["demo"]}, everything),
        ({"type": ["incident"], "not_priority": ["urgent"]}, set()),
    )
    for words, expected in cases:
        assert found(desk, **words) == expected, words


def test_people_are_ids_me_or_nobody(desk: Desk) -> None:
    me, sight = desk.person(), mine(desk)
    own = desk.create_ticket("Own")
    desk.create_ticket("Free")
    with database.transaction():
        commands.assign(own.id, sight.user_id, actor=me)
    followed = desk.create_ticket("Followed")
    desk.command(following.follow, followed.id, sight.user_id, actor=me)

    cases: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({"assignee": ["me"]}, {"Own"}),
        ({"assignee": [me.id]}, {"Own"}),
        ({"assignee": ["none"]}, {"Free", "Followed"}),
        ({"assignee": ["me", "none"]}, {"Own", "Free", "Followed"}),
        ({"not_assignee": ["me"]}, {"Free", "Followed"}),
        ({"not_assignee": ["none"]}, {"Own"}),
        ({"follower": ["me"]}, {"Followed"}),
        ({"mentioned": ["me"]}, set()),
    )
    for words, expected in cases:
        assert found(desk, sight, **words) == expected, words
    assert found(desk, DESK, assignee=["me"]) == set()


def test_tags_are_all_any_or_none_of(desk: Desk) -> None:
    both = desk.create_ticket("Both")
    one = desk.create_ticket("One")
    desk.create_ticket("None")
    for ticket, tags in ((both, ("vip", "printer")), (one, ("vip",))):
        for tag in tags:
            desk.command(tagging.add, ticket.id, tag, actor=desk.person(), role="agent")

    assert found(desk, tag=["vip", "printer"]) == {"Both"}
    assert found(desk, any_tag=["vip", "printer"]) == {"Both", "One"}
    assert found(desk, not_tag=["printer"]) == {"One", "None"}
    assert found(desk, tag=["VIP"]) == {"Both", "One"}


def test_times_are_instants_or_relative_to_now(desk: Desk) -> None:
    desk.create_ticket("Old")
    desk.advance(days=3)
    desk.create_ticket("New", description="x", email="ada@example.com")
    day = timedelta(days=1)

    cases: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({"created_since": "-2d"}, {"New"}),
        ({"created_until": "-2d"}, {"Old"}),
        ({"created_since": clock.rfc3339(clock.now() - day)}, {"New"}),
        ({"created_until": clock.rfc3339(clock.now() - day)}, {"Old"}),
        ({"created_since": "-1w", "created_until": "-49h"}, {"Old"}),
        ({"updated_since": "-1h"}, {"New"}),
        ({"updated_until": "-1h"}, {"Old"}),
        ({"last_message_since": "-1h"}, {"New"}),
        ({"last_message_until": "now"}, {"New"}),
        ({"due_until": "52w"}, {"New"} if desk.reload(desk.tickets()[1]).next_due_at else set()),
    )
    for words, expected in cases:
        assert found(desk, **words) == expected, words


@pytest.mark.parametrize("wrong", ["yesterday", "", "2d ago", "-2y", "0", "9999-12-31T23:59:59-14:00", "--2d"])
def test_a_text_that_is_no_moment_has_no_instant(wrong: str) -> None:
    assert instant_of(wrong, now=clock.now()) is None


def test_a_requester_is_found_by_id_address_and_organisation(desk: Desk) -> None:
    ticket = desk.create_ticket("Ada's", email="ada@example.com")
    desk.create_ticket("Bob's", email="bob@example.com")
    desk.create_ticket("Nobody's")

    assert found(desk, requester=[ticket.requester_id]) == {"Ada's"}
    assert found(desk, requester_address=["ADA@example.com"]) == {"Ada's"}
    assert found(desk, requester_address=["eve@example.com"]) == set()
    assert found(desk, organisation=[ticket.id]) == set()


def test_a_ticket_is_unanswered_until_a_person_answers(desk: Desk) -> None:
    ticket = desk.create_ticket("Printer", description="It burns.", email="ada@example.com")
    desk.run_due()
    assert desk.sent_bodies(), "an acknowledgement went out, and it is no answer"
    first = desk.reload(ticket).unanswered_since
    assert found(desk, unanswered=True) == {"Printer"}

    desk.reply(ticket)
    assert found(desk, unanswered=True) == set()
    assert found(desk, unanswered=False) == {"Printer"}

    desk.advance(hours=1)
    answered = next(one["external_id"] for one in desk.messages(ticket) if one["body"] == "Water it.")
    desk.receive_email(sender="Ada <ada@example.com>", in_reply_to=answered)
    desk.run_due()
    again = desk.reload(ticket).unanswered_since
    desk.command(answering.reply, ticket.id, "Do you know?", actor=desk.person(), to="supplier@example.org")
    assert desk.reload(ticket).unanswered_since == again, "a mail to somebody else is no answer"
    assert first is not None
    assert again is not None
    assert again > first


def test_an_answer_that_is_taken_back_answers_nobody(desk: Desk) -> None:
    ticket = desk.create_ticket("Printer", description="It burns.", email="ada@example.com")
    since = desk.reload(ticket).unanswered_since
    message_id = desk.reply(ticket, send_at=clock.now() + timedelta(hours=1))
    assert desk.reload(ticket).unanswered_since is None

    desk.command(corrections.delete, message_id, actor=desk.person(), can=lambda channel: frozenset())

    assert desk.reload(ticket).unanswered_since == since


def test_failed_sends_breached_promises_and_files_are_found(desk: Desk) -> None:
    failed = desk.create_ticket("Failed", email="ada@example.com")
    message_id = desk.reply(failed)
    late = desk.create_ticket("Late", type="incident", priority="urgent")
    file = desk.create_ticket("File", description="See the picture.", email="bob@example.com")
    with database.transaction():
        database.execute("UPDATE deliveries SET state = 'failed' WHERE message_id = :id", id=message_id)
        database.execute("UPDATE tickets SET next_due_at = NULL WHERE id <> :id", id=late.id)
        [message] = database.run("SELECT id FROM messages WHERE ticket_id = :id AND direction = 'inbound'", id=file.id)
        database.execute(
            "INSERT INTO attachments (id, ticket_id, message_id, position, filename, content_type, size_bytes, inline,"
            " hidden, state, created_at) VALUES (:id, :ticket, :message, 0, 'a.png', 'image/png', 1, :no, :no,"
            " 'stored', :at)",
            id=file.id,
            ticket=file.id,
            message=message["id"],
            no=False,
            at=clock.now(),
        )
    others = {"Late", "File"}

    assert found(desk, failed=True) == {"Failed"}
    assert found(desk, failed=False) == others
    assert found(desk, has_file=True) == {"File"}
    assert found(desk, has_file=False) == {"Failed", "Late"}
    assert found(desk, breached=True) == set()
    desk.advance(days=30)
    assert found(desk, breached=True) == {"Late"}
    assert found(desk, breached=False) == {"Failed", "File"}


def test_custom_fields_are_compared_as_text(desk: Desk) -> None:
    fields = {"service": "mail", "severity": "major", "affected_users": 5}
    desk.create_ticket("Major", type="incident", fields=fields)
    desk.create_ticket("Minor", type="incident")
    desk.create_ticket("Other")

    assert found(desk, field={"severity": ["major"]}) == {"Major"}
    assert found(desk, field={"severity": ["major", "minor"]}) == {"Major", "Minor"}
    assert found(desk, field={"affected_users": ["5"]}) == {"Major"}
    assert found(desk, field={"affected_users": ["50"]}) == set()
    assert found(desk, not_field={"severity": ["major"]}) == {"Minor", "Other"}


@pytest.mark.parametrize(
    ("words", "path", "hint"),
    [
        ({"state": ["slved"]}, "?state/0", "did you mean solved?"),
        ({"not_state": ["new", "nowhere"]}, "?not_state/1", "expected one of"),
        ({"type": ["incidant"]}, "?type/0", "did you mean incident?"),
        ({"priority": ["urgant"]}, "?priority/0", "low, normal, high, urgent"),
        ({"channel": ["pigeon"]}, "?channel/0", "email"),
        ({"account": ["pigeon"]}, "?account/0", "demo"),
        ({"workflow": ["suport"]}, "?workflow/0", "did you mean support?"),
        ({"team": ["mine", "itt"]}, "?team/0", "did you mean it?"),
        ({"assignee": ["somebody"]}, "?assignee", "a user's id, me or none"),
        ({"follower": ["none"]}, "?follower", "a user's id or me"),
        ({"due_until": "soon"}, "?due_until", "-2d"),
        ({"field": {"severty": ["major"]}}, "?field.severty", "did you mean severity?"),
        ({"not_field": {"nothing": ["x"]}}, "?not_field.nothing", "severity"),
    ],
)
def test_an_unknown_word_is_an_error_that_lists_what_there_is(
    desk: Desk, words: dict[str, Any], path: str, hint: str
) -> None:
    with pytest.raises(Invalid) as refused, database.connection():
        resolve(FilterWords(**words), DESK)

    [problem] = refused.value.problems
    assert problem.path == path
    assert hint in problem.message


def test_a_state_of_an_earlier_release_is_known_while_a_ticket_has_it(desk: Desk) -> None:
    desk.create_ticket("Old")
    with database.transaction():
        database.execute("UPDATE tickets SET state = 'parked'")

    assert found(desk, state=["parked"]) == {"Old"}


def test_a_field_that_a_role_may_not_read_is_unknown_to_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    types = published.all_types

    def guarded() -> list[Any]:
        return [
            msgspec.structs.replace(
                one,
                fields={
                    n: msgspec.structs.replace(f, see=["admin"]) if n == "service" else f for n, f in one.fields.items()
                },
            )
            for one in types()
        ]

    desk.create_ticket("Mail", type="incident", fields={"service": "mail"})
    monkeypatch.setattr(published, "all_types", guarded)

    assert found(desk, Sight(None, "admin", sees_all=True), field={"service": ["mail"]}) == {"Mail"}
    with pytest.raises(Invalid):
        found(desk, Sight(None, "agent", sees_all=True), field={"service": ["mail"]})


def test_snoozed_and_binned_tickets_are_left_out_also_by_a_negation(desk: Desk) -> None:
    for title in ("Here", "Snoozed", "Binned"):
        desk.create_ticket(title)
    with database.transaction():
        database.execute("UPDATE tickets SET snoozed_at = :at WHERE title = 'Snoozed'", at=clock.now())
        database.execute(
            "UPDATE tickets SET binned_at = :at, binned_as = 'spam' WHERE title = 'Binned'", at=clock.now()
        )

    assert found(desk) == {"Here"}
    assert found(desk, not_state=["solved"]) == {"Here"}
    assert found(desk, snoozed="only") == {"Snoozed"}
    assert found(desk, bin="spam") == {"Binned"}
    assert found(desk, snoozed="any", bin="any") == {"Here", "Snoozed", "Binned"}
