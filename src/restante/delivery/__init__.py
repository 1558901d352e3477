"""Delivery: how messages come in."""
