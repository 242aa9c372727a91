"""Finds the project, its settings, its experiments and their parameter sets."""
