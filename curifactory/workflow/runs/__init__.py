"""The run store for people: conditions on runs, finding, comparing, annotating and removing them."""
