"""Dialogues that take another turn: a confirmation, a stranger, a file, a ticket that moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.kernel import limits
from models.kernel.storage import database
from models.ports.inbound import AttachmentInfo, Command
from models.privacy import erasure
from models.publishing import workflows
from tests.desk import Desk
from tests.models.inbound.dialogues import begun, labels, offered, press, publish_wish, says
from tests.models.inbound.story import CHAT, notices, opened, told

pytestmark = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def test_a_confirmation_is_a_second_press(desk: Desk, publish: Any) -> None:
    publish(confirm={"en": "Really submit?", "ru": "Точно отправить?"})
    ticket = begun(desk)

    asked, choices, state = notices(desk)[-1], labels(desk), desk.reload(ticket).state
    press(desk, "No")
    kept = desk.reload(ticket).state
    offered(desk, ticket)
    press(desk, "Submit")
    press(desk, "Yes")

    assert (asked, choices) == ("Really submit?", ["Yes", "No"])
    assert (state, kept) == ("draft", "draft")
    assert desk.reload(ticket).state == "sent"


def test_the_confirmation_comes_after_the_fields(desk: Desk, publish: Any) -> None:
    publish(requires=["item"], confirm={"en": "Really submit?", "ru": "Точно отправить?"})
    ticket = begun(desk)

    says(desk, "A lamp")
    asked = notices(desk)[-1]
    says(desk, "yes!")

    assert asked == "Really submit?"
    assert desk.reload(ticket).state == "sent"


def test_questions_are_asked_in_the_language_of_the_person(desk: Desk, publish: Any) -> None:
    publish(requires=["size"])
    ticket = opened(desk)
    desk.command(database.execute, "UPDATE requesters SET locale = 'ru'")
    offered(desk, ticket)

    press(desk, "Отправить")

    assert notices(desk)[-1] == "Отправить: Размер?\nМалый помещается на стол."
    assert labels(desk) == ["Малый", "Большой", "Отмена"]


def test_a_file_is_no_answer_and_reaches_the_agents(desk: Desk, publish: Any) -> None:
    publish(requires=["item"])
    ticket = begun(desk)
    picture = AttachmentInfo("lamp.jpg", "image/jpeg", 3, provider_id="f", provider_key="u")

    says(desk, "like this one", attachments=(picture,), details={"kind": "photo"})
    says(desk, "A lamp")

    assert desk.bodies(desk.reload(ticket)) == ["It burns.", "like this one"]
    assert desk.reload(ticket).fields == {"item": "A lamp"}


def test_only_the_person_of_the_dialogue_can_press_its_buttons(desk: Desk, publish: Any) -> None:
    publish(requires=["size"])
    ticket = begun(desk)

    shown = press(desk, "Small one", user="666")

    assert shown["status"] == "ignored"
    assert desk.reload(ticket).fields == {}


def test_a_button_of_an_earlier_question_does_nothing(desk: Desk, publish: Any) -> None:
    publish(requires=["size", "item"])
    ticket = begun(desk)
    says(desk, "large")

    shown = press(desk, "Small one")
    says(desk, "A lamp")

    assert shown["status"] == "ignored"
    assert desk.reload(ticket).fields == {"size": "large", "item": "A lamp"}


def test_a_ticket_that_moved_meanwhile_is_not_moved_again(desk: Desk, publish: Any) -> None:
    publish(requires=["item"])
    ticket = begun(desk)
    desk.command(database.execute, "UPDATE tickets SET state = 'sent', category = 'waiting'")

    says(desk, "A lamp")

    assert notices(desk)[-1] == "This is not possible now."
    assert desk.reload(ticket).fields == {}


def test_a_transition_whose_field_requesters_may_not_set_is_not_offered(desk: Desk, publish: Any) -> None:
    publish(requires=["secret"])

    assert offered(desk, opened(desk)) == []


def test_a_guard_that_reads_an_asked_field_is_evaluated_after_the_answer(desk: Desk, publish: Any) -> None:
    publish(requires=["amount"], guard="fields.amount.amount > 1000")
    ticket = begun(desk)
    says(desk, "5")
    refused, state = notices(desk)[-1], desk.reload(ticket).state

    offered(desk, ticket)
    press(desk, "Submit")
    says(desk, "50")

    assert (refused, state) == ("This is not possible now.", "draft")
    assert desk.reload(ticket).state == "sent"


def test_a_new_dialogue_replaces_the_earlier_one_in_the_chat(desk: Desk, publish: Any) -> None:
    publish(requires=["item", "size"])
    ticket = begun(desk)
    says(desk, "A lamp")

    press(desk, "Submit")
    says(desk, "A chair")
    says(desk, "small")

    assert desk.reload(ticket).fields == {"item": "A chair", "size": "small"}


def test_the_answers_of_an_erased_person_are_gone(desk: Desk, publish: Any) -> None:
    publish(requires=["item", "size"])
    ticket = begun(desk)
    says(desk, "A lamp")
    assert ticket.requester_id is not None

    desk.command(erasure.erase, ticket.requester_id, actor=desk.person("admin"))
    desk.run_due()

    assert desk.rows("SELECT id FROM transition_dialogues") == []


def test_close_asks_for_the_input_of_the_transition_that_ends_the_ticket(desk: Desk, publish: Any) -> None:
    publish(category="done", requires=["item"], confirm={"en": "Really?", "ru": "Точно?"})
    ticket = opened(desk)

    told(desk, Command("close", "", "42", "Ada", "42", "42", locale="en"))
    says(desk, "A lamp")
    asked, state = notices(desk)[-1], desk.reload(ticket).state
    press(desk, "Yes")

    assert (asked, state) == ("Really?", "draft")
    assert desk.reload(ticket).state == "sent"


def test_a_command_that_begins_something_else_ends_the_questions(desk: Desk, publish: Any) -> None:
    publish(requires=["item"])
    begun(desk)

    told(desk, Command("new", "", "42", "Ada", "42", "42", locale="en"))
    says(desk, "Something else.")

    assert [desk.bodies(one) for one in desk.tickets()] == [["It burns."], ["Something else."]]


@pytest.mark.parametrize("ended", [False, True])
def test_an_edit_of_an_answer_is_no_message_and_changes_nothing(desk: Desk, publish: Any, ended: bool) -> None:
    publish(requires=["item", "size"])
    ticket = begun(desk)
    says(desk, "A lammp", external_id="42:77")
    if ended:
        says(desk, "small")

    shown = told(desk, replace(CHAT, body="A lamp", external_id="42:77", edit=True))
    if not ended:
        says(desk, "small")

    assert (shown["status"], shown["reason"]) == ("processed", "an edit of an answer to a question has no effect")
    assert desk.bodies(desk.reload(ticket)) == ["It burns."]
    assert desk.reload(ticket).fields == {"item": "A lammp", "size": "small"}


def test_an_ended_dialogue_keeps_no_values(desk: Desk, publish: Any) -> None:
    publish(requires=["item"])
    begun(desk)
    says(desk, "A lamp")

    [row] = desk.rows("SELECT given, asked FROM transition_dialogues")

    assert "lamp" not in str(row["given"])
    assert row["asked"] == ""


def test_a_ticket_that_became_somebody_elses_is_not_moved_by_the_answer(desk: Desk, publish: Any) -> None:
    publish(requires=["size"])
    ticket = begun(desk)
    told(desk, replace(CHAT, author_address="43", contact_address="43", conversation_address="43", external_id="43:1"))
    [other] = [one for one in desk.tickets() if one.id != ticket.id]
    desk.command(
        database.execute,
        "UPDATE tickets SET requester_id = :other WHERE id = :id",
        other=other.requester_id,
        id=ticket.id,
    )

    shown = press(desk, "Small one")

    assert shown["status"] == "ignored"
    assert desk.reload(ticket).state == "draft"


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ({"comment": "required"}, None, "x" * (limits.comment_chars_max + 1)),
        ({"confirm": {"en": "Really?", "ru": "Точно?"}}, None, "perhaps"),
        ({"confirm": {"en": "Really?", "ru": "Точно?"}}, {}, "perhaps"),
    ],
    ids=["the transition of a comment is gone", "the transition of a confirmation is gone", "no confirmation is asked"],
)
def test_a_question_that_a_migration_outlived_ends_and_the_next_words_reach_the_agents(
    desk: Desk, publish: Any, before: dict[str, Any], after: dict[str, Any] | None, answer: str
) -> None:
    publish(**before)
    ticket = begun(desk)
    if after is None:
        publish_wish(name="hand_in")
    else:
        publish_wish(**after)
    desk.command(database.execute, "UPDATE tickets SET workflow_version = 2")
    workflows.forget()

    shown = says(desk, answer)
    left = notices(desk)[-1]
    says(desk, "Are you there?")

    assert shown["status"] == "processed"
    assert "cancelled" in left.lower() or "nothing" in left.lower(), left
    assert desk.bodies(ticket)[-1] == "Are you there?"
    assert desk.reload(ticket).state == "draft"
    assert desk.tasks("dead") == []
