"""The look that a browser keeps: theme, density of lists, keys and, before a sign-in, the language.

It is a cookie and no column of the user, because it belongs to a screen: a person may want a dark laptop and a light
projector. The server reads it, so a page never flashes in the other theme.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import falcon

from functions.console.frame import cookies
from models.kernel import languages
from models.kernel.settings import Settings

THEMES: Final = ("system", "light", "dark")
DENSITIES: Final = ("comfortable", "compact")
KEYS: Final = ("on", "off")


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a browser. `language`: the tag that was chosen on this browser, or an empty text."""

    theme: str = "system"
    density: str = "comfortable"
    keys: str = "on"
    language: str = ""

    def cookie(self, config: Settings) -> str:
        """Return the cookie that keeps this look."""
        return cookies.look(".".join((self.theme, self.density, self.keys, self.language)), config)

    def changed(self, **values: str | None) -> Look:
        """Return the look with the given values; None and unknown values change nothing."""
        known = {"theme": THEMES, "density": DENSITIES, "keys": KEYS}
        good = {
            name: value
            for name, value in values.items()
            if value and (value in known[name] if name in known else languages.is_tag(value))
        }
        return replace(self, **good)


def of(request: falcon.Request, config: Settings) -> Look:
    """Return the look of the browser; unknown values become the defaults."""
    parts = (cookies.read(request, cookies.LOOK, config) or "").split(".")
    names = ("theme", "density", "keys", "language")
    return Look().changed(**dict(zip(names, parts, strict=False)))
