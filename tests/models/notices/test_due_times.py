"""The instant at which a notice leaves: digests, quiet hours, time zones and their changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.notice_settings.rules import (
    DEFAULT_WAYS,
    Digest,
    Kind,
    NoticeSettings,
    QuietHours,
    Way,
    after_quiet,
    due_at,
    problems,
)

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "now", "expected"),
    [
        # 2026-03-04 is a Wednesday; Berlin is an hour ahead of UTC.
        (QuietHours("20:00", "07:00"), "2026-03-04T12:00", "2026-03-04T12:00"),
        (QuietHours("20:00", "07:00"), "2026-03-04T18:59:59.5", "2026-03-04T18:59:59.5"),
        (QuietHours("20:00", "07:00"), "2026-03-04T19:00", "2026-03-05T06:00"),
        (QuietHours("20:00", "07:00"), "2026-03-05T05:59:59", "2026-03-05T06:00"),
        (QuietHours("12:00", "13:30"), "2026-03-04T11:30", "2026-03-04T12:30"),
        (QuietHours("00:00", "07:00"), "2026-03-04T23:30", "2026-03-05T06:00"),
        (QuietHours("20:00", "00:00"), "2026-03-04T19:30", "2026-03-04T23:00"),
        # Friday evening until Monday morning.
        (QuietHours("20:00", "07:00", ("sat", "sun")), "2026-03-06T19:30", "2026-03-09T06:00"),
        # The clocks go forward in the night to Sunday, 2026-03-29: 07:00 is 05:00 UTC.
        (QuietHours("20:00", "07:00"), "2026-03-28T22:00", "2026-03-29T05:00"),
        # And back in the night to 2026-10-25.
        (QuietHours("20:00", "07:00"), "2026-10-24T22:00", "2026-10-25T06:00"),
        # 02:30 does not exist on 2026-03-29.
        (QuietHours("22:00", "02:30"), "2026-03-29T00:00", "2026-03-29T01:00"),
    ],
)
def test_quiet_hours_move_a_notice_to_their_end(quiet: QuietHours, now: str, expected: str) -> None:
    settings = NoticeSettings(quiet_hours=quiet, time_zone=BERLIN)

    assert after_quiet(settings, at(now)) == at(expected)


@pytest.mark.parametrize(
    ("digest", "now", "expected"),
    [
        (Digest.none, "2026-03-04T12:10", "2026-03-04T12:10"),
        (Digest.hourly, "2026-03-04T12:10", "2026-03-04T13:00"),
        (Digest.hourly, "2026-03-04T12:00", "2026-03-04T13:00"),
        (Digest.daily, "2026-03-04T01:00", "2026-03-04T01:30"),
        (Digest.daily, "2026-03-04T01:30", "2026-03-05T01:30"),
        (Digest.daily, "2026-03-04T01:45", "2026-03-05T01:30"),
        (Digest.daily, "2026-03-04T12:00", "2026-03-05T01:30"),
        # 02:30 is skipped on 2026-03-29: the digest leaves when the clock has skipped it.
        (Digest.daily, "2026-03-28T12:00", "2026-03-29T01:00"),
    ],
)
def test_a_digest_leaves_at_its_next_time(digest: Digest, now: str, expected: str) -> None:
    settings = NoticeSettings(digest={Way.mail: digest, Way.chat: Digest.none}, digest_at="02:30", time_zone=BERLIN)

    assert due_at(settings, Way.mail, at(now)) == at(expected)
    assert due_at(settings, Way.chat, at(now)) == at(now)


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Asia/Kolkata", "2026-03-04T12:10", "2026-03-04T12:30"),
        ("Asia/Kolkata", "2026-03-04T12:30", "2026-03-04T13:30"),
        ("Asia/Kathmandu", "2026-03-04T12:20", "2026-03-04T13:15"),
        # Lord Howe moves its clock by half an hour at 2026-04-04T15:00 UTC.
        ("Australia/Lord_Howe", "2026-04-04T14:10", "2026-04-04T15:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:10", "2026-04-04T15:30"),
    ],
)
def test_an_hourly_digest_leaves_at_the_full_hour_of_its_reader(zone: str, now: str, expected: str) -> None:
    settings = NoticeSettings(digest=dict.fromkeys(Way, Digest.hourly), time_zone=zone)

    assert due_at(settings, Way.mail, at(now)) == at(expected)


def test_a_digest_in_quiet_hours_waits_for_their_end() -> None:
    settings = NoticeSettings(
        quiet_hours=QuietHours("20:00", "07:00"), digest=dict.fromkeys(Way, Digest.hourly), time_zone=BERLIN
    )

    assert due_at(settings, Way.mail, at("2026-03-04T18:30")) == at("2026-03-05T06:00")


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        (NoticeSettings(time_zone="Europe/Atlantis"), "/time_zone"),
        (NoticeSettings(time_zone="../../etc/passwd"), "/time_zone"),
        (NoticeSettings(digest_at="24:00"), "/digest_at"),
        (NoticeSettings(quiet_hours=QuietHours("8:00", "20:00")), "/quiet_hours/begins"),
        (NoticeSettings(quiet_hours=QuietHours("08:00", "08:00")), "/quiet_hours/ends"),
        (
            NoticeSettings(quiet_hours=QuietHours("08:00", "09:00", ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))),
            "/quiet_hours/days",
        ),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(settings: NoticeSettings, path: str) -> None:
    assert [problem.path for problem in problems(settings)] == [path]


def test_every_kind_has_a_default_and_a_chat_is_always_a_choice() -> None:
    assert set(DEFAULT_WAYS) == set(Kind)
    assert not any(Way.chat in ways for ways in DEFAULT_WAYS.values())
