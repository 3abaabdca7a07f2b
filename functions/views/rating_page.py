"""The page on which a requester rates a ticket: HTML without scripts, in the requester's language."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from functions.http import response_headers
from functions.http.operations import Answer
from models.channels import texts
from models.definitions import desk
from models.kernel import limits
from models.requesters import queries as requesters
from models.ticket_workflow.row_types import RatingRow

SCORES = (1, 2, 3, 4, 5)
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "yi"})
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}"
    "h1{font-size:1.3rem}fieldset{border:0;padding:0;margin:1rem 0;display:flex;gap:.5rem}"
    "button{font:inherit;font-weight:600;flex:1;min-height:3rem;border:2px solid #1f5fa8;border-radius:.4rem;"
    "background:#fff;color:#1f5fa8;cursor:pointer}"
    "button[aria-pressed=true]{background:#1f5fa8;color:#fff}button:focus-visible{outline:3px solid #f0a020}"
    "textarea{font:inherit;box-sizing:border-box;width:100%;min-height:6rem}"
    ".said{border-inline-start:4px solid #2d7d46;padding-inline-start:.7rem}"
    ".wrong{border-inline-start:4px solid #b3261e;padding-inline-start:.7rem}"
)
_HEADERS = response_headers.for_page(_STYLE, forms=True)

_Say = Callable[..., str]


def of_rating(token: str, row: RatingRow, *, wrong: str | None = None, comment: str | None = None) -> Answer:
    """Return the page of a rating request. `wrong`: the name of the text that says what was wrong with the press."""
    requester_id = row["requester_id"]
    tag, say = _speaker(requesters.name_and_locale(requester_id)[1] if requester_id else None)
    given = row["score"]
    title = say("rating_question", number=row["ticket_number"])
    parts = [f"<h1>{escape(title)}</h1>", f"<p>{escape(row['title'])}</p>"]
    if wrong is not None:
        told = say(wrong, limit=limits.comment_chars_max)
        parts.append(f'<p class="wrong" role="alert">{escape(told)}</p>')
    elif given is not None:
        parts.append(f'<p class="said" role="status">{escape(say("rating_given", score=given))}</p>')
    parts.append(_form(token, say, given, comment if comment is not None else row["comment"] or ""))
    return _answer(tag, title, "".join(parts), status=200 if wrong is None else 422)


def of_nothing(*, has_ended: bool = False) -> Answer:
    """Return the page of a link that is not valid, or not any more, in the desk's language."""
    tag, say = _speaker(None)
    told = say("rating_ended" if has_ended else "rating_unknown")
    return _answer(tag, told, f"<h1>{escape(told)}</h1>", status=404)


def _form(token: str, say: _Say, given: int | None, comment: str) -> str:
    """The form. Each number is a button that sends it, so no script is needed."""
    buttons = "".join(
        f'<button name="score" value="{score}" aria-label="{escape(say("rating_score", score=score))}"'
        f' aria-pressed="{"true" if score == given else "false"}">{score}</button>'
        for score in SCORES
    )
    return (
        f'<form method="post" action="../rating_pages/{escape(token)}" accept-charset="utf-8">'
        f'<p id="hint">{escape(say("rating_hint"))}</p><fieldset aria-describedby="hint">{buttons}</fieldset>'
        f'<label for="comment">{escape(say("rating_comment"))}</label>'
        f'<textarea id="comment" name="comment" maxlength="{limits.comment_chars_max}">'
        f"\n{escape(comment)}</textarea></form>"
    )


def _speaker(language: str | None) -> tuple[str, _Say]:
    """Return the language of the page, and the function that says its texts."""

    def say(name: str, **values: object) -> str:
        return texts.filled(texts.of_desk(name, language)[1], values)

    return texts.of_desk("rating_question", language)[0], say


def _answer(tag: str, title: str, content: str, *, status: int) -> Answer:
    direction = "rtl" if tag.partition("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"
    page = (
        f'<!doctype html><html lang="{escape(tag)}" dir="{direction}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)} - {escape(desk.current().desk)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{content}</main></body></html>"
    )
    return Answer(raw=page.encode(), status=status, headers=_HEADERS, content_type="text/html; charset=utf-8")
