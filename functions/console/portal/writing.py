"""The forms of visitors: a new request, a message, a transition, a rating."""

from __future__ import annotations

from collections.abc import Mapping

from functions.console.frame import cookies, rendering, texts
from functions.console.frame.pages import Pages, see
from functions.console.frame.texts import gettext as _
from functions.console.frame.texts import marked, reading
from functions.console.portal import forms, model_form, visits
from functions.console.portal.forms import Form
from functions.console.portal.own_requests import conversation_page, found
from functions.http.operations import Answer, AnyCall, Call
from models.attachments import queries as attachments
from models.attachments.row_types import AttachmentRow
from models.infomodel.definition import Entity
from models.kernel import limits, settings
from models.kernel.errors import FieldProblem, Invalid, NotFound, TooManyRequests
from models.kernel.ids import new_id
from models.kernel.open_json import JsonObject
from models.portal import acts, requests
from models.portal.sign_in import Visitor
from models.ticket_actions.answering import TicketClosed
from models.ticket_workflow.ratings import RatingIsFinal

pages = Pages()
operations = pages.operations
_SCORES = ("1", "2", "3", "4", "5")


@pages.get("/portal/new", "Kinds of requests", public=True)
@visits.with_visitor
def show_types(call: Call, visitor: Visitor) -> Answer:
    """A desk with one kind shows its form at once."""
    offered = requests.types()
    if len(offered) == 1:
        return see(f"/portal/new/{offered[0].name}")
    title = visits.titled(call, marked("New request"))
    return visits.page(call, visitor, "portal/types.html", title=title, types=offered)


@pages.get("/portal/new/{type}", "A new request", public=True)
@visits.with_visitor
def show_new(call: Call, visitor: Visitor) -> Answer:
    """The form of the model. Its fields appear as their conditions say; a script asks for them at each change."""
    entity = requests.type_of(call.params["type"])
    asked = forms.of_query(call)
    values = model_form.sent(entity, asked) if asked.values else model_form.defaults(entity)
    return _new_page(call, visitor, entity, asked, values=values)


def _new_page(
    call: AnyCall,
    visitor: Visitor,
    entity: Entity,
    form: Form,
    *,
    values: JsonObject,
    problems: Mapping[str, str] | None = None,
    note: str = "",
    status: int = 200,
) -> Answer:
    with reading(rendering.speaking(call)):
        title = texts.label(entity.label, entity.name)
        controls = model_form.controls(entity, values, problems, form)
    return visits.page(
        call,
        visitor,
        "portal/new.html",
        title=title,
        status=status,
        entity=entity,
        controls=controls,
        subject=form.text("title"),
        description=form.text("description"),
        name=form.text("name"),
        problems=problems or {},
        note=note,
        uploads=_files(form, visitor),
        once=str(new_id()),
        files_max=limits.attachments_per_message_max,
    )


def _files(form: Form, visitor: Visitor) -> list[AttachmentRow]:
    """Return the files of a refused form that the visitor uploaded and no message has."""
    kept = []
    for attachment_id in form.uploads:
        try:
            row = attachments.get(attachment_id)
        except NotFound:
            continue
        if row["uploaded_by"] == visitor.key and row["message_id"] is None:
            kept.append(row)
    return kept


def _refused_new(call: AnyCall, visitor: Visitor, form: Form, error: Exception) -> Answer:
    """Show the form again with all that was typed, and with what is wrong at each field."""
    entity = requests.type_of(call.params["type"])
    problems = forms.problems_of(error)
    with reading(rendering.speaking(call)):
        note = "" if problems else _why(error)
        files = next((text for path, text in problems.items() if path.startswith("/attachments")), "")
        note = note or (_("A file cannot be sent: choose it again.") if files else "")
        if "/more" in problems:
            note = _("A few more questions belong to your answers.")
    values = model_form.sent(entity, form)
    status = getattr(error, "http_status", 422)
    return _new_page(call, visitor, entity, form, values=values, problems=problems, note=note, status=status)


