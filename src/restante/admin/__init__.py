"""The administrator's side of a running server."""
