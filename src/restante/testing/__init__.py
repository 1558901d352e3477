"""PUBLIC test kit: contract suites for stores and authenticators, for any project with pytest."""
