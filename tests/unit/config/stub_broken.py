"""Fails while it is imported."""

raise ZeroDivisionError("on purpose")
