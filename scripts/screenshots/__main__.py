"""Take pictures of every screen of the console: python -m scripts.screenshots [FOLDER] [--only WORD]

Starts a demo of its own, lets the cast write, and opens each screen in Debian's Chromium: light and dark, English and
Russian, at 1440, 1180 and 360 pixels. Needs the packages of requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from models.kernel.errors import ConfigurationError
from scripts import _cli
from scripts.screenshots.cast import Stage

# Name of the picture, address, and the role that sees it (None: nobody has signed in).
SCREENS: Final = (
    ("sign-in", "/sign-in", None),
    ("inbox", "/inbox/all", "agent"),
    ("inbox-empty", "/inbox/snoozed", "agent"),
    ("inbox-failed", "/inbox/failed_sends", "agent"),
    ("search", "/inbox/all?q=printer&priority=high,normal", "agent"),
    ("ticket", "/t/2?in=all", "agent"),
    ("palette", "/palette?q=printer", "agent"),
    ("profile", "/me", "agent"),
    ("more", "/more", "agent"),
    ("components", "/styleguide", "agent"),
    ("error", "/nowhere", "agent"),
)
WIDTHS: Final = {1440: 900, 1180: 800, 360: 740}
THEMES: Final = ("light", "dark")
LANGUAGES: Final = {"en": "en-GB", "ru": "ru-RU"}
_PASSWORD: Final = "nestor-demo"  # noqa: S105 -- the demo's, which is public
_START_S: Final = 60.0
_STOP_S: Final = 20.0
_ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """Run a demo in a folder of its own; yields its address and that of its sandbox's control port."""
    with tempfile.TemporaryDirectory(prefix="nestor-screens-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "scripts.desk", "--port", str(port), "--data-dir", folder]
        desk = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            _wait_until_up(f"http://127.0.0.1:{port}/readyz", desk)
            ports = json.loads((Path(folder) / "sandbox" / "ports.json").read_text(encoding="utf-8"))
            yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{ports['control_port']}"
        finally:
            desk.send_signal(signal.SIGTERM)
            desk.wait(_STOP_S)


def _wait_until_up(address: str, desk: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if desk.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 -- our own desk
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise ConfigurationError("the demo did not start")


def take(browser: Any, url: str, folder: Path, only: str) -> int:
    """Take the pictures; returns their number."""
    made = 0
    states: dict[tuple[str, str], Any] = {}
    for language, locale in LANGUAGES.items():
        for theme in THEMES:
            for width, height in WIDTHS.items():
                for name, address, role in SCREENS:
                    if only not in name:
                        continue
                    if role is not None and (role, language) not in states:
                        states[role, language] = _signed_in(browser, url, role, language)
                    context = browser.new_context(
                        base_url=url,
                        viewport={"width": width, "height": height},
                        color_scheme=theme,
                        locale=locale,
                        reduced_motion="reduce",
                        storage_state=states[role, language] if role is not None else None,
                    )
                    page = context.new_page()
                    page.goto(address)
                    page.wait_for_selector("html[data-ready]")
                    page.screenshot(path=folder / f"{name}-{width}-{theme}-{language}.png")
                    context.close()
                    made += 1
    return made


def _signed_in(browser: Any, url: str, role: str, language: str) -> Any:
    """Return the cookies of a role whose user reads this language."""
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("#email", f"{role}@example.test")
    page.fill("#password", _PASSWORD)
    page.click("form.stack button[type=submit]")
    page.wait_for_url(lambda address: "/sign-in" not in address)
    page.goto("/me")
    page.select_option("#language", language)
    page.click("form[action='/me/language'] button")
    page.wait_for_url("**/me")
    state = context.storage_state()
    context.close()
    return state


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", default="var/screenshots", help="default: var/screenshots")
    parser.add_argument("--only", default="", help="only screens with this word in their name")
    options = parser.parse_args()
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise ConfigurationError("Chromium is not on this machine; Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # of requirements-dev.txt; other commands run without it

    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with demo() as (url, sandbox_url):
        _cli.progress("the cast writes")
        Stage(url, sandbox_url).play()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
            made = take(browser, url, folder, options.only)
            browser.close()
    print(f"{made} pictures in {folder}")
    return 0


if __name__ == "__main__":
    _cli.end(main)
