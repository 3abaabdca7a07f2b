"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

import time
from collections.abc import Callable

from tests.services import limits


def wait_until(condition: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Return once `condition` holds; raise TimeoutError naming `what` after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {within_s:g} s.")
        time.sleep(limits.poll_s)
