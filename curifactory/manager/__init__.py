"""Where the parts are put together: one manager is one run."""
