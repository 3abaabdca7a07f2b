"""The visible reply of a mail: the newly written part, without quotes, forwards, footers and signatures.

Without it, each answer of a requester would repeat the whole conversation on the ticket. `README.md` describes the
package. It imports nothing of Nestor but the bounds of mail and the HTML reader of the channels.
"""
