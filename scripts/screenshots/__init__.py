"""Pictures of every screen of the console, in both themes and languages, from a demo with tickets of the cast."""
