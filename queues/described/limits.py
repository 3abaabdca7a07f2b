"""The limits of descriptions, each with its reason."""

from __future__ import annotations

# The steps of one path. Known events nest at most ten deep.
path_steps_max = 20
# People read paths.
path_chars_max = 300
# The values that `[*]` finds. A longer list is an export, not an event.
values_max = 1_000
# One text with placeholders. The body of a reply has at most a page.
template_chars_max = 20_000
# The placeholders in one text.
places_max = 100
# The event rules of one account.
rules_max = 50
# Forms that people fill in have fewer fields.
form_fields_max = 1_000
# The events of one request. More would keep one transaction open for too long.
items_max = 200
# The signatures in one header. There are two while a secret is rotated.
signatures_max = 10
# An event key stays readable up to this length. A longer one is hashed.
key_chars_max = 150
# The nesting of an event. Python's own JSON parser stops at about 1,000.
json_depth_max = 60
