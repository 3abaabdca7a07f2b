"""The door: sign in with a password, a second factor, a passkey or an OpenID provider, and sign out."""
