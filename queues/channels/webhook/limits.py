"""The limits of the generic webhook channel, each with its reason."""

from __future__ import annotations

body_bytes_max = 8 * 1024 * 1024  # a JSON event with some files in base64; larger ones come by URL
path_steps_max = 20  # of one path; no event that we have seen is nested deeper than ten
path_chars_max = 300  # people read paths
values_max = 1_000  # found by `[*]`; a longer list is a dump, not an event
template_chars_max = 20_000  # of one text with placeholders; an answer's body is at most a page
places_max = 100  # {{ }} in one text
depth_max = 20  # of an answer's body
nodes_max = 1_000  # values in an answer's body
rules_max = 50  # of an account
form_fields_max = 1_000  # a form that people fill in has fewer
items_max = 200  # events in one request; more would keep one transaction open for too long
signatures_max = 10  # in one header; two while a secret rotates
key_chars_max = 150  # of an event key that stays readable; a longer one is hashed
address_chars_max = 200  # of an author; longer ones are shortened to their beginning and a hash
attachments_max = 50  # of a message; as for mail
request_timeout_s_max = 60.0  # of an answer, within send_delivery's time limit of 110 s
response_bytes_max = 65_536  # of the response to an answer; we read the id from it
json_depth_max = 60  # of an event; Python's own reader stops at about a thousand
