"""Files kept between runs: the state file, its lock and the signing key, all in one directory."""
