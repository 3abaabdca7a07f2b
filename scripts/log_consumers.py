"""Show and rebuild the consumers of the event log.

`python -m scripts.log_consumers` shows how far each consumer is behind. `python -m scripts.log_consumers rebuild NAME`
removes everything that the consumer has built and applies the whole log again. The command can be stopped at any time:
the desk's workers go on, and so does the same command with `resume`. `repeat NAME [EVENT]` applies the parked events of
the consumer, or one of them: events at which worker after worker died, and which the consumer has passed.
"""

from __future__ import annotations

import argparse
from uuid import UUID

from models import migrations
from models.events.following import consumers, parking
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
    repeat = verbs.add_parser("repeat", help="apply events that were parked because they ended their workers")
    repeat.add_argument("name", help="the consumer's name")
    repeat.add_argument("event", nargs="?", type=UUID, help="the id of one event; without it, all parked ones")
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
    if options.verb == "repeat":
        return _repeat(consumer, options.event)
    if options.verb == "rebuild":
        consumers.restart(consumer)
    print(f"applied the log up to event {follow(consumer)}")
    return 0


def _show() -> int:
    with database.connection():
        for lag in consumers.lags():
            parked = parking.events_of(lag["name"])
            print(
                f"{lag['name']:<20} at {lag['number']} of {lag['end']}, {words.counted(lag['behind'], 'event')} behind"
                + (f", parked: {', '.join(map(str, parked))}" if parked else "")
            )
    return 0


def _repeat(consumer: Consumer, event_id: UUID | None) -> int:
    with database.connection():
        wanted = parking.events_of(consumer.name) if event_id is None else [event_id]
    done = sum(parking.repeat(consumer, one) for one in wanted)
    if event_id is not None and not done:
        raise NotFound(f"the event {event_id} is not parked by {consumer.name}")
    print(f"applied {words.counted(done, 'parked event')}")
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
