"""The libraries that this folder's modules import inside functions, for workers.

`channels.load_all` imports each module of the folder, and so these before a task needs them. DKIM and the signatures of
Amazon SNS use cryptography, the assertion of a service account uses PyJWT, and the author's proof uses the public
suffix list. The functions that receive mail load neither this module nor them.
"""

import jwt
from cryptography import exceptions, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from publicsuffixlist import PublicSuffixList

__all__ = ["PublicSuffixList", "ed25519", "exceptions", "hashes", "jwt", "padding", "rsa", "serialization", "x509"]
