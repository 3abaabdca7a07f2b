"""The sandbox of the demo: a phone of a requester, and what the desk does with its messages.

A newcomer has neither a bot nor a customer. This room has both: the phone writes through the real webhook, and the
answers come from the sandbox's Bot API, so a failure here is a failure of the product. Without SANDBOX_URL, which only
`./scripts/run` sets, the room has no address.
"""
