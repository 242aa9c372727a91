"""Where a run comes from: the commit and what differs from it, the environment, the command; secrets stay out."""
