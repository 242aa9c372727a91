"""What a page shows, as frozen values gathered from a run's folder; the templates know nothing else."""
