"""The graph of a run's calls: its structure, its text for the layout program, and the drawing."""
