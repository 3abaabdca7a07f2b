"""Side conversations: an agent writes to a third party about a ticket, and the answers return as internal notes.

All messages of a side conversation are notes of the ticket. So the requester never reads them, and an answer sets no
unread mark, meets no promise and moves no life cycle. An answer joins by the side conversation's own reply token, or
by a reference to one of its mails if the third party wrote it; a stranger with neither cannot join. The third party
does not become a participant of the ticket. The side conversation is in the ticket of its first message, also after a
merge, a split and their undo.
"""
