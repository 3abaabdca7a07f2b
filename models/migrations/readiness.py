"""The readiness of this process: the schema matches and SECRET_KEY is set. A background thread checks it, not a probe.

An unreachable database does not make the process unready: every request answers 503 on its own, and a pod without
traffic would not recover sooner. A missing or mismatched schema and a missing key need an operator, so a rollout must
stop at them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import peewee

from models import migrations
from models.kernel import limits, settings
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.telemetry import logs

log = logs.get("readiness")
_STARTING = "The process has just started and has not checked its database yet."


def check() -> None:
    """Raise ConfigurationError with the reason why this process cannot work, and Unavailable while the database is
    unreachable.
    """
    settings.current().signing_key()
    migrations.check()


class Readiness:
    """The answer to /readyz. `start` checks immediately and then repeatedly: often while there is a problem, otherwise
    once a minute.
    """

    def __init__(self, check: Callable[[], None] = check) -> None:
        self._check = check
        self._checked = False
        self._reason: str | None = None
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="readiness", daemon=True)

    def start(self) -> Readiness:
        """Start the checks in a background thread; return this object."""
        self._started = time.monotonic()
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the checks; a check that runs ends first, within `limits.readiness_first_s`."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(limits.readiness_first_s)

    def reason(self) -> str | None:
        """Return the reason why the process cannot work, or None. It never waits and contacts no server.

        The first check can hang if the database does not answer. After limits.readiness_first_s, such a database
        counts as unreachable.
        """
        if not self._checked and time.monotonic() - self._started < limits.readiness_first_s:
            return _STARTING
        return self._reason

    def _run(self) -> None:
        while not self._stop.is_set():
            answered = self._check_once()
            self._checked = True
            well = answered and self._reason is None
            self._stop.wait(limits.readiness_again_s if well else limits.readiness_soon_s)

    def _check_once(self) -> bool:
        """Check once; return True when the database answered. Without an answer, the last result stays."""
        try:
            self._check()
        except ConfigurationError as error:
            self._record(error.message)
        except (NestorError, peewee.OperationalError) as error:
            log.debug("readiness_unknown", error=logs.named(error))
            return False
        except peewee.PeeweeException as error:  # a role without privileges, or a table of another program
            self._record(f"The database's schema cannot be read ({logs.named(error)}).")
        except Exception as error:
            # Without this thread, the last answer would stay unchanged.
            log.error("readiness_check_failed", exc_info=error)
            return False
        else:
            self._record(None)
        return True

    def _record(self, reason: str | None) -> None:
        if reason == self._reason:
            return
        self._reason = reason
        if reason is None:
            log.info("ready")
        else:
            log.error("not_ready", reason=reason)
