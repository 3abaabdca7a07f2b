"""What a channel account's file must say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.kernel.errors import FieldProblem, Invalid

_KEYS: dict[str, dict[str, str]] = {
    "telegram": {"token": "secret", "secret_token": "secret"},
    "email": {"bearer": "secret", "smtp_url": "secret", "address": "text"},
}
_OPTIONAL = {
    "demo", "default", "workflow", "ticket_type", "locale", "display_name", "null_sender_for_automatic", "rate_per_s", "bot_id",
}  # fmt: skip


def check_account(body: Mapping[str, Any]) -> None:
    """Raises Invalid for everything that is wrong with an account's file."""
    problems = []
    channel = body["channel"]
    if channel not in _KEYS:
        raise Invalid([FieldProblem(".channel", f"expected one of {', '.join(_KEYS)}, found {channel!r}")])
    name = body.get("account")
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or len(name) > 40:
        problems.append(FieldProblem(".account", "expected a name of letters, digits, - and _, at most 40"))
    wanted = _KEYS[channel]
    for key, kind in wanted.items():
        value = body.get(key)
        if kind == "secret" and not (
            isinstance(value, dict) and list(value) == ["secret"] and isinstance(value["secret"], str)
        ):
            problems.append(
                FieldProblem(f".{key}", "expected {secret: name}: credentials are named, never contained")
            )
        if kind == "text" and not isinstance(value, str):
            problems.append(FieldProblem(f".{key}", "expected a text"))
    for key in body.keys() - wanted.keys() - _OPTIONAL - {"channel", "account"}:
        problems.append(FieldProblem(f".{key}", "unknown key"))
    if problems:
        raise Invalid(problems)
