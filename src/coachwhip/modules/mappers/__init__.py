"""Modules that decide what a URL stands for: aliases, index files, negotiated variants."""
