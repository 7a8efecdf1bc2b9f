"""Files for running Coachwhip as a service or in containers, and what tries them out (README.md)."""
