"""Set-up and end of every command: settings, logs, database, channels, and a message instead of a traceback for an
operator's mistake.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from models.kernel import settings
from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.storage import database
from models.kernel.telemetry import logs
from queues import channels as _channels  # noqa: F401 -- its import registers the facts that the domain decides by


def connect(service: str = "script", *, only_look: bool = False) -> settings.Settings:
    """Set this process up from the environment and return its settings.

    `only_look`: raise ConfigurationError instead of making an SQLite database that is not there.
    """
    config = settings.current()
    path = config.database_url.removeprefix("sqlite:///")
    if only_look and path != config.database_url and not Path(path).is_file():
        raise ConfigurationError(f"there is no database at {path}; set DATABASE_URL to the desk's")
    logs.configure(service, "WARNING" if config.log_level == "INFO" else config.log_level)
    database.configure(config)
    return config


def end(main: Callable[[], int]) -> None:
    """Run a command and exit with its code. A NestorError becomes its message and exit code 1, Ctrl-C exit code 130."""
    try:
        code = main()
    except NestorError as error:
        print(f"nestor: {error.message}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("\nnestor: stopped before the end", file=sys.stderr)
        code = 130  # 128 + SIGINT, as shells report it
    except EOFError:
        print("nestor: the input ended before the answer; nothing was done", file=sys.stderr)
        code = 1
    except BrokenPipeError:  # `| head` closed the pipe
        code = 0
    raise SystemExit(code)


def progress(line: str) -> None:
    """Print the line of one step immediately."""
    print(f"  {line}", flush=True)
