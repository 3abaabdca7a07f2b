"""A SECRET_KEY that is easy to guess stops the start of every process."""

from __future__ import annotations

import base64
import secrets
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kernel import secret_keys
from models.kernel.errors import ConfigurationError
from models.kernel.settings import load

WEAK = [
    "a" * 32,
    "0" * 64,
    "ab" * 20,
    "abcdefgh" * 4,
    "correct-horse-battery-staple+" * 2,
    "abcdefghijklmnopqrstuvwxyz012345",
    "zyxwvutsrqponmlkjihgfedcba987654",
    "1234512345123451234512345123451234",
    "changeme-changeme-changeme-please-42",
    "your-secret-key-of-32-characters-here",
    "insecure-development-key-0123456789",
    "short",
    "",
]


@pytest.mark.parametrize("key", WEAK)
def test_a_weak_key_is_refused_with_the_way_to_make_a_good_one_and_without_the_key(key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load({"SECRET_KEY": key} if key else {"SECRET_KEY": " "})

    assert refused.value.message.startswith("SECRET_KEY: ")
    assert "secrets.token_urlsafe(48)" in refused.value.message
    assert not key or key not in refused.value.message


@pytest.mark.parametrize("key", WEAK[:-1])
def test_a_weak_key_is_refused_among_the_accepted_ones(key: str) -> None:
    good = secrets.token_urlsafe(48)

    with pytest.raises(ConfigurationError, match="SECRET_KEYS_ACCEPTED, entry 2: "):
        load({"SECRET_KEY": good, "SECRET_KEYS_ACCEPTED": f"{secrets.token_urlsafe(48)}, {key}"})


@settings(max_examples=300)
@given(st.integers(0, 2**63), st.sampled_from(["urlsafe", "hex"]))
def test_random_keys_are_accepted(seed: int, form: str) -> None:
    raw = Random(seed).randbytes(32)
    key = raw.hex() if form == "hex" else base64.urlsafe_b64encode(raw).decode()

    assert secret_keys.weakness(key) is None


def test_the_id_of_a_key_is_stable_and_shows_nothing_of_it() -> None:
    key = secrets.token_urlsafe(48)

    assert secret_keys.key_id(key) == secret_keys.key_id(key) != secret_keys.key_id(key + "x")
    assert len(secret_keys.key_id(key)) == 16
