"""The command of a worker: `python -m queues.master -t 8 --queues default`, Dramatiq's own options.

Dramatiq's command line sets its own log format in its master process before any module of ours is loaded, and starts
one process for each CPU. This entry point sets up the desk's JSON logs first, refuses more than one process
(queues/worker.py says why) and then runs the same command line. `dramatiq queues.worker:create_broker -p 1 ...` works
as well; its master's few lines are plain text.
"""

from __future__ import annotations

import sys

from dramatiq import cli

from models.kernel import settings
from models.kernel.errors import ConfigurationError
from models.kernel.telemetry import logs

log = logs.get("process")
BROKER = "queues.worker:create_broker"


def main() -> int:
    """Run until SIGTERM; returns Dramatiq's exit code."""
    logs.configure("worker")
    try:
        logs.configure("worker", settings.current().log_level)
    except ConfigurationError as error:
        log.error("start_refused", reason=error.message)
        return 1
    arguments = sys.argv[1:]
    parser = cli.make_argument_parser()  # type: ignore[no-untyped-call]  # Dramatiq's has no types
    parser.set_defaults(processes=1)
    options = parser.parse_args([BROKER, "--skip-logging", *arguments])
    if options.processes != 1:
        log.error(
            "start_refused",
            reason=f"expected one process, found {options.processes}; start more commands or pods instead",
        )
        return 2
    # Dramatiq executes sys.argv again on SIGHUP, and the worker reads it (`_refuse_siblings`).
    sys.argv = [sys.executable, "-m", "queues.master", "-p", "1", *arguments]
    return int(cli.main(options) or 0)  # type: ignore[no-untyped-call]  # Dramatiq has no types


if __name__ == "__main__":
    sys.exit(main())
