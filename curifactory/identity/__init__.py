"""What makes two things the same: canonical values, code fingerprints and the digests of parameter sets."""
