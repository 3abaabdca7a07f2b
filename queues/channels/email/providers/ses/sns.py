"""Check SNS messages without a network call. The module imports little, because the webhook function loads it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from queues.channels.email.providers import documents, limits
from queues.channels.email.providers.documents import Document
from queues.channels.email.reading.headers import instant

_HOST = re.compile(r"sns\.([a-z0-9-]{3,30})\.amazonaws\.com(?:\.cn)?", re.ASCII)
_ARN = re.compile(r"arn:aws(?:-[a-z-]{1,10})?:sns:([a-z0-9-]{3,30}):[0-9]{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)
NOTIFICATION, CONFIRMATION, GOODBYE = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
# Which fields are signed, in this order (SNS: "Verifying the signatures of Amazon SNS messages").
SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
SIGNED[GOODBYE] = SIGNED[CONFIRMATION]


def plausible(message: Document, account: ChannelAccount) -> bool:
    """Return True if the message names one of our topics, a certificate of Amazon in its region, and a
    current instant.
    """
    topic = documents.text(message.get("TopicArn"))
    arn = _ARN.fullmatch(topic)
    configured = account.config.get("topic_arns") or []
    at = instant(documents.text(message.get("Timestamp")).encode("ascii", "replace"))
    if arn is None or topic not in configured or at is None or documents.text(message.get("Type")) not in SIGNED:
        return False
    age_s = (clock.now() - at).total_seconds()
    return -limits.clock_skew_s <= age_s <= limits.sns_s and of_amazon(
        documents.text(message.get("SigningCertURL")), arn[1]
    )


def of_amazon(url: str, region: str) -> bool:
    """Return True if an address is https://sns.<the topic's region>.amazonaws.com/..., and nothing that only looks like
    it.
    """
    try:
        parts = urlsplit(url)
        # The pattern allows neither user nor port.
        host = _HOST.fullmatch(parts.netloc)
    except ValueError:
        return False
    return parts.scheme == "https" and host is not None and host[1] == region and "\\" not in url


def region_of(topic: str) -> str:
    """Return the region in a topic's name; empty for any other text."""
    arn = _ARN.fullmatch(topic)
    return arn[1] if arn else ""
