"""The functions that the desk consists of, with the paths that each serves.

The embedded desk mounts them from this list, and tests hold that it matches the folders, the operations and the
manifests. A new function is a folder with an `app.py` and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from wsgiref.types import WSGIEnvironment

WsgiApp = Callable[[WSGIEnvironment, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Function:
    """A folder of `functions/`. `paths` are the prefixes of its operations, besides those of
    `functions/http/health.py`. `rest`: it serves every path that no other function serves.
    """

    name: str
    paths: tuple[str, ...]
    rest: bool = False

    @property
    def factory(self) -> str:
        """The application factory, as gunicorn's command names it."""
        return f"functions.{self.name}.app:create_app()"

    def create_app(self) -> WsgiApp:
        """Import the function and make its application."""
        app: WsgiApp = import_module(f"functions.{self.name}.app").create_app()
        return app


FUNCTIONS = (
    Function("gateway", ("/v1/", "/files/", "/.well-known/")),
    Function("webhooks", ("/webhooks/",)),
    Function("tick", ("/tick",)),
    Function("console", ("/",), rest=True),
)
# Serves the health and documentation of a process that runs all functions.
MAIN = FUNCTIONS[0]
_OF_MAIN = ("/healthz", "/healthz/deep", "/readyz", "/metrics", "/openapi.json", "/docs")


def mounted(functions: Sequence[Function], main: Function) -> WsgiApp:
    """One application of several functions: a path goes to the function that serves its prefix, health and
    documentation to `main`, any other path to the function that serves the rest, else to `main`.
    """
    apps = {function.name: function.create_app() for function in functions}
    routes = [(path, apps[function.name]) for function in functions if not function.rest for path in function.paths]
    rest = next((function for function in functions if function.rest), main)

    def application(environ: WSGIEnvironment, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        fallback = main if path.rstrip("/") in _OF_MAIN else rest
        app = next((app for prefix, app in routes if path.startswith(prefix)), apps[fallback.name])
        return app(environ, start_response)

    return application
