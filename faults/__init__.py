"""Faults, injected on purpose under load: each is a row with its figure and the bar that the figure must hold.

    python -m faults                    every row, short forms
    python -m faults F1 F3 --long       these two, in full
    python -m faults F3 --server apache the same fault on Apache

README.md has the table of rows.
"""
