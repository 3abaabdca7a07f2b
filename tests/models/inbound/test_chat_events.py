"""Chats: buttons, blocked bots, moved groups, commands."""

from __future__ import annotations

from dataclasses import replace

from models.kernel.storage import database
from models.ports import outbound
from models.ports.inbound import AddressMove, ButtonPress, Command, ReachabilityChange
from tests.desk import Desk
from tests.models.inbound.story import CHAT, notices, opened, told

# -- buttons ---------------------------------------------------------------------------------------------------


def _buttons(desk: Desk) -> list[outbound.Button]:
    return [button for call in desk.calls for button in call.message.buttons]


def _last_id(desk: Desk) -> str | None:
    outcome = desk.sent[-1].outcome
    return None if outcome is None else outcome.external_id


def test_a_button_takes_the_transition_that_it_offers(desk: Desk) -> None:
    ticket = opened(desk)
    desk.reply(ticket, "Is it solved?")
    desk.run_due()
    [token] = [one.token for one in desk.calls[-1].message.buttons if one.label == "My question is solved"]

    shown = told(desk, ButtonPress(token, "", "42", "Ada", "42", _last_id(desk)))

    assert shown["status"] == "processed"
    assert desk.reload(ticket).state == "solved"
    assert notices(desk) == [f"Ticket #{ticket.number}: Solved."]
    # The message shows the moves that are possible now.
    edited = [call.message for call in desk.calls if call.message.operation == "edit"][-1]
    assert [button.label for button in edited.buttons] == ["Reopen"]


def test_somebody_elses_press_does_nothing(desk: Desk) -> None:
    ticket = opened(desk)
    desk.reply(ticket, "Is it solved?")
    desk.run_due()
    state = desk.reload(ticket).state

    shown = told(desk, ButtonPress(_buttons(desk)[-1].token, "", "666", "Eve", "42", "42:9000"))

    assert (shown["status"], shown["reason"]) == ("ignored", "somebody else's button")
    assert desk.reload(ticket).state == state


def test_a_button_of_last_season_is_too_old(desk: Desk) -> None:
    ticket = opened(desk)
    desk.reply(ticket, "Is it solved?")
    desk.run_due()
    desk.advance(days=31)

    shown = told(desk, ButtonPress(_buttons(desk)[-1].token, "", "42", "Ada", "42", None))

    assert shown["reason"] == "the button is too old"
    assert "does not work any more" in notices(desk)[-1]


def test_a_group_gets_no_buttons(desk: Desk) -> None:
    group = replace(CHAT, contact_address="-100", conversation_address="-100", external_id="-100:1")
    ticket = opened(desk, group)

    desk.reply(ticket, "Is it solved?")
    desk.run_due()

    assert _buttons(desk) == []


# -- reachability, moves, commands -------------------------------------------------------------------------------


def test_who_blocked_the_bot_is_not_written_to_until_they_come_back(desk: Desk) -> None:
    ticket = opened(desk)
    told(desk, ReachabilityChange("42", "42", False, "the bot was blocked"))
    calls = len(desk.calls)
    desk.reply(ticket, "Hello?")
    desk.run_due()

    assert len(desk.calls) == calls
    assert desk.deliveries(ticket)[-1]["last_error"] == "not sent: the bot was blocked"
    assert desk.events(ticket, "requester_unreachable")

    told(desk, ReachabilityChange("42", "42", True, "the bot was let in again"))
    desk.reply(ticket, "Hello again!")
    desk.run_due()

    assert desk.deliveries(ticket)[-1]["state"] == "sent"


def test_a_group_that_became_a_supergroup_goes_on_in_its_ticket_whichever_half_comes_first(
    desk: Desk,
) -> None:
    group = replace(CHAT, contact_address="-1/7", conversation_address="-1/7", external_id="-1:1")
    ticket = opened(desk, group)

    told(desk, AddressMove("-1", "-100"))
    told(desk, AddressMove("-1", "-100"))
    told(
        desk,
        replace(
            group,
            body="Still here.",
            contact_address="-100/7",
            conversation_address="-100/7",
            external_id="-100:1",
        ),
    )

    assert desk.bodies(desk.reload(ticket)) == ["It burns.", "Still here."]
    assert desk.reload(ticket).contact_address == "-100/7"


def _command(name: str, argument: str = "", locale: str | None = "en") -> Command:
    return Command(name, argument, "42", "Ada", "42", "42", locale=locale)


def test_start_greets_and_makes_no_ticket(desk: Desk) -> None:
    told(desk, _command("start", locale="ru"))

    assert desk.tickets() == []
    assert "Здравствуйте" in notices(desk)[0]


def test_new_lets_the_next_message_open_a_ticket(desk: Desk) -> None:
    opened(desk)

    told(desk, _command("new"))
    told(desk, replace(CHAT, body="Something else.", external_id="42:2"))

    assert len(desk.tickets()) == 2


def test_status_lists_each_open_ticket_with_its_state(desk: Desk) -> None:
    ticket = opened(desk)

    told(desk, _command("status"))

    assert f"#{ticket.number} It burns.: New" in notices(desk)[-1]


def test_close_takes_the_requesters_own_transition(desk: Desk) -> None:
    ticket = opened(desk)

    told(desk, _command("close"))
    refused = told(desk, _command("close"))

    assert desk.reload(ticket).state == "solved"
    assert "lets no requester" in refused["reason"]


def test_lang_changes_the_language_of_what_the_desk_says(desk: Desk) -> None:
    told(desk, _command("lang", "ru"))
    told(desk, _command("help"))
    told(desk, _command("lang", "tlh"))

    assert notices(desk)[0] == "Будем писать вам по-русски."
    assert "новое обращение" in notices(desk)[1]
    assert "en" in notices(desk)[2]


def test_status_in_a_group_lists_only_tickets_of_that_group(desk: Desk) -> None:
    told(desk, CHAT)
    group = Command("status", "", "42", "Ada", "-100", "-100", locale="en")

    told(desk, group)

    assert notices(desk) == ["You have no open tickets."]


def test_a_blocked_sender_makes_nothing(desk: Desk) -> None:
    opened(desk)
    with database.transaction():
        database.execute(
            "UPDATE identities SET blocked_at = :now WHERE address = '42'",
            now="2026-01-01 00:00:00.000000+00:00",
        )

    shown = told(desk, replace(CHAT, body="Me again.", external_id="42:2"))

    assert (shown["status"], shown["reason"]) == ("ignored", "its sender is blocked")
    assert desk.bodies(desk.ticket()) == ["It burns."]
