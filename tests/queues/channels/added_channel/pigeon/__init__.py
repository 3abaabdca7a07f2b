"""Carrier pigeons: a service that posts JSON with a bearer token and takes answers as JSON."""
