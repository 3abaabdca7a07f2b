"""Find the visible reply: what a person has newly written, without quotes, forwards, footers and signatures.

Imports nothing of ours but the bounds of mail and the text helpers of the channels.
"""
