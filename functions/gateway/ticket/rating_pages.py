"""/v1/rating_pages/{token}: the page that the rating link of a message opens."""

from __future__ import annotations

from urllib.parse import parse_qs

from functions.http.operations import Answer, Call, Idempotency, Operations
from functions.views import rating_page
from models import migrations
from models.kernel import limits
from models.kernel.errors import NotFound, UnsupportedMediaType
from models.kernel.storage import database
from models.ticket_workflow import ratings
from models.ticket_workflow.ratings import RatingEnded, RatingIsFinal

operations = Operations()

_FORM = "application/x-www-form-urlencoded"
_fields_max = 10  # the form has two


@operations.add(
    "GET",
    "/v1/rating_pages/{token}",
    summary="Open the page of a rating request",
    public=True,
    answers={200: str, 404: str},
    media_type="text/html",
)
def read_rating_page(call: Call) -> Answer:
    """The link in a message opens this page, in the requester's language. Opening it rates nothing, because mail
    programs prefetch links.
    """
    return page(call.params["token"])


def page(token: str) -> Answer:
    """Return the page of a rating request, or of a link that is not valid."""
    try:
        return rating_page.of_rating(token, ratings.find(token))
    except NotFound as error:
        return rating_page.of_nothing(has_ended=isinstance(error, RatingEnded))


@operations.add(
    "POST",
    "/v1/rating_pages/{token}",
    summary="Submit the form of a rating page",
    public=True,
    unlocked=True,
    idempotency=Idempotency.unneeded,
    raw=_FORM,
    body_bytes_max=limits.json_body_bytes_max,
    answers={303: None, 404: str, 422: str},
    media_type="text/html",
    problems=(413, 415),
)
def rate_on_page(call: Call) -> Answer:
    """The form has `score`, from 1 to 5, and `comment`. The response leads back to the page. The same form again
    changes nothing.
    """
    token = call.params["token"]
    form = _form(call)
    comment = form.get("comment", "").replace("\x00", "").replace("\r\n", "\n").strip()
    with database.connection():
        migrations.check_once()
        try:
            row = ratings.find(token)
        except NotFound as error:
            return rating_page.of_nothing(has_ended=isinstance(error, RatingEnded))
        if form.get("score") not in [str(score) for score in rating_page.SCORES]:
            return rating_page.of_rating(token, row, wrong="rating_missing", comment=comment)
        if len(comment) > limits.comment_chars_max:
            return rating_page.of_rating(token, row, wrong="rating_too_long", comment=comment)
        try:
            with database.transaction():
                ratings.rate(token, int(form["score"]), comment or None)
        except RatingIsFinal:
            return rating_page.of_rating(token, row, wrong="rating_final", comment=comment)
    # See Other, so that reloading the page does not send the form again (RFC 9110, section 15.4.4).
    return Answer(status=303, headers={"Location": f"../rating_pages/{token}"})


def _form(call: Call) -> dict[str, str]:
    """Read the first value of each field. Raises UnsupportedMediaType, TooLarge."""
    media_type = (call.request.content_type or "").split(";")[0].strip().lower()
    if media_type != _FORM:
        raise UnsupportedMediaType(f"Content-Type: expected {_FORM}, found {media_type or 'none'}"[:200])
    with call.incoming.body(limits.json_body_bytes_max) as raw:
        text = raw.decode("utf-8", "replace")
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=_fields_max)
    except ValueError:  # more fields than the form has
        return {}
    return {name: values[0] for name, values in found.items()}
