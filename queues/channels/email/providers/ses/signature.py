"""Amazon's signature of an SNS message, by the certificate that the message names.

In the worker, before anything of the message is read: the certificate has to be fetched, and a webhook makes no
outbound call.
"""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from models.channels.accounts import ChannelAccount
from models.kernel import clock
from models.kernel.errors import TransientFailure
from models.ports.inbound import Unparseable
from queues.channels.email.providers import documents, http, limits
from queues.channels.email.providers.documents import Document
from queues.channels.email.providers.ses import sns

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_UNFIT = "the signature does not fit: the message is not from the SNS topic that it names"

_certificates: OrderedDict[str, bytes] = OrderedDict()  # by address; PEM
_lock = Lock()


def verify(message: Document, account: ChannelAccount) -> None:
    """Check the RSA signature by the certificate that the message names. Raises Unparseable, TransientFailure."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    topic, url = documents.text(message.get("TopicArn")), documents.text(message.get("SigningCertURL"))
    names = sns.SIGNED.get(documents.text(message.get("Type")))
    version = documents.text(message.get("SignatureVersion"))
    hashes = {"1": SHA1, "2": SHA256}  # the topic's own setting; SHA1 is SNS's default
    if topic not in (account.config.get("topic_arns") or []) or not sns.of_amazon(url, sns.region_of(topic)):
        raise Unparseable(_UNFIT)
    if names is None or version not in hashes:
        raise Unparseable(_UNFIT)
    text = "".join(f"{name}\n{documents.text(message[name])}\n" for name in names if message.get(name) is not None)
    key = _certificate(url).public_key()
    if not isinstance(key, RSAPublicKey):
        raise Unparseable(_UNFIT)
    try:
        given = base64.b64decode(documents.text(message.get("Signature")), validate=True)
        key.verify(given, text.encode("utf-8", "replace"), PKCS1v15(), hashes[version]())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Unparseable(_UNFIT) from error


def _certificate(url: str) -> Certificate:
    """Return Amazon's certificate, fetched once in a process. Raises Unparseable, TransientFailure."""
    from cryptography import x509

    with _lock:
        pem = _certificates.get(url)
    if pem is None:
        pem = fetched(url)
    try:
        found = x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise Unparseable(_UNFIT) from error
    if not found.not_valid_before_utc <= clock.now() <= found.not_valid_after_utc:
        raise Unparseable(f"{_UNFIT} (its certificate is not valid today)")
    with _lock:
        _certificates[url] = pem
        while len(_certificates) > limits.certificates_max:
            _certificates.popitem(last=False)
    return found


def fetched(url: str) -> bytes:
    """Fetch the content of an Amazon address. Raises Unparseable, TransientFailure."""
    try:
        answer = http.call("GET", url, answer_bytes_max=limits.certificate_bytes_max)
    except (http.NotSent, http.Unanswered) as error:
        raise TransientFailure(f"SNS: {error.message}") from error
    if answer.ok:
        return answer.body
    if answer.status == 429 or answer.status >= 500:
        raise TransientFailure(f"SNS answered {answer.status}", retry_after_s=answer.retry_after_s)
    raise Unparseable(f"SNS answered {answer.status}")
