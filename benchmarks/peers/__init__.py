"""The servers that are compared, in one form."""
