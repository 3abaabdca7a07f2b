"""The console's application: `gunicorn -c functions/gunicorn_conf.py 'functions.console.app:create_app()'`."""

from __future__ import annotations

from typing import Any

from functions.console.frame import errors, session
from functions.http import runtime, web
from functions.http.operations import Operations
from models.kernel import imports
from models.kernel.settings import Settings
from queues import channels  # noqa: F401 -- registers the facts of the channels
from queues.sweep import OpportunisticSweep

# Pages show what this origin serves, and run no script of a text: nothing inline, nothing of another host.
# Source: Content Security Policy Level 3.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # A form that is posted from a page with `no-referrer` has the Origin "null" (Fetch Standard, section 3.2).
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def operations(config: Settings) -> Operations:
    """The pages and forms of all rooms."""
    from functions.console.door import company, sign_in
    from functions.console.frame import assets, palette, places
    from functions.console.inbox import bulk, lists
    from functions.console.portal import door, own_requests, writing
    from functions.console.profile import profile, safety
    from functions.console.ticket import files, mail_frames, messages, properties, ready_texts, show, transitions

    collected = Operations()
    rooms = (
        (assets, places, palette),
        (sign_in, company),
        (bulk, lists),
        (show, messages, transitions, properties, mail_frames, files, ready_texts),
        (profile, safety),
        (door, own_requests, writing),
    )
    for module in (module for room in rooms for module in room):
        collected.all.extend(module.operations.all)
    if config.sandbox_url:  # the demo; any other desk has no such address
        imports.load("functions.console.sandbox.mailbox", "functions.console.sandbox.page")
        from functions.console.sandbox import mailbox, page

        collected.all.extend([*page.operations.all, *mailbox.operations.all])
    return collected


def create_app() -> Any:
    """The WSGI application."""
    config = runtime.start("console")
    front = web.Front(session.authenticate, errors.add, _HEADERS)
    return web.create_app(
        "console", operations(config), configured=config, after=OpportunisticSweep().maybe, front=front
    )
