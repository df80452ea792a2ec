"""Comparisons with peers: `python -m benchmarks.<name>`."""
