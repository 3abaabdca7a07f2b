"""Limits of notices, each with its reason."""

from __future__ import annotations

notices_in_batch_max = 50  # of one digest: a mail that nobody reads to its end helps nobody; the next mail has the rest
notice_late_s = 3600.0  # a hand-over is done within a second of its time; an hour later its task is dead
notice_deliveries_kept_s = 60 * 24 * 3600.0  # people ask about a notice of this month; answers to it end earlier
notice_answer_s = 14 * 24 * 3600.0  # a notice is answered within days; an old mail in a stolen mailbox opens nothing
# A flood of forged answers is no flood of notices, and a program that answers each mail gets one mail a day.
answer_refused_notice_every_s = 24 * 3600.0
# Mail servers retry for some days, and a desk may be down over a weekend. A mail that is older was kept by somebody.
answer_on_its_way_s = 4 * 24 * 3600.0
answer_clock_tolerance_s = 15 * 60.0  # clocks of people's machines; time zones are part of Date
notice_answers_burst, notice_answer_every_s = 30, 60.0  # nobody answers more by hand; a stolen mailbox does no more
notice_excerpt_chars_max = 1_500  # of the message that a notice shows: enough to answer, too little to replace the desk
