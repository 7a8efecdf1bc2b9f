"""Pure helpers: text, paths, dates, tags, patterns and passwords.

This room is the ground floor: it knows no request, no configuration and no socket; it never opens a file and never
looks at the clock. What it gets as arguments is all it has.
"""
