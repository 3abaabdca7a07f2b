"""What people run: `./scripts/run`, `./scripts/test` and `python -m scripts.<verb>`."""
