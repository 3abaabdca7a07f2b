"""The encryption of secrets in the database: make a key, count the encrypted values, encrypt with the current key."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Sequence

from models import migrations
from models.kernel import data_keys, settings, vault
from models.kernel.storage import resealing
from scripts import _cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.secrets", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    key = verbs.add_parser("key", help="print a new entry for DATA_KEYS")
    key.add_argument("--id", default="k1", help="name of the key in DATA_KEYS (default: k1)")
    key.add_argument(
        "--from-secret-key",
        action="store_true",
        help="print the key that SECRET_KEY gives instead, to keep it in DATA_KEYS when SECRET_KEY changes",
    )
    verbs.add_parser(
        "signing-key", help="print a new SECRET_KEY, and the settings for each step of the change; changes nothing"
    )
    verbs.add_parser("status", help="count the values by the key that encrypts them; exit code 1 if any is outdated")
    verbs.add_parser("rotate", help="encrypt every value with the first key of DATA_KEYS; safe to repeat")
    options = parser.parse_args()
    if options.verb == "key":
        key_id, made = vault.derived_key() if options.from_secret_key else (options.id, vault.new_key())
        data_keys.parse(f"{key_id}:{made}")
        print(f"{key_id}:{made}")
        return 0
    if options.verb == "signing-key":
        print(_rotation(settings.current().accepted_keys(), secrets.token_urlsafe(48)))
        return 0
    _cli.connect("secrets")
    migrations.check()
    if options.verb == "rotate":
        print(f"{resealing.rotate()} values encrypted with the current key")
        return 0
    found = resealing.counts()
    for one in found:
        print(f"{one.column}: {one.current} current, {one.other} with another key, {one.plain} in plain text")
    return 1 if any(one.other or one.plain for one in found) else 0


def _rotation(keys: Sequence[str], new: str) -> str:
    """Return the settings of each step. A process accepts the new key before any other process signs with it."""
    accepted = ",".join(keys)
    return f"""# 1. Every process accepts the new key:
SECRET_KEY={keys[0]}
SECRET_KEYS_ACCEPTED={",".join([*keys[1:], new])}
# 2. When all processes have it, every process signs with the new key:
SECRET_KEY={new}
SECRET_KEYS_ACCEPTED={accepted}
# 3. Run `python -m scripts.secrets rotate`. After 15 minutes no access token of the old key is valid; remove it:
SECRET_KEY={new}
SECRET_KEYS_ACCEPTED="""


if __name__ == "__main__":
    _cli.end(main)
