"""The server: listeners, connections, TLS, limits and lifecycle, on the protocol core."""
