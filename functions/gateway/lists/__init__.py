"""Lists of tickets: the filtered list, saved views with their counts, and priorities."""
