"""E-mail: raw mail comes over HTTP (message/rfc822), answers leave by SMTP.

Mail is written by strangers and by broken software, so everything here is linear in the input and bounded by
`mime_limits`; what lies beyond a bound is left in the raw mail and the message says so.
"""
