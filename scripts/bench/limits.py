"""Sizes and bounds of a run. `Plan` is what `--quick` makes smaller; times in seconds (`_s`)."""

from __future__ import annotations

from dataclasses import dataclass

start_s_max = 30.0  # a process of ours answers within this, or the run ends with its log
stop_s_max = 15.0  # a worker idles out in 3 s; then it is killed
request_s_max = 20.0  # an answer that takes longer ends the sample as a failure
foreign_share_max = 0.15  # above this, others' CPU use has bent the sample
poll_s = 0.002  # how exactly a start is timed
settle_s = 2.0  # an idle desk's memory is read after this
drain_s_max = 120.0  # the backlog and the acknowledgements come to an end within this


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of one run."""

    clients: tuple[int, ...] = (1, 8, 32)
    repeats: int = 3  # medians of this many samples
    sample_s: float = 4.0
    warm_up_s: float = 1.0
    backlog: int = 3_000  # stored events that one worker reads
    acknowledgements: int = 200
    acknowledgements_per_s: float = 12.0  # half of what a bot may send (limits.telegram_bot_per_s)
    replies: int = 300
    cold_starts: int = 5
    decisions: int = 10_000
    due_timers: int = 100_000
    live_tickets: int = 100_000
    replayed_events: int = 100_000
    bulk_tickets: int = 10_000
    desk_tickets: tuple[int, ...] = (10_000, 100_000)


QUICK = Plan(
    clients=(1, 2),
    repeats=1,
    sample_s=0.5,
    warm_up_s=0.2,
    backlog=40,
    acknowledgements=8,
    replies=10,
    cold_starts=1,
    decisions=200,
    due_timers=600,
    live_tickets=300,
    replayed_events=200,
    bulk_tickets=60,
    desk_tickets=(5_000,),
)
