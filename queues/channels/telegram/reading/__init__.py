"""Read an update: its text, entities, files, people, place and facts, in the types of the port. Pure, and tolerant of every shape."""
