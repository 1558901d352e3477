"""Authenticators: sources of accounts, password hashes, throttle, and the auth process."""
