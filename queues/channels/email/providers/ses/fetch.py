"""Verify an SNS message before it is read; then confirm a subscription, or fetch the mail that it refers to."""

from __future__ import annotations

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import ConfigurationError, TransientFailure
from models.kernel.settings import Settings
from models.ports.inbound import Ignored, Unparseable
from queues.channels.email.providers import documents, http, limits, sigv4
from queues.channels.email.providers.documents import Document, Unreadable
from queues.channels.email.providers.ses import signature, sns


def fetch(raw: bytes, envelope: dict[str, str], account: ChannelAccount, settings: Settings) -> bytes | Ignored | None:
    """Fetch the mail of an S3 action; None when the message has it.

    Raises Unparseable, TransientFailure, ConfigurationError.
    """
    message = documents.load_object(raw)
    signature.verify(message, account)
    kind = documents.text(message.get("Type"))
    if kind == sns.CONFIRMATION:
        return _confirm(message)
    if kind == sns.GOODBYE:
        return Ignored("the SNS topic does not send to this address any more")
    return _from_bucket(message, account, settings)


def _confirm(message: Document) -> Ignored:
    """Only for a topic that the account names (`signature.verify` has seen to it), and only at Amazon."""
    topic, url = documents.text(message.get("TopicArn")), documents.text(message.get("SubscribeURL"))
    if not sns.of_amazon(url, sns.region_of(topic)):
        raise Unparseable("the address that confirms the subscription is not one of SNS")
    signature.fetched(url)
    return Ignored("the subscription to the SNS topic is confirmed")


def _from_bucket(message: Document, account: ChannelAccount, settings: Settings) -> bytes | None:
    try:
        told = documents.load_object(documents.text(message.get("Message")).encode("utf-8", "replace"))
    except Unreadable:
        return None
    action = documents.part(documents.part(told.get("receipt")).get("action"))
    if told.get("notificationType") != "Received" or "content" in told or action.get("type") != "S3":
        return None
    bucket, key = documents.text(action.get("bucketName")), documents.text(action.get("objectKey"))
    if not bucket or bucket != account.config.get("bucket"):
        raise ConfigurationError(f"channel account {account.name}: bucket: the mail is in another bucket of S3")
    return _object(bucket, key, account, settings)


def _object(bucket: str, key: str, account: ChannelAccount, settings: Settings) -> bytes:
    region = str(account.config.get("region") or "us-east-1")
    elsewhere = account.config.get("api_url")
    place = f"{str(elsewhere).rstrip('/')}/{bucket}" if elsewhere else f"https://{bucket}.s3.{region}.amazonaws.com"
    url = f"{place}/{sigv4.path_of(key)}"
    headers = sigv4.signed(
        "GET",
        url,
        service="s3",
        region=region,
        body=b"",
        given=sigv4.credentials(account.credential("api_key", settings)),
        at=clock.now(),
    )
    try:
        answer = http.call("GET", url, headers=headers, answer_bytes_max=limits.mail_bytes_max)
    except (http.NotSent, http.Unanswered) as error:
        raise TransientFailure(f"S3: {error.message}") from error
    if answer.ok:
        return answer.body
    if answer.status == 404:
        raise Unparseable("the mail is not in the bucket any more")
    if answer.status in (401, 403):
        raise ConfigurationError(f"channel account {account.name}: S3 refuses our key ({answer.status})")
    raise TransientFailure(f"S3 answered {answer.status}", retry_after_s=answer.retry_after_s)
