"""gunicorn's own lines, the master's and the workers', in the desk's JSON form."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from models.kernel import settings
from models.kernel.telemetry import logs


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """The value of gunicorn's `logger_class`. A worker sets the service's name again when it starts its function
    (functions/http/runtime.py).
    """

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logs.configure("gunicorn", settings.current().log_level)
        for logger in (self.error_log, self.access_log):
            logger.handlers[:] = []
            logger.propagate = True
