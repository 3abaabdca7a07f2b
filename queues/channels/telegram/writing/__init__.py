"""Write to a chat: text with entities, split and rendered, files and albums, edits, in order and within one time."""
