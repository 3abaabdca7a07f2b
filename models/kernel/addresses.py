"""The check of addresses that others ask the desk to call: a URL in a definition or a subscription must not reach into
the cluster.

Pure; `queues/outside/safe_http.py` looks names up and connects to the very address that was judged here (server-side
request forgery, SSRF).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

# -- limits ----------------------------------------------------------------------------------------------------
_url_chars_max = 2_000  # what proxies and servers commonly take of a request line

# Ports on which the Internet serves HTTP; everything else is more likely a database or a mail server that reads lines.
PUBLIC_PORTS = frozenset({80, 443, 8080, 8443})

# Refused in addition to what `is_global` refuses, which differs between Python's releases (IANA special-purpose
# registries).
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # IPv6: compatible and unspecified, local NAT64 (RFC 8215), discard, Teredo and protocol assignments,
        # documentation, 6to4 (an IPv4 address inside, and long out of use), segment routing, unique local, link local,
        # site local, multicast.
        "::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
# The well-known prefix of NAT64 (RFC 6052): the IPv4 address in its last 32 bits is where the call ends.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return True if a network address is public. An IPv6 address that embeds an IPv4 address is checked
    as that IPv4 address.
    """
    try:
        found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found in _NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    if any(found.version == network.version and found in network for network in _NEVER):
        return False
    return found.is_global and not found.is_multicast


def url_problem(url: str, *, private: bool = False, secure: bool = False) -> str | None:
    """Say what is wrong with a URL that the desk would call, or None. Names are looked up later, at each call.

    `private`: addresses and ports of our own network are allowed. `secure`: https only (unless private).
    """
    wrong = _text_problem(url)
    if wrong is not None:
        return wrong
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return _NOT_HTTP
    wrong = _part_problem(parts, secure=secure and not private)
    if wrong is not None or private:
        return wrong
    return _place_problem(parts.hostname or "", port)


_NOT_HTTP = "expected a URL such as https://example.com/hook"


def _text_problem(url: str) -> str | None:
    if len(url) > _url_chars_max:
        return f"expected at most {_url_chars_max} characters"
    if not url.isascii() or any(character <= " " or character in "\x7f\\" for character in url):
        return "expected a URL in ASCII without blanks (write other letters as %xx, a host name as xn--...)"
    return None


def _part_problem(parts: SplitResult, *, secure: bool) -> str | None:
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return _NOT_HTTP
    if secure and parts.scheme != "https":
        return "expected https: anybody on the way can read what goes over http (WEBHOOKS_PRIVATE=true allows it)"
    if parts.username is not None or parts.password is not None:
        return "expected no user or password in the URL: it would stand in lists and logs"
    return None


def _place_problem(host: str, port: int) -> str | None:
    """Say why a host or port is not one of the public Internet, or None."""
    if _is_literal(host) and not is_public(host):
        return f"{host} is an address of a private network; WEBHOOKS_PRIVATE=true allows those"
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return f"{host} is a name of a private network; WEBHOOKS_PRIVATE=true allows those"
    if port not in PUBLIC_PORTS:
        known = ", ".join(map(str, sorted(PUBLIC_PORTS)))
        return f"expected one of the ports {known}, found {port}; WEBHOOKS_PRIVATE=true allows others"
    return None


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
