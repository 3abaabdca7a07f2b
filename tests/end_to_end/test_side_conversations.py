"""A side conversation with a third party that is a help desk itself, over real SMTP and the real webhook."""

from __future__ import annotations

from tests.end_to_end.conftest import OURS, THEIRS
from tests.end_to_end.post_office import PostOffice

ADA = "ada@elsewhere.example"
# The agent who writes to the third party, at both desks.
AGENT = "agent@example.test"


def test_a_help_desk_as_the_third_party_answers_by_notes_and_the_requester_sees_nothing(office: PostOffice) -> None:
    ours, theirs = office.desks[OURS], office.desks[THEIRS]
    office.mailboxes[ADA] = office.mailboxes[AGENT] = lambda raw, sender: []
    ours.ask("open", email=ADA)
    office.carry()
    to_ada = [recipient for _, recipient in office.carried].count(ADA)

    ours.ask("forward", to=THEIRS, body="Do you have the part?")
    office.carry()
    theirs.ask("reply", body="Yes, two.")
    office.carry()

    notes = ours.ask("notes")["notes"]
    assert notes[0] == ["agent", False, "Do you have the part?"]
    assert [kind for kind, _, _ in notes[1:]] == ["third_party"] * (len(notes) - 1)
    assert [body for _, by_machine, body in notes if not by_machine] == ["Do you have the part?", "Yes, two."]
    assert (ours.ask("look")["tickets"], theirs.ask("look")["tickets"]) == (1, 1)
    assert [recipient for _, recipient in office.carried].count(ADA) == to_ada
    assert AGENT in [recipient for _, recipient in office.carried], "the agent gets a notice of the answer"
    for desk in office.desks.values():
        desk.ask("advance", seconds=86_400.0)
    assert office.carry() == 0
