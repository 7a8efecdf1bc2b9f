"""Modules that change bodies on their way, and how fast they may arrive."""
