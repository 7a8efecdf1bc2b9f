"""From ten lines of sockets to a web server, step by step; `python -m steps` measures the steps.

The numbered scripts are the subject, and stand alone; `lab` is the instrument, and may not be imported by them.
"""
