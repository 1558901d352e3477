"""Accounts by a query of SQL: SQLite and PostgreSQL."""
