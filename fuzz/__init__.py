"""Long-running searches for faults, each its own command; the tests run a short piece of each.

    python -m fuzz.equivalence --steps 100000     replay answers as the server without it does, byte for byte
    python -m fuzz.heads --count 1000000          header lines known from before are judged as the ordinary parser judges them
"""
