"""The output side of a request: the filter chain, and the protocol filters that are always there (ranges, length, head, chunks)."""
