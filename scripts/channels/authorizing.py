"""`authorize`: get the first refresh token of an account that signs in by OAuth."""

from __future__ import annotations

import argparse

from models.kernel import settings
from models.kernel.errors import ConfigurationError
from models.kernel.storage import database
from queues import channels
from scripts.channels import reaching


def authorize(args: argparse.Namespace) -> int:
    """Run the consent of a person, and store the token or print how to configure it."""
    account, _ = reaching.find(args.name)
    sign_in = channels.get(account.channel).sign_in
    if sign_in is None or not sign_in.wants(account):
        raise ConfigurationError(f"{args.name} has no key `oauth`, so there is nothing to authorize")
    token = sign_in.authorize(account, settings.current(), print, input)
    stored = database.proxy.obj is not None
    if stored:
        print("The refresh token is stored, encrypted, in the desk's database. Nothing more has to be configured.")
    if args.print or not stored:
        reference = (account.config["oauth"].get("refresh_token") or {}).get("secret")
        place = (
            f"NESTOR_SECRET_{reference.upper()}, or a file {reference} in SECRETS_DIR"
            if reference
            else ("a credential of your choice, which oauth.refresh_token of the account's file names")
        )
        print(f"Configure this refresh token as {place}:")
        print(token)
    return 0
