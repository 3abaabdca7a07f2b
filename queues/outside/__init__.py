"""Calls to other servers: their limit, HTTP to addresses that strangers chose, one mail, the virus scanner."""
