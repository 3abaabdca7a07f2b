"""Import the tickets, people and files of another desk. README.md is the manual."""
