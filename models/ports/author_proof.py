"""The author's proof: how well the author of an inbound message is known, and the spam verdict about the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.kernel.open_json import JsonObject
from models.ports.guards import Guarded, Id, Reason

Grade = Literal["proved", "unjudged", "unproved"]
Source = Literal["from", "reply_to", "list", "header"]
Clue = Literal["references", "token"]


@dataclass(frozen=True, slots=True)
class AuthorProof(Guarded):
    """The evidence that the person at `address` wrote the message.

    `grade`: `proved` if a trusted judge passed the single mailbox of the single From; `unjudged` if the mailbox has no
    judge; `unproved` for everything else. `rests_on` gives the reason in a few words, for agents. `source`: the header
    that names the author. `carrier`: the grade of the From mailbox; it differs from `grade` if another header than From
    names the author, such as the Reply-To of a web form. `judged`: the mailbox has a judge. `covers`: the clues of the
    answered message that the proof covers; whoever has a signed mail can send it again with other headers.
    """

    address: Id
    grade: Grade
    rests_on: Reason
    source: Source = "from"
    carrier: Grade = "unproved"
    judged: bool = False
    covers: tuple[Clue, ...] = ()

    def as_json(self) -> JsonObject:
        """Return the facts that are stored with the message."""
        return {"address": self.address, "grade": self.grade, "rests_on": self.rests_on, "source": self.source}


@dataclass(frozen=True, slots=True)
class SpamVerdict(Guarded):
    """The verdict of a spam filter before the desk. `score` is None if the filter gives a verdict without a number."""

    score: float | None
    rests_on: Reason
