"""Try a definition without a desk: tickets in memory, and scenario files that say given, when, then."""
