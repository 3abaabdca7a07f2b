"""/v1/ratings/{token}: a requester rates the handling of a ticket by a link."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.http.operations import Answer, Call, Operations
from functions.views.texts import Comment
from models.ticket_workflow import ratings

operations = Operations()


class RatingShown(msgspec.Struct):
    """What a requester is asked."""

    ticket_number: int
    title: str
    score: int | None
    comment: str | None


class NewRating(msgspec.Struct, forbid_unknown_fields=True):
    """How it went, from 1 (badly) to 5 (well)."""

    score: Annotated[int, msgspec.Meta(ge=1, le=5)]
    comment: Comment | None = None


@operations.add(
    "GET",
    "/v1/ratings/{token}",
    summary="What a requester is asked",
    public=True,
    answers={200: RatingShown},
    problems=(404,),
)
def read_rating(call: Call) -> Answer:
    """By the link of a message. Reading rates nothing: mail programs open links ahead of people."""
    return Answer(msgspec.convert(ratings.find(call.params["token"]), RatingShown))


@operations.add(
    "POST",
    "/v1/ratings/{token}",
    summary="Rate how it went",
    public=True,
    body=NewRating,
    answers={200: RatingShown},
    problems=(404,),
)
def rate(call: Call[NewRating]) -> Answer:
    """The last word counts; the life cycle hears of each."""
    return Answer(msgspec.convert(ratings.rate(call.params["token"], call.body.score, call.body.comment), RatingShown))
