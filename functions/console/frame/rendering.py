"""Pages from templates: the environment of Jinja2, and the values that every page has.

A template is named by its room: `inbox/list.html` is `functions/console/inbox/templates/list.html`. The macros of
`frame/parts.html` are the components; `frame/layout.html` is the page around the rest.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import falcon

from functions.console.frame import assets, cookies, formats, icons, look, navigation, session, texts
from functions.console.frame.look import Look
from functions.console.rooms import FOLDER
from functions.http.operations import Answer, AnyCall
from models.definitions import desk
from models.identity import queries as identity
from models.identity.rules import Permission
from models.kernel import imports, settings
from models.kernel.settings import Settings

if TYPE_CHECKING:
    from jinja2 import Environment

_HTML: Final = "text/html; charset=utf-8"
# A page is 20 to 60 KB; level 5 takes 1 ms for it and saves six of seven bytes.
_GZIP_LEVEL: Final = 5
_GZIP_BYTES_MIN: Final = 600
_lock = threading.Lock()
_environment: list[Environment] = []


@dataclass(slots=True)
class Frame:
    """The values that every page has besides its own. `me` is None before a sign-in; `icons` collects the icons that
    the page uses.
    """

    title: str
    desk: str
    language: str
    look: Look
    path: str
    csrf: str = ""
    me: identity.User | None = None
    permissions: frozenset[Permission] = frozenset()
    groups: Sequence[navigation.Group] = ()
    toasts: list[cookies.Toast] = field(default_factory=list)
    demo: bool = False
    tag: str = ""
    icons: dict[str, str] = field(default_factory=dict)


def page(
    call: AnyCall,
    template: str,
    *,
    title: str,
    status: int = 200,
    toast: cookies.Toast | None = None,
    with_cookies: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    tag: str = "",
    **values: Any,
) -> Answer:
    """Return a page. `tag`: the state of the data that it shows, for live updates (live.js)."""
    config = settings.current()
    frame = _frame(call, title, config)
    frame.tag = tag
    shown = list(with_cookies)
    waiting = cookies.read_toast(call.request, config)
    if waiting is not None:
        frame.toasts.append(waiting)
        shown.append(cookies.without_toast(config))
    if toast is not None:
        frame.toasts.append(toast)
    with texts.reading(frame.language):
        body = _rendered(template, frame, values)
    return _html(call.request, body, status, {**(headers or {})}, tuple(shown))


def speaking(call: AnyCall) -> str:
    """Return the language of the caller: the user's, else the browser's."""
    config = settings.current()
    locale = identity.get_user(call.principal.id).locale if call.principal is not None else None
    return _language(call.request, locale, look.of(call.request, config))


def error_page(
    request: falcon.Request,
    *,
    status: int,
    headline: str,
    message: str,
    retry_s: int | None,
    request_id: str,
    start: str = "/",
) -> bytes:
    """Return the page of an error, with a link to `start`.

    It opens no connection, because the database may be the reason.
    """
    config = settings.current()
    seen = look.of(request, config)
    language = _language(request, None, seen, with_desk=False)
    frame = Frame("", "Nestor", language, seen, request.path)
    with texts.reading(language):
        frame.title = texts.gettext(headline)
        values = {
            "status": status,
            "message": message,
            "retry_s": retry_s,
            "request_id": request_id,
            "start": start,
        }
        return _rendered("frame/error.html", frame, values)


def fragment(call: AnyCall, template: str, **values: Any) -> Answer:
    """Return a part of a page, which a script puts into the page that it is on."""
    frame = _frame(call, "", settings.current(), navigated=False)
    with texts.reading(frame.language):
        body = _rendered(template, frame, values)
    return _html(call.request, body, 200, {}, ())


def environment() -> Environment:
    """Return the environment of Jinja2; the first call makes it."""
    if not _environment:
        with _lock:
            if not _environment:
                _environment.append(_made())
    return _environment[0]


def _made() -> Environment:
    imports.load("jinja2")
    import jinja2  # cold start: loaded at the first page

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        cache_size=400,
    )
    translations: Any = made  # the extension adds methods to the environment
    translations.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)
    made.filters.update(formats.FILTERS)
    made.globals.update(
        asset=lambda name: assets.files().address(name),
        label=texts.label,
        languages=texts.LANGUAGES,
        symbols=icons.symbols,
    )
    return made


def _source(name: str) -> tuple[str, str, Any] | None:
    room, _, file = name.partition("/")
    path = FOLDER / room / "templates" / file
    return (path.read_text(encoding="utf-8"), str(path), lambda: True) if path.exists() else None


def _rendered(template: str, frame: Frame, values: Mapping[str, Any]) -> bytes:
    shown = environment().get_template(template).render(frame=frame, script_texts=texts.for_scripts, **values)
    return shown.encode()


def _html(request: falcon.Request, body: bytes, status: int, headers: dict[str, str], shown: tuple[str, ...]) -> Answer:
    headers["Vary"] = "Accept-Encoding, Cookie"
    if len(body) >= _GZIP_BYTES_MIN and "gzip" in (request.get_header("Accept-Encoding") or ""):
        body, headers["Content-Encoding"] = gzip.compress(body, _GZIP_LEVEL, mtime=0), "gzip"
    return Answer(status=status, raw=body, content_type=_HTML, headers=headers, cookies=shown)


def _frame(call: AnyCall, title: str, config: Settings, *, navigated: bool = True) -> Frame:
    seen = look.of(call.request, config)
    me = identity.get_user(call.principal.id) if call.principal is not None else None
    language = _language(call.request, me.locale if me is not None else None, seen)
    frame = Frame(title, desk.current().desk, language, seen, call.request.path, demo=bool(config.sandbox_url))
    if call.principal is not None and call.principal.session_id is not None:
        frame.me, frame.permissions = me, call.principal.permissions
        frame.csrf = session.form_token(call.principal.session_id, config)
        if navigated:
            with texts.reading(language):
                frame.groups = navigation.of(call, demo=frame.demo)
    return frame


def _language(request: falcon.Request, locale: str | None, seen: Look, *, with_desk: bool = True) -> str:
    wanted = [locale, seen.language, *texts.accepted(request.get_header("Accept-Language"))]
    return texts.chosen(*wanted) if with_desk else texts.chosen_without_desk(*wanted)
