"""What lies on disk: artifacts, traces, runs, and the index that can be made from them."""
