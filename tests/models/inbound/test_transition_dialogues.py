"""A transition that needs input, done in the chat: one question at a time, with choices as buttons."""

from __future__ import annotations

from typing import Any

import pytest

from models.ports.inbound import Command
from models.tasks import commands as tasks
from models.tasks.payloads import CollectGarbage
from tests.desk import Desk
from tests.models.inbound.dialogues import begun, labels, press, says
from tests.models.inbound.story import notices, opened, told

sqlite_only = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)


def test_the_bot_asks_for_each_field_and_the_comment_one_by_one_and_then_moves_the_ticket(
    desk: Desk, publish: Any
) -> None:
    publish(requires=["item", "amount"], comment="required")
    ticket = begun(desk)

    says(desk, "A lamp")
    says(desk, "1 299,50 EUR")
    before = desk.reload(ticket)
    shown = says(desk, "The old one is broken.")

    after = desk.reload(ticket)
    assert notices(desk) == [
        "Submit: Item?",
        "Submit: Amount?\nFor example: 19.99 EUR",
        "Submit: please write a comment.",
        f"Ticket #{ticket.number}: Sent.",
    ]
    assert (before.state, before.fields) == ("draft", {})
    assert after.state == "sent"
    assert after.fields == {"item": "A lamp", "amount": {"amount": 129950, "currency": "EUR"}}
    [moved] = [e["payload"] for e in desk.events(ticket, "ticket_state_changed") if e["payload"]["to"] == "sent"]
    assert moved["comment"] == "The old one is broken."
    assert (shown["status"], shown["reason"]) == ("processed", "took submit")
    # An answer is no message to the agents.
    assert desk.bodies(after) == ["It burns."]
    assert desk.rows("SELECT id FROM transition_dialogues WHERE asked <> ''") == []


@sqlite_only
def test_choices_are_buttons_and_their_words_are_answers_as_well(desk: Desk, publish: Any) -> None:
    publish(requires=["size", "urgent"])
    ticket = begun(desk)

    asked, choices = notices(desk)[-1], labels(desk)
    press(desk, "Large one")
    yes_no = labels(desk)
    says(desk, "yes")

    assert asked == "Submit: Size?\nSmall fits a desk."
    assert choices == ["Small one", "Large one", "Cancel"]
    assert yes_no == ["Yes", "No", "Cancel"]
    assert desk.reload(ticket).fields == {"size": "large", "urgent": True}


@sqlite_only
def test_a_choice_is_found_by_its_label_in_any_language(desk: Desk, publish: Any) -> None:
    publish(requires=["size"])
    ticket = begun(desk)

    says(desk, "малый")

    assert (desk.reload(ticket).state, desk.reload(ticket).fields) == ("sent", {"size": "small"})


@sqlite_only
def test_a_list_is_chosen_button_by_button_until_it_is_done(desk: Desk, publish: Any) -> None:
    publish(requires=["parts"])
    ticket = begun(desk)

    press(desk, "Chair")
    press(desk, "Lamp")
    left = labels(desk)
    press(desk, "Done")

    assert left == ["Desk", "Done", "Cancel"]
    assert notices(desk)[-2].endswith("Chosen: Chair, Lamp")
    assert desk.reload(ticket).fields == {"parts": ["chair", "lamp"]}


@sqlite_only
@pytest.mark.parametrize(
    ("field", "wrong", "said", "right", "value"),
    [
        ("when", "tomorrow", "expected a date such as 2026-01-31", "31.3.2026", "2026-03-31"),
        ("amount", "much", "expected an amount such as 19.99 EUR", "€12", {"amount": 1200, "currency": "EUR"}),
        ("amount", "0.001 EUR", "at most two decimal places", "0.5", {"amount": 50, "currency": "EUR"}),
        ("amount", "5 USD", "expected a currency of EUR", "5", {"amount": 500, "currency": "EUR"}),
        ("amount", "-3", "expected at least 1", "1.299,00", {"amount": 129900, "currency": "EUR"}),
        ("size", "huge", "expected one of small, large", "SMALL", "small"),
        ("parts", "lamp, sofa", "expected one of lamp, chair, desk", "lamp, desk", ["lamp", "desk"]),
        ("urgent", "perhaps", "expected yes or no", "no", False),
        ("item", "x" * 501, "expected at most 500 characters", "x", "x"),
    ],
)
def test_a_wrong_answer_is_asked_for_again_with_the_reason(
    desk: Desk, publish: Any, field: str, wrong: str, said: str, right: str, value: Any
) -> None:
    publish(requires=[field])
    ticket = begun(desk)

    says(desk, wrong)
    again, state = notices(desk)[-1], desk.reload(ticket).state
    says(desk, right)

    assert said in again
    assert again.count("Submit: ") == 1
    assert state == "draft"
    assert desk.reload(ticket).fields == {field: value}
    assert desk.reload(ticket).state == "sent"


@sqlite_only
@pytest.mark.parametrize("way", ["button", "command"])
def test_a_person_can_leave_the_questions_and_their_next_words_reach_the_agents(
    desk: Desk, publish: Any, way: str
) -> None:
    publish(requires=["item", "amount"])
    ticket = begun(desk)
    says(desk, "A lamp")

    if way == "button":
        press(desk, "Cancel")
    else:
        told(desk, Command("cancel", "", "42", "Ada", "42", "42", locale="en"))
    says(desk, "I have another question.")

    after = desk.reload(ticket)
    assert notices(desk)[-1] == "Nothing was changed."
    assert (after.state, after.fields) == ("draft", {})
    assert desk.bodies(after) == ["It burns.", "I have another question."]


@sqlite_only
def test_a_cancel_without_a_question_says_so(desk: Desk, publish: Any) -> None:
    opened(desk)

    told(desk, Command("cancel", "", "42", "Ada", "42", "42", locale="en"))

    assert notices(desk) == ["There is nothing to cancel."]


def test_a_question_expires_and_the_persons_words_reach_the_agents_again(desk: Desk, publish: Any) -> None:
    publish(requires=["size"])
    ticket = begun(desk)
    desk.advance(minutes=61)

    shown = press(desk, "Small one")
    says(desk, "small")

    assert shown["status"] == "ignored"
    assert desk.reload(ticket).state == "draft"
    assert desk.bodies(desk.reload(ticket)) == ["It burns.", "small"]


@sqlite_only
def test_each_answer_renews_the_time_for_the_next(desk: Desk, publish: Any) -> None:
    publish(requires=["item", "size"])
    ticket = begun(desk)
    desk.advance(minutes=50)
    says(desk, "A lamp")
    desk.advance(minutes=50)

    says(desk, "small")

    assert desk.reload(ticket).state == "sent"


def test_expired_questions_are_deleted(desk: Desk, publish: Any) -> None:
    publish(requires=["item"])
    begun(desk)
    desk.advance(minutes=61)

    desk.command(tasks.enqueue, CollectGarbage())
    desk.run_due()

    assert desk.rows("SELECT id FROM transition_dialogues") == []
