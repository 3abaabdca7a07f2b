"""Numbers of updates and of messages: what comes again, and what only has the number of something older."""

from __future__ import annotations

import json

from tests.desk import Desk
from tests.functions.callers import Caller
from tests.functions.test_telegram_webhook import no_bot_api, post, recorded

__all__ = ["no_bot_api"]  # files are fetched from nowhere


def test_a_message_that_comes_again_under_another_updates_number_is_one_message(provider: Caller, desk: Desk) -> None:
    for name in ("text_message", "album_first_part", "album_second_part_with_caption"):
        for number in (1, 2):
            update = json.loads(recorded(name))
            post(provider, json.dumps(update | {"update_id": update["update_id"] + number * 10_000}).encode())
            desk.run_due()

    first, album = [one for one in desk.messages(desk.ticket()) if one["direction"] == "inbound"]
    assert first["body"].startswith("Hello")
    assert (album["body"], len(album["attachments"])) == ("Before and after", 2)
    reasons = [row["reason"] for row in desk.rows("SELECT reason FROM inbox WHERE status = 'ignored'")]
    assert reasons == ["the same message came before, in another event"] * 3


def test_another_bot_behind_the_account_counts_its_messages_from_one_again(provider: Caller, desk: Desk) -> None:
    update = json.loads(recorded("text_message"))
    post(provider, json.dumps(update).encode())
    desk.run_due()
    later = update["message"] | {"date": update["message"]["date"] + 86_400, "text": "To the new bot."}
    for number in (1, 2):
        post(provider, json.dumps({"update_id": 77_000 + number, "message": later}).encode())
        desk.run_due()
    answer = later | {
        "message_id": later["message_id"] + 5,
        "date": later["date"] + 60,
        "text": "As I said.",
        "reply_to_message": later,
    }
    post(provider, json.dumps({"update_id": 77_005, "message": answer}).encode())
    desk.run_due()

    inbound = [one for one in desk.messages(desk.ticket()) if one["direction"] == "inbound"]
    assert [one["body"].split("!")[0] for one in inbound][1:] == ["To the new bot.", "As I said."]


def test_a_message_that_comes_after_its_edit_is_one_message(provider: Caller, desk: Desk) -> None:
    update = json.loads(recorded("text_message"))
    first = update["message"]
    edited = first | {"edit_date": first["date"] + 90, "text": "Hello, edited"}
    for number, kind, told in ((1, "edited_message", edited), (2, "message", first)):
        post(provider, json.dumps({"update_id": 88_000 + number, kind: told}).encode())
        desk.run_due()

    inbound = [one for one in desk.messages(desk.ticket()) if one["direction"] == "inbound"]
    assert [one["body"] for one in inbound] == ["Hello, edited"]
