"""A Telegram Bot API server and a mail catcher that ship with the product.

The demo, the tests and the benchmark need somewhere to send to. Patching the Bot class or smtplib would
leave the part untested that breaks in production: sockets that close after the request left, answers that
never come, 429 with a number in it. So the sandbox speaks the real protocols, keeps everything that it
received over a restart, and fails on request.

It keeps one promise that makes "sent once" testable: the outbox contains an entry if, and only if, the
real service would have delivered the message.
"""
