"""The content of a mail as the desk keeps it: sanitised HTML and files."""
