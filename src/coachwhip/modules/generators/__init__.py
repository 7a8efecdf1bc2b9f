"""Modules that make content of their own: folder listings, the status page, the configuration page."""
