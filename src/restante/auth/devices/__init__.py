"""Device passwords: named secrets, made here, each for one device or program of an account."""
