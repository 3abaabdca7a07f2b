"""The content of a mail as the desk keeps it: sanitised HTML, files, and what stands in files."""
