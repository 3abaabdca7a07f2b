"""The inbox: views with counts, the list of tickets, search, filters and bulk changes."""
