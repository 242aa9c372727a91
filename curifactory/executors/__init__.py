"""Where calls run: here, in local processes, or on a cluster."""
