"""What is made of a run for others: archives, a page, a research object, a notebook, an image."""
