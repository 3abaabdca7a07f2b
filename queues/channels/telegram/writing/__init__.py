"""The sending of a message to a chat: rendering, splitting, files and albums, edits and deletions."""
