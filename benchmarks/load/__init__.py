"""The load: a lean POP3 client that verifies every octet, one after another and many at once."""
