"""Golden files: what a parser makes of each recorded event, reviewed as a diff.

`UPDATE_GOLDEN=1 python -m pytest tests/queues/channels` rewrites them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from models.channels.accounts import ChannelAccount
from models.kernel.settings import Settings
from models.ports.inbound import InboundMessage, Parsed

ROOT = Path(__file__).resolve().parents[3]
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"

TELEGRAM = ChannelAccount(
    "telegram",
    "demo",
    1,
    {"token": {"secret": "test_token"}, "secret_token": {"secret": "test_webhook"}},
)
EMAIL = ChannelAccount(
    "email",
    "demo",
    1,
    {
        "address": "desk@example.test",
        "display_name": "Nestor demo desk",
        "bearer": {"secret": "test_webhook"},
        "smtp_url": {"secret": "test_smtp_url"},
    },
)


def fixtures(channel: str) -> list[Path]:
    return sorted((ROOT / "queues" / "channels" / channel / "fixtures").iterdir())


def check(fixture: Path, parsed: Parsed) -> None:
    """Compare with the golden file beside the tests of the fixture's channel."""
    golden = Path(__file__).parent / fixture.parents[1].name / "golden" / f"{fixture.stem}.json"
    actual = json.dumps(_plain(parsed), ensure_ascii=False, indent=2, default=_instant) + "\n"
    if UPDATE:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(actual, encoding="utf-8")
    assert golden.is_file(), f"{golden} is missing; make it with UPDATE_GOLDEN=1"
    assert actual == golden.read_text(encoding="utf-8")


def storable(parsed: Parsed) -> None:
    """What every parser promises: no NUL, encodable, never an empty body, within the limits."""
    text = json.dumps(_plain(parsed), ensure_ascii=False, default=_instant)
    assert "\\u0000" not in text
    text.encode()
    if isinstance(parsed, InboundMessage):
        assert parsed.body.strip()
        assert parsed.author_address
        assert parsed.contact_address
        assert len(parsed.author_name) <= 200
        assert len(parsed.body) <= 100_000
        assert parsed.subject is None or 0 < len(parsed.subject) <= 200
        assert len(parsed.references) <= 50


def _plain(parsed: Parsed) -> dict[str, Any]:
    """Only what is set: a golden file reads as the event does."""
    told: dict[str, Any] = _set(parsed)
    return {"result": type(parsed).__name__} | told


def _set(value: Any) -> Any:
    """Dataclasses as what differs from their defaults; what every message has is always there."""
    if dataclasses.is_dataclass(value):
        found = {}
        for one in dataclasses.fields(value):
            content, missing = getattr(value, one.name), dataclasses.MISSING
            default = one.default_factory() if one.default_factory is not missing else one.default
            is_told = content not in (None, (), False) and (one.name in _ALWAYS or content != default)
            if is_told or (content is False and (default is missing or default is True)):
                found[one.name] = _set(content)
        return found
    return [_set(item) for item in value] if isinstance(value, tuple) else value


_ALWAYS = frozenset({"sha256", "size_bytes"})


def _instant(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()[:16]}"
    assert isinstance(value, datetime)
    return value.isoformat()


def settings(**changes: Any) -> Settings:
    return dataclasses.replace(Settings(secret_key="a key of forty-two characters for the test"), **changes)
