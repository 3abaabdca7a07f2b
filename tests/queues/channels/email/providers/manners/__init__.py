"""How each provider speaks, so that the conformance suite can play it: one module a provider, found by the provider's
folder name.
"""
