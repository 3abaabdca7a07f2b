"""Bounds of OAuth, each with its reason."""

from __future__ import annotations

# Of an answer: tokens and a few words.
answer_bytes_max = 256 * 1024
# Of one token; those of Microsoft have some 2,500.
token_chars_max = 16_384
# RFC 6749 only recommends `expires_in`; real tokens live for an hour.
lifetime_default_s = 300.0
# A longer one is renewed anyway.
lifetime_s_max = 24 * 3600.0
# A token is renewed this long before its end, or after four fifths of a shorter life: longer than a mail's sending.
early_s = 300.0
early_share = 0.2
# A refusal of the credentials is not asked for again for so long, so that each waiting mail does not repeat it.
refused_s = 30.0
# How long a thread waits for another process's renewal; a request takes a second.
wait_s = 20.0
# For one person to confirm the device code, if the authorization server gives it more time.
consent_s_max = 1800.0
# RFC 8628 section 3.5: the pause grows by this with each `slow_down`.
slower_s = 5.0
# Of a service account's assertion: the longest that Google takes.
assertion_s = 3600.0
# The pause between two looks at another process's renewal.
look_s = 0.25
