"""Post a recorded provider event to the running desk, and show the result.

`python -m scripts.channels replay <channel>.<account> <fixture>` does the same with the account's own credentials.

A desk that has already received the event answers that it is a repeat; `--new-key` gives the event a new id.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from models.kernel.errors import ConfigurationError, NestorError
from models.kernel.open_json import JsonObject
from queues import channels
from queues.channel_port import Replay
from scripts import _cli
from scripts.explain import words

CHANNELS = Path(__file__).resolve().parents[1] / "queues" / "channels"

# -- limits ----------------------------------------------------------------------------------------------------
_request_timeout_s = (3.0, 30.0)  # connect; a mail of 30 MB over a slow line
_poll_s = 0.1  # a person waits for the answer
_names_shown_max = 20  # fixtures named when the one asked for is not there


class ReplayFailed(NestorError):
    """The desk refused the event."""

    code = "replay_failed"


def find_fixture(channel: str, name: str, root: Path = CHANNELS) -> Path:
    """A file by path, or by name (with or without its ending) among the channel's fixtures. Raises
    ConfigurationError.
    """
    path = Path(name)
    if path.is_file():
        return path
    folder = root / channel / "fixtures"
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    found = [p for p in files if name in (p.name, p.stem, p.relative_to(folder).as_posix())]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(p.relative_to(folder).as_posix() for p in found)
        raise ConfigurationError(f"several fixtures of {channel} are called {name!r}: {several}")
    raise ConfigurationError(f"there is no file or {channel} fixture {name!r}; {_listed(files, folder)}")


def _listed(files: list[Path], folder: Path) -> str:
    there = [p.relative_to(folder).as_posix() for p in files[:_names_shown_max]]
    more = f" and {len(files) - len(there)} more" if len(files) > len(there) else ""
    return f"there are {', '.join(there)}{more}" if there else f"{folder} has none"


def post(url: str, channel: str, account: str, raw: bytes, *, secret: str) -> JsonObject:
    """Send the event as its provider would; returns the desk's answer. Raises ReplayFailed."""
    return post_request(url, channel, account, raw, of_channel(channel).headers(None, raw, secret=secret))


def of_channel(channel: str) -> Replay:
    """Return the channel's replay. Raises ConfigurationError for a channel that has none."""
    found = channels.get(channel).replay
    if found is None:
        raise ConfigurationError(f"events of {channel} cannot be replayed: its folder has no replay.py")
    return found


def post_request(url: str, channel: str, account: str, raw: bytes, headers: Mapping[str, str]) -> JsonObject:
    """Send the event with the given headers; returns the desk's answer. Raises ReplayFailed."""
    return _answer("POST", f"{url.rstrip('/')}/webhooks/{channel}/{account}", headers=dict(headers), data=raw)


def fate(url: str, event_id: str, *, api_key: str, wait_s: float) -> JsonObject:
    """Return the event as /v1/inbox shows it, after it was processed or after `wait_s` seconds."""
    deadline = time.monotonic() + wait_s
    while True:
        headers = {"Authorization": f"Bearer {api_key}"}
        event = _answer("GET", f"{url.rstrip('/')}/v1/inbox/{event_id}", headers=headers)
        if event["status"] != "stored" or time.monotonic() >= deadline:
            return event
        time.sleep(_poll_s)


def _answer(method: str, url: str, *, headers: dict[str, str], data: bytes | None = None) -> JsonObject:
    try:
        response = requests.request(method, url, headers=headers, data=data, timeout=_request_timeout_s)
    except requests.ConnectionError as error:
        raise ReplayFailed(
            f"nothing answers at {url}: start the desk with ./scripts/run, or name it with --url"
        ) from error
    except requests.RequestException as error:
        raise ReplayFailed(f"{method} {url} failed: {words.short(error)}") from error
    try:
        body = response.json()
    except ValueError:
        body = None
    if not response.ok or not isinstance(body, dict):
        detail = body.get("detail") if isinstance(body, dict) else response.text
        raise ReplayFailed(f"{method} {url} answered {response.status_code}: {words.short(detail)}")
    return body


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.replay", description=__doc__)
    parser.add_argument("channel", choices=sorted(channels.names()), help="channel of the event")
    parser.add_argument("fixture", help="path of a file, or name of a file in queues/channels/CHANNEL/fixtures/")
    parser.add_argument("--account", default="demo", help="name of the channel account (default: demo)")
    parser.add_argument(
        "--url", default="http://127.0.0.1:8080", help="base URL of the webhooks function (default: %(default)s)"
    )
    parser.add_argument("--gateway-url", help="base URL of the gateway (default: --url)")
    parser.add_argument("--secret", default="demo-secret", help="the account's credential for inbound events")
    parser.add_argument(
        "--api-key", default="demo-key", help="API key with the right to read the inbox (default: %(default)s)"
    )
    parser.add_argument("--new-key", action="store_true", help="give the event a new update_id or Message-ID")
    parser.add_argument(
        "--wait", type=float, default=10.0, metavar="SECONDS", help="time to wait for the result (default: 10)"
    )
    options = parser.parse_args(arguments)
    from scripts.channels import replaying  # which posts by this module

    return replaying.run(
        replaying.Wish(
            options.channel,
            options.account,
            options.fixture,
            options.url,
            options.gateway_url,
            options.secret,
            options.api_key,
            options.new_key,
            options.wait,
        )
    )


if __name__ == "__main__":
    _cli.end(main)