@forms.post(operations, "/portal/new/{type}", "Open a request", again=_refused_new)
def open_request(call: Call, visitor: Visitor, form: Form) -> Answer:
    """Fields that the answers make visible are asked for in a second step, where no script did it."""
    entity = requests.type_of(call.params["type"])
    values = model_form.sent(entity, form)
    visible = model_form.visible(entity, values)
    title, description = _one_line(form.text("title")), form.text("description").strip()
    problems = [
        FieldProblem(path, "expected a value")
        for path, text in (("/title", title), ("/description", description))
        if not text
    ]
    problems += [FieldProblem("/description", "too long")] if len(description) > limits.message_body_chars_max else []
    problems += [FieldProblem("/title", "too long")] if len(title) > limits.ticket_title_chars_max else []
    if set(visible) - set(form.all(model_form.SHOWN)):
        problems.append(FieldProblem("/more", "more fields are visible now"))
    if problems:
        raise Invalid(problems)
    ticket = acts.open_request(
        visitor,
        entity.name,
        title=title,
        description=description,
        fields={name: value for name, value in values.items() if name in visible},
        uploads=form.uploads,
        name=_one_line(form.text("name"))[: limits.name_chars_max],
        locale=rendering.speaking(call),
    )
    with reading(rendering.speaking(call)):
        toast = cookies.Toast(_("We have received your request."))
    return see(f"/portal/requests/{ticket.number}", cookies.toast(toast, settings.current()))


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _why(error: Exception) -> str:
    """Return the reason of a refusal in words for a requester. The caller has set the language."""
    if isinstance(error, TooManyRequests):
        return _("You have sent a lot in a short time. Wait a few minutes; what you typed is kept here.")
    if isinstance(error, TicketClosed):
        return _("This request is closed. Open a new one; what you typed is kept here.")
    if isinstance(error, acts.TransitionRefused):
        return _("This is not possible any more. The page shows what is.")
    if isinstance(error, RatingIsFinal):
        return _("This rating was changed too often; it stays as it is.")
    return _("This could not be sent. Look at the marked places and try again.")


def _refused_act(call: AnyCall, visitor: Visitor, form: Form, error: Exception) -> Answer:
    """Show the request again with what was typed, and why it was refused."""
    with reading(rendering.speaking(call)):
        why = _("Write a message first.") if "/body" in forms.problems_of(error) else _why(error)
        rating = _("Choose a number first.") if "/score" in forms.problems_of(error) else ""
    more = {"rating_problem": rating} if rating else {"problem": why}
    return conversation_page(
        call,
        visitor,
        found(call, visitor),
        status=getattr(error, "http_status", 422),
        body=form.text("body"),
        uploads=_files(form, visitor),
        comment=form.text("comment"),
        **more,
    )


@forms.post(operations, "/portal/requests/{number}/messages", "Write a message", again=_refused_act)
def write_message(call: Call, visitor: Visitor, form: Form) -> Answer:
    """The life cycle reacts as to a message of any channel."""
    ticket = found(call, visitor)
    body = form.text("body").strip()
    if not body and form.uploads:
        with reading(rendering.speaking(call)):
            body = _("(files)")
    if not body or len(body) > limits.message_body_chars_max:
        raise Invalid([FieldProblem("/body", "expected a text")])
    acts.answer(visitor, ticket.id, body, uploads=form.uploads)
    return see(f"/portal/requests/{ticket.number}#end")


@forms.post(operations, "/portal/requests/{number}/transitions", "Take a step", again=_refused_act)
def take_transition(call: Call, visitor: Visitor, form: Form) -> Answer:
    """A step that the life cycle leaves to the requester, such as to open a solved request again."""
    ticket = found(call, visitor)
    comment = form.text("comment").strip()[: limits.comment_chars_max]
    acts.transition(visitor, ticket.id, form.text("transition"), comment=comment or None)
    return see(f"/portal/requests/{ticket.number}")


@forms.post(operations, "/portal/requests/{number}/rating", "Rate a request", again=_refused_act)
def rate_own_request(call: Call, visitor: Visitor, form: Form) -> Answer:
    """A later rating replaces an earlier one."""
    ticket = found(call, visitor)
    if form.text("score") not in _SCORES:
        raise Invalid([FieldProblem("/score", "expected 1 to 5")])
    comment = form.text("comment").strip()[: limits.comment_chars_max]
    acts.rate(visitor, ticket.id, int(form.text("score")), comment or None)
    with reading(rendering.speaking(call)):
        toast = cookies.Toast(_("Thank you for the rating."))
    return see(f"/portal/requests/{ticket.number}", cookies.toast(toast, settings.current()))
