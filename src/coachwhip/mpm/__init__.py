"""Processes and sockets: the parent that owns listeners and workers, and the worker in which connections live."""
