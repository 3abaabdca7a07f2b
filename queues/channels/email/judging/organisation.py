"""Organisational domains by the public suffix list (https://publicsuffix.org), which a package ships.

The private section of the list counts: the owners of `a.blogspot.com` and `b.blogspot.com` are two organisations.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_aligned(domain: str, author: str) -> bool:
    """Return True if both domains belong to one organisation (RFC 7489 section 3.1, relaxed alignment).

    A domain without an organisation (a public suffix, a host without dots) is aligned only with itself.
    """
    one, other = _ascii(domain), _ascii(author)
    if not one or not other:
        return False
    return one == other or (_organisation(one) is not None and _organisation(one) == _organisation(other))


def _ascii(domain: str) -> str:
    """Return the domain in lower-case ASCII (RFC 5891); empty for a text that is no domain."""
    domain = domain.strip().strip(".").lower()
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _organisation(domain: str) -> str | None:
    found: str | None = _list().privatesuffix(domain)
    return found


@lru_cache(maxsize=1)
def _list() -> PublicSuffixList:
    """Read the list once: it takes 50 ms. Only workers judge mails."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
