"""/v1/ratings/{token}: a requester rates the handling of a ticket by a link."""

from __future__ import annotations

from typing import Annotated

import msgspec

from functions.gateway.ticket.rating_pages import page
from functions.http.operations import Answer, Call, Operations
from functions.views.texts import Comment
from models.ticket_workflow import ratings

operations = Operations()


class RatingShown(msgspec.Struct):
    """A rating, with the ticket that it is about."""

    ticket_number: int
    title: str
    score: int | None
    comment: str | None


class NewRating(msgspec.Struct, forbid_unknown_fields=True):
    """A rating from 1 (bad) to 5 (good)."""

    score: Annotated[int, msgspec.Meta(ge=1, le=5)]
    comment: Comment | None = None


@operations.add(
    "GET",
    "/v1/ratings/{token}",
    summary="Get a rating request",
    public=True,
    answers={200: RatingShown},
    problems=(404,),
)
def read_rating(call: Call) -> Answer:
    """Authorised by the link in a message. Reading it rates nothing, because mail programs prefetch links.

    A browser, which accepts text/html and not JSON, gets the page of `/v1/rating_pages/{token}`.
    """
    accepted = call.request.accept.lower()
    if "text/html" in accepted and "json" not in accepted:
        return page(call.params["token"])
    return Answer(msgspec.convert(ratings.find(call.params["token"]), RatingShown))


@operations.add(
    "POST",
    "/v1/ratings/{token}",
    summary="Submit a rating",
    public=True,
    body=NewRating,
    answers={200: RatingShown},
    problems=(404, 409),
)
def rate(call: Call[NewRating]) -> Answer:
    """A later rating replaces an earlier one. The life cycle receives each change as an event; the same rating again
    changes nothing. A rating can be changed ten times, and until `RATING_DAYS` (default 30) after the ticket was
    closed.
    """
    return Answer(msgspec.convert(ratings.rate(call.params["token"], call.body.score, call.body.comment), RatingShown))
