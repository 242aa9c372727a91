"""Benchmarks: each row of the table of figures, with the floor measured in the same run."""
