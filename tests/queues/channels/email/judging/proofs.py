"""Mails that are read in a mailbox with or without a judge."""

from __future__ import annotations

from typing import Any

from models.channels.accounts import ChannelAccount
from models.ports.author_proof import AuthorProof
from models.ports.inbound import InboundMessage
from queues.channels.email.parse import read_mail
from tests.queues.channels import golden

TRUSTED = ["mx.desk.test"]


def account(**keys: Any) -> ChannelAccount:
    return ChannelAccount("email", "demo", 1, golden.EMAIL.config | keys)


def read(*headers: str, envelope: dict[str, str] | None = None, **keys: Any) -> InboundMessage:
    raw = "\r\n".join([*headers, "Subject: x", "", "text"]).encode()
    parsed = read_mail(raw, envelope or {}, account(**keys))
    assert isinstance(parsed, InboundMessage)
    return parsed


def proof_of(*headers: str, envelope: dict[str, str] | None = None, **keys: Any) -> AuthorProof:
    found = read(*headers, envelope=envelope, **keys).proof
    assert found is not None
    return found
