"""Time-based one-time passwords against RFC 6238's own values."""

from datetime import UTC, datetime, timedelta

import pytest

from models.credentials import totp

# RFC 6238, appendix B, SHA-1; the last six of its eight digits.
SECRET = b"12345678901234567890"
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
]
NOW = datetime(2026, 3, 1, 12, 0, 15, tzinfo=UTC)


@pytest.mark.parametrize(("at_s", "code"), VECTORS)
def test_the_codes_are_those_of_the_rfc(at_s: int, code: str) -> None:
    at = datetime.fromtimestamp(at_s, UTC)

    assert totp.code_at(SECRET, totp.step_of(at)) == code
    assert totp.accepted_step(SECRET, code, now=at, after=None) == totp.step_of(at)


@pytest.mark.parametrize(("drift", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_drift_by_one_step(drift: int, accepted: bool) -> None:
    code = totp.code_at(SECRET, totp.step_of(NOW) + drift)

    assert (totp.accepted_step(SECRET, code, now=NOW, after=None) is not None) == accepted


def test_a_used_code_and_earlier_ones_are_refused() -> None:
    step = totp.step_of(NOW)

    assert totp.accepted_step(SECRET, totp.code_at(SECRET, step), now=NOW, after=step) is None
    assert totp.accepted_step(SECRET, totp.code_at(SECRET, step - 1), now=NOW, after=step) is None
    later = NOW + timedelta(seconds=30)
    assert totp.accepted_step(SECRET, totp.code_at(SECRET, step + 1), now=later, after=step) == step + 1


@pytest.mark.parametrize("code", ["", "1", "000000", "0" * 40, "\ud800", "２８７０８２", "2870820"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert totp.accepted_step(SECRET, code, now=datetime.fromtimestamp(59, UTC), after=None) is None


def test_a_code_with_a_space_is_the_same_code() -> None:
    assert totp.accepted_step(SECRET, "287 082", now=datetime.fromtimestamp(59, UTC), after=None) is not None


def test_the_address_of_the_qr_code_names_desk_and_account() -> None:
    assert totp.uri(SECRET, issuer="Help & desk", account="ada@example.test") == (
        "otpauth://totp/Help%20%26%20desk:ada%40example.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Help%20%26%20desk&algorithm=SHA1&digits=6&period=30"
    )


def test_secrets_are_random_and_long() -> None:
    assert len({totp.new_secret() for _ in range(50)}) == 50
    assert len(totp.new_secret()) == 20
