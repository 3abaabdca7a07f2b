"""Bounds of the portal, with their reasons. Times in seconds (`_s`)."""

from __future__ import annotations

link_s = 30 * 60.0  # long enough to open a mailbox; a mailbox that is read by others later gives nothing
session_s = 12 * 3600.0  # a working day; a shared computer forgets its visitor overnight
links_burst, link_every_s = 3, 300.0  # to one address; a stranger must not fill a mailbox
links_per_client_burst, link_per_client_every_s = 20, 60.0  # a whole office behind one address
# Mails to addresses that the desk does not know, over all networks: the desk must not become a source of spam.
strangers_burst, stranger_every_s = 30, 20.0
new_requests_burst, new_request_every_s = 10, 360.0  # ten an hour, as many as an address may open by mail
messages_burst, message_every_s = 30, 10.0  # a person who writes short messages as in a chat
uploads_burst, upload_every_s = 40, 15.0  # pictures of a telephone, ten at once
requests_shown_max = 50  # of a page of the list
messages_shown_max = 200  # of a page of a conversation; a longer one has a link to earlier messages
options_shown_max = 6  # transitions of a request; more buttons are no choice on a phone
