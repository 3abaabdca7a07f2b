"""Sign-ins and what a user does with the own account: passwords, second factors, passkeys, OpenID Connect, sessions."""
