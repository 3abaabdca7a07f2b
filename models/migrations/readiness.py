"""The readiness of this process: the schema fits and SECRET_KEY is there. A background thread looks, never a probe.

A database that cannot be reached is no reason: every request answers 503 by itself, and a pod that is taken out for it
would not serve sooner. A missing or unfit schema and a missing key do not pass by themselves, and a rollout must stop
at them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import peewee

from models import migrations
from models.kernel import limits, logs, settings
from models.kernel.errors import ConfigurationError, NestorError

log = logs.get("readiness")
_STARTING = "The process has just started and has not looked at its database yet."


def look() -> None:
    """Raise ConfigurationError that says why this process cannot do its work; Unavailable while the
    database is away.
    """
    settings.current().signing_key()
    migrations.check()


class Readiness:
    """The answer to /readyz. `start` looks once at once, then again: often while something is wrong, else once a
    minute.
    """

    def __init__(self, look: Callable[[], None] = look) -> None:
        self._look = look
        self._looked = False
        self._reason: str | None = None
        self._started = time.monotonic()
        self._stop = threading.Event()

    def start(self) -> Readiness:
        """Begin to look, in a thread of its own; returns itself."""
        self._started = time.monotonic()
        threading.Thread(target=self._run, name="readiness", daemon=True).start()
        return self

    def stop(self) -> None:
        self._stop.set()

    def reason(self) -> str | None:
        """Return the reason that the process cannot do its work, or None. Never waits and touches no server.

        The first look may hang in a database that says nothing; after limits.readiness_first_s that is a database that
        is away.
        """
        if not self._looked and time.monotonic() - self._started < limits.readiness_first_s:
            return _STARTING
        return self._reason

    def _run(self) -> None:
        while not self._stop.is_set():
            answered = self._looks()
            self._looked = True
            well = answered and self._reason is None
            self._stop.wait(limits.readiness_again_s if well else limits.readiness_soon_s)

    def _looks(self) -> bool:
        """Look once; True when there was an answer. Without one the last answer stands."""
        try:
            self._look()
        except ConfigurationError as error:
            self._tell(error.message)
        except (NestorError, peewee.OperationalError) as error:
            log.debug("readiness_unknown", error=logs.named(error))
            return False
        except peewee.PeeweeException as error:  # a role without rights, a table of another program
            self._tell(f"The database's schema cannot be read ({logs.named(error)}).")
        else:
            self._tell(None)
        return True

    def _tell(self, reason: str | None) -> None:
        if reason == self._reason:
            return
        self._reason = reason
        if reason is None:
            log.info("ready")
        else:
            log.error("not_ready", reason=reason)
