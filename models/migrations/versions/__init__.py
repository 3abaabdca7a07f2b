"""The migrations: one file each, with a number and a name; a released file never changes."""
