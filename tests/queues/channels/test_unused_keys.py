"""A key of a bot's or a service's file that nothing reads is refused; test_accounts.py has the providers of e-mail."""

from __future__ import annotations

from typing import Any

import pytest

from models.kernel.errors import Invalid
from scripts.defs.accounts import check_account

SECRET = {"secret": "a_secret"}
BOT = {"channel": "telegram", "account": "desk", "token": SECRET, "secret_token": SECRET}
RULE = {"author": {"address": "$.from"}, "text": "$.text"}
SERVICE = {
    "channel": "webhook",
    "account": "desk",
    "auth": {"kind": "bearer", "secret": SECRET},
    "events": [RULE],
}


def problems(file: dict[str, Any]) -> list[str]:
    try:
        check_account({key: value for key, value in file.items() if value is not None})
    except Invalid as error:
        return [one.path for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"path_id": SECRET}, []),
        ({"secret_token": None}, [".secret_token"]),
        ({"delivery": "polling", "secret_token": None}, []),
        ({"delivery": "polling"}, [".secret_token"]),
        ({"delivery": "polling", "path_id": SECRET, "secret_token": None}, [".path_id"]),
    ],
)
def test_a_bot_has_the_keys_of_its_delivery_and_no_others(changes: dict[str, Any], found: list[str]) -> None:
    assert problems(BOT | changes) == found


HMAC = {"kind": "hmac", "secret": SECRET, "header": "X-Signature"}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"auth": {"kind": "bearer", "secret": SECRET, "encoding": "base64"}}, [".auth.encoding"]),
        ({"auth": {"kind": "basic", "secret": SECRET, "prefix": "x"}}, [".auth.prefix"]),
        ({"auth": {"kind": "bearer", "secret": SECRET, "header": "X-Token", "prefix": "x"}}, []),
        (
            {"auth": {"kind": "none_but_path", "secret": SECRET, "header": "X-Token"}, "path_id": SECRET},
            [".auth.header", ".auth.secret"],
        ),
        ({"auth": HMAC | {"encoding": "base64", "prefix": "v1,", "algorithm": "sha512", "tolerance_s": 60}}, []),
        ({"auth": HMAC | {"id_header": "X-Id"}}, [".auth.id_header"]),
        ({"auth": HMAC | {"id_header": "X-Id", "signed": "{id}.{body}"}}, []),
        ({"rate_per_s": 5}, [".rate_per_s"]),
        ({"rate_per_s": 5, "reply": {"url": SECRET, "body": {"text": "{{ text }}"}}}, []),
        ({"events": [{"ignore": "a ping", **RULE, "event_key": "$.id"}]}, [".events[0].author", ".events[0].text"]),
        (
            {
                "events": [
                    {
                        "author": {"address": "$.from"},
                        "text_format": "html",
                        "attachments": [{"each": "$.files[*]", "url": "$.url"}],
                    }
                ]
            },
            [".events[0].text_format"],
        ),
    ],
)
def test_a_service_has_the_keys_of_its_kind_and_no_others(changes: dict[str, Any], found: list[str]) -> None:
    assert problems(SERVICE | changes) == found
