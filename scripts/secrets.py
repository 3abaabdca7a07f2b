"""The encryption of secrets in the database: make a key, count the encrypted values, encrypt with the current key."""

from __future__ import annotations

import argparse

from models import migrations
from models.kernel import data_keys, resealing, vault
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
    verbs.add_parser("status", help="count the values by the key that encrypts them; exit code 1 if any is outdated")
    verbs.add_parser("rotate", help="encrypt every value with the first key of DATA_KEYS; safe to repeat")
    options = parser.parse_args()
    if options.verb == "key":
        key_id, made = vault.derived_key() if options.from_secret_key else (options.id, vault.new_key())
        data_keys.parse(f"{key_id}:{made}")
        print(f"{key_id}:{made}")
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


if __name__ == "__main__":
    _cli.end(main)
