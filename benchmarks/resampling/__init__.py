"""Samplers of training points compared at equal points and equal CPU time: `python -m benchmarks.resampling`."""
