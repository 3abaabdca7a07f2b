"""What every verb needs: settings, logs, database; and a sentence instead of a traceback for what an operator can mend."""

from __future__ import annotations

import sys
from collections.abc import Callable

from models.kernel import database, logs, settings
from models.kernel.errors import NestorError


def connect(service: str = "script") -> settings.Settings:
    """Set this process up from the environment and return its settings."""
    config = settings.current()
    logs.configure(service, "WARNING" if config.log_level == "INFO" else config.log_level)
    database.configure(config)
    return config


def end(main: Callable[[], int]) -> None:
    """Run a verb and exit with its code; an error of ours becomes its message and exit code 1."""
    try:
        code = main()
    except NestorError as error:
        print(f"nestor: {error.message}", file=sys.stderr)
        code = 1
    except BrokenPipeError:  # `| head` closed the pipe
        code = 0
    raise SystemExit(code)


def progress(line: str) -> None:
    """One line a step, at once."""
    print(f"  {line}", flush=True)
