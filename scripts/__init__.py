"""Commands for people: `./scripts/run`, `./scripts/test` and `python -m scripts.<command>`."""
