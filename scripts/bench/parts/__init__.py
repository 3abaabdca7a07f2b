"""The parts of the benchmark: one module for each letter of the command."""
