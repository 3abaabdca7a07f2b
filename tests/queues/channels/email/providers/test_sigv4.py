"""Our signature version 4 is Amazon's: the same bytes as botocore's."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest

from models.kernel.errors import ConfigurationError
from queues.channels.email.providers import sigv4

AT = datetime(2026, 11, 4, 9, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "url", "service", "body"),
    [
        ("POST", "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails", "ses", b'{"a": 1}'),
        ("GET", "https://mails.s3.eu-west-1.amazonaws.com/in/a%20b%2Bc%C3%BC", "s3", b""),
        ("GET", "http://127.0.0.1:9000/mails/key", "s3", b""),
    ],
)
@pytest.mark.parametrize("token", ["", "a-session-token"])
def test_the_signature_is_that_of_amazons_own_library(
    method: str, url: str, service: str, body: bytes, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = import_module("botocore.auth")  # has no type information
    make_request = import_module("botocore.awsrequest").AWSRequest
    make_credentials = import_module("botocore.credentials").Credentials
    given = sigv4.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)
    ours = sigv4.signed(method, url, service=service, region="eu-west-1", body=body, given=given, at=AT)

    request: Any = make_request(method=method, url=url, data=body)
    signer = (auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth)(
        make_credentials(given.key_id, given.secret, token or None), service, "eu-west-1"
    )
    monkeypatch.setattr(auth, "get_current_datetime", lambda remove_tzinfo=True: AT.replace(tzinfo=None))
    if service != "s3":
        request.headers["X-Amz-Content-SHA256"] = ours["x-amz-content-sha256"]
    signer.add_auth(request)
    assert ours["Authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize("told", ["", "only-one", "a:", ":b", "a:b:c:d"])
def test_credentials_that_are_none_are_told(told: str) -> None:
    with pytest.raises(ConfigurationError, match="access key id"):
        sigv4.credentials(told)
