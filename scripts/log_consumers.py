"""Show and rebuild the consumers of the event log.

`python -m scripts.log_consumers` shows how far each consumer is behind. `python -m scripts.log_consumers rebuild NAME`
removes everything that the consumer has built and applies the whole log again. The command can be stopped at any time:
the desk's workers go on, and so does the same command with `resume`.
"""

from __future__ import annotations

import argparse

from models import migrations
from models.events.following import consumers
from models.events.following.consumers import Consumer
from models.kernel.errors import NotFound
from models.kernel.storage import database
from queues import log_consumers
from scripts import _cli
from scripts.explain import words

_STEPS_SHOWN = 20  # a line of progress after so many batches


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.log_consumers", description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb")
    for verb, said in (("rebuild", "begin with the oldest event"), ("resume", "read on to the end of the log")):
        verbs.add_parser(verb, help=said).add_argument("name", help="the consumer's name")
    options = parser.parse_args()
    _cli.connect("log_consumers", only_look=True)
    migrations.check()
    with database.transaction():
        consumers.ensure(log_consumers.CONSUMERS)
    if options.verb is None:
        return _show()
    consumer = log_consumers.by_name(options.name)
    if consumer is None:
        known = ", ".join(consumer.name for consumer in log_consumers.CONSUMERS)
        raise NotFound(f"there is no consumer {options.name}; there are: {known}")
    if options.verb == "rebuild":
        consumers.restart(consumer)
    print(f"applied the log up to event {follow(consumer)}")
    return 0


def _show() -> int:
    with database.connection():
        for lag in consumers.lags():
            print(
                f"{lag['name']:<20} at {lag['number']} of {lag['end']}, {words.counted(lag['behind'], 'event')} behind"
            )
    return 0


def follow(consumer: Consumer) -> int:
    """Do steps until the end of the log; return the number of the position."""
    steps = 0
    while consumers.step(consumer):
        steps += 1
        if steps % _STEPS_SHOWN == 0:
            _cli.progress(_place(consumer))
    with database.connection():
        return consumers.position_of(consumer.name).number


def _place(consumer: Consumer) -> str:
    with database.connection():
        found = consumers.position_of(consumer.name)
        [lag] = [lag for lag in consumers.lags() if lag["name"] == consumer.name]
    if found.unnumbered_id is not None:
        return f"events of releases without numbers, up to {found.unnumbered_id}"
    return f"{found.number} of {lag['end']}"


if __name__ == "__main__":
    _cli.end(main)
