"""Things that a stage wants people to see, one file for each family."""
