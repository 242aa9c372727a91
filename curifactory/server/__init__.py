"""Pages over HTTP, for a browser on this machine."""
