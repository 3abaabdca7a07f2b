"""HTTP statuses of a provider's API that concern our account there, not the message.

The message waits for the operator, and the account shows the error.
"""

from __future__ import annotations

# RFC 9110 sections 15.5 and 15.6, RFC 6585 section 6: credentials (401, 407), the plan (402), rights (403), the address
# and the method of the API (404, 405, 410, 421, 426), a network that asks for a login (511).
_OF_THE_ACCOUNT = frozenset({401, 402, 403, 404, 405, 407, 410, 421, 426, 511})


def concerns_account(status: int) -> bool:
    """Return True for these statuses, and for a redirect: the API has another address."""
    return status in _OF_THE_ACCOUNT or 300 <= status < 400
