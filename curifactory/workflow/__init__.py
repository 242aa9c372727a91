"""The ways to run: an experiment by name, a procedure of stages."""
