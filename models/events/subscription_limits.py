"""Every bound of outgoing webhooks, with its reason."""

from __future__ import annotations

call_total_s = 15.0  # Standard Webhooks advises receivers to answer within 15 s: take it, work later
connect_s = 5.0  # a host that is up answers in far less; part of the above
response_chars_kept = 500  # of an answer, in the attempt log: enough for an error message, no dump of a page
subscriptions_max = 100  # of a desk; each is a row in the join of every event
event_types_max = 100  # of a subscription; more are "*"
description_chars_max = 200  # one line of a list
rotation_s = 24 * 3600.0  # two secrets sign meanwhile: a receiver has a day to change over
failing_s_max = 3 * 24 * 3600.0  # a receiver that takes nothing for three days is switched off
failures_before_rest = 3  # single failures are retried one by one; after three in a row the receiver rests
rest_s_min, rest_s_max = (
    5.0,
    900.0,
)  # the rest doubles; a quarter of an hour lets a receiver that is back be noticed soon
probe_s = call_total_s + 5.0  # after a rest one delivery goes alone; the others wait until its outcome is known
return_gap_s = (
    0.01  # between deliveries that come back: a hundred a second, so that a backlog leaves the senders to others
)
delivery_kept_s = (
    30 * 24 * 3600.0
)  # the log answers "what did they get last month"; missed ones can be replayed as long
replays_max = 10_000  # deliveries that one word sends again; the next word takes the rest
replays_written_at_once = 200  # rows of one statement
