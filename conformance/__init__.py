"""The oracle: the same configuration, files and requests through the real Apache and through ours, compared.

`python -m conformance.oracle` compares live, `python -m conformance.record` re-records the case files under
`tests/cases`, `python -m conformance.hostile` runs the bad-request data,
`python -m conformance.races` swaps links in and out. Nothing here ships with the package.
"""
