"""A ticket's story: complete, in order, readable, and safe to show in a terminal."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from models.kernel.storage import database
from models.notice_settings.rules import Kind, Way
from models.ports import outbound
from models.tickets.tables import Ticket
from scripts.explain import limits, sources, words
from scripts.explain.__main__ import render_text
from scripts.explain.sources import Entry
from tests.desk import Desk
from tests.models.notices.reading import assign, choose
from tests.scripts.verbs import run_verb


def story(ticket: Ticket) -> list[Entry]:
    with database.connection():
        return sources.story(ticket)


def of(entries: list[Entry], source: str) -> list[Entry]:
    return [entry for entry in entries if entry.source == source]


def test_a_message_from_telegram_is_explained_from_the_raw_event_to_the_accepted_answer(desk: Desk) -> None:
    desk.receive_telegram("The printer burns.\nPlease help.")
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket, "Water it.")
    desk.run_due()

    entries = story(desk.reload(ticket))

    assert [e.at for e in entries] == sorted(e.at for e in entries)
    assert entries[0].source == "inbound"
    assert "telegram/demo" in entries[0].line
    assert "processed" in entries[0].line
    bodies = [e.line.partition(": ")[2] for e in of(entries, "message")]
    assert bodies[0] == "The printer burns."
    assert bodies[-1] == "Water it."
    assert {e.line.split(" ")[1] for e in of(entries, "task")} == {
        "ingest_event",
        "advance_ticket",
        "send_delivery",
    }
    assert ["sent" in e.line for e in of(entries, "delivery")] == [True, True]
    assert all("accepted" in e.line and " ms" in e.line for e in of(entries, "attempt"))


def test_a_change_of_state_names_the_rule_and_its_condition(desk: Desk) -> None:
    desk.receive_telegram()
    desk.run_due()
    ticket = desk.ticket()
    desk.reply(ticket)
    desk.receive_telegram("Still burning.")
    desk.run_due()

    moves = [e for e in of(story(desk.reload(ticket)), "event") if "state" in e.line]

    assert "new -> waiting_on_requester by wait" in moves[0].line
    assert "waiting_on_requester -> open by reopen" in moves[1].line
    assert moves[1].details[0] == "rule: reopen_on_message on requester_message"
    assert moves[1].details[1] == "condition: !message.by_machine (saw message.by_machine = False)"


def test_a_refused_transition_is_explained_with_its_reasons(desk: Desk) -> None:
    ticket = desk.create_ticket()
    reasons = desk.transition(ticket, "close")

    refusal = next(e for e in of(story(desk.reload(ticket)), "event") if "refused" in e.line)

    assert reasons
    assert set(refusal.details) >= {f"because {reason}" for reason in reasons}


def test_an_automatic_message_that_was_withheld_is_explained_with_its_reason() -> None:
    payload = {"template": "acknowledgement", "rule": "acknowledge", "reason": "too many automatic messages"}

    line, details = words.event("automatic_message_withheld", payload, {})

    assert line == "automatic message withheld: acknowledgement"
    assert details == ("rule: acknowledge", "because too many automatic messages")


def test_every_attempt_of_a_delivery_is_explained_with_its_outcome(desk: Desk) -> None:
    desk.answers.extend([outbound.transient("the server said 421"), outbound.accepted("<1@example.test>")])
    ticket = desk.create_ticket(description="Help.", email="ada@example.com")
    desk.run_due()
    desk.advance(minutes=1)
    desk.run_due()

    attempts = of(story(desk.reload(ticket)), "attempt")

    assert [e.line.partition(": ")[2].split(" ")[0] for e in attempts] == ["transient", "accepted"]
    assert "the server said 421" in attempts[0].details


def test_a_delivery_that_failed_permanently_is_explained_with_its_error(desk: Desk) -> None:
    desk.answers.append(outbound.permanent("the mailbox does not exist"))
    ticket = desk.create_ticket(description="Help.", email="ada@example.com")
    desk.run_due()

    entries = story(desk.reload(ticket))

    assert "failed" in of(entries, "delivery")[0].line
    assert any("ended as failed" in e.line for e in of(entries, "event"))


def test_a_dead_task_stands_out_with_its_last_error(desk: Desk) -> None:
    ticket = desk.create_ticket(description="Help.", email="ada@example.com")
    dead = "UPDATE tasks SET state = 'dead', last_error = 'the mail server is gone', attempts = 12"
    desk.command(database.execute, dead)

    task = of(story(desk.reload(ticket)), "task")[0]

    assert "send_delivery on sends: DEAD, 12 attempts" in task.line
    assert "last error: the mail server is gone" in task.details


def test_a_timer_that_waits_comes_last_and_says_when_it_fires(desk: Desk) -> None:
    ticket = desk.create_ticket()
    assert desk.transition(ticket, "resolve") == ()

    last = story(desk.reload(ticket))[-1]

    assert last.source == "timer"
    assert "auto_close fires in 7 days" in last.line


def test_another_ticket_has_no_part_in_the_story(desk: Desk) -> None:
    mine = desk.create_ticket("Mine", description="Help.", email="ada@example.com")
    other = desk.create_ticket("Other", description="Help.", email="bo@example.com")
    desk.run_due()

    told = json.dumps([sources.as_json(e) for e in story(desk.reload(mine))], default=sources.plain)

    assert str(other.id) not in told
    assert "bo@example.com" not in told


def test_control_characters_of_a_stranger_do_not_reach_the_terminal(desk: Desk) -> None:
    desk.receive_telegram("\x1b[2J\x1b]0;owned\x07 hello\x9b31m", name="Eve\x1b[31m")
    desk.run_due()
    ticket = desk.ticket()

    text = render_text(ticket, story(ticket))

    assert all(c.isprintable() or c == "\n" for c in text)
    assert "hello" in text


def test_a_long_message_is_one_line_of_bounded_length(desk: Desk) -> None:
    ticket = desk.create_ticket(description="word " * 900)

    message = of(story(ticket), "message")[0]

    assert len(message.line) < limits.line_chars_max + 60
    assert message.line.endswith("…")
    assert len(message.facts["body"]) > 4_000


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (timedelta(milliseconds=12), "12 ms"),
        (timedelta(seconds=12), "12.0 s"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=12), "12 h"),
        (timedelta(days=12), "12 days"),
        (timedelta(seconds=-1), "0 ms"),
    ],
)
def test_durations_are_said_as_people_say_them(duration: timedelta, said: str) -> None:
    assert words.seconds(duration) == said


def test_an_event_without_words_of_its_own_shows_its_payload() -> None:
    assert words.event("kite_flown", {"height": 7}, {}) == ("kite_flown {'height': 7}", ())


def test_the_command_prints_the_story_by_number_or_id_or_as_json(desk: Desk) -> None:
    ticket = desk.create_ticket("Printer", description="It burns.")

    by_number = run_verb("explain", f"#{ticket.number}")
    as_json = run_verb("explain", str(ticket.id), "--json")

    assert by_number.returncode == 0, by_number.stderr
    assert by_number.stdout.startswith(f"Ticket #{ticket.number} Printer\n")
    assert "It burns." in by_number.stdout
    told = json.loads(as_json.stdout)
    assert told["ticket"]["id"] == str(ticket.id)
    assert {entry["source"] for entry in told["story"]} == {"event", "message", "rules"}


def test_an_unknown_ticket_is_one_clear_sentence(desk: Desk) -> None:
    done = run_verb("explain", "4711")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "nestor: there is no ticket '4711'\n"


def test_a_notice_is_explained_with_its_ways_and_the_reason_why_one_was_not_used(desk: Desk) -> None:
    ticket = desk.create_ticket()
    choose(desk, ways={Kind.assigned: {Way.mail, Way.chat}})
    assign(desk, ticket)
    desk.run_due()

    [notice] = of(story(desk.reload(ticket)), "notice")

    assert notice.line == f"assigned to Olga Agent: Mira Manager assigned ticket #{ticket.number} to you."
    assert notice.details == ("by chat: withheld: the user has no connected chat", "by mail: sent")
