"""The browser of the console's tests: Debian's Chromium, driven by Playwright.

Playwright's own browsers are not downloaded: a Debian package is checked by its archive, and CI has it like the other
servers.
"""

from __future__ import annotations

import os
import shutil

MISSING = (
    "Chromium (the browser of the console's tests) is not on this machine: looked for $CHROMIUM, chromium and"
    " chromium-browser in PATH. Debian: apt-get install chromium."
)
# No sandbox, because CI runs as root; no calls home, because a test refuses requests to other hosts.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_program() -> str | None:
    """Return Chromium's program; None when it is not installed."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")
