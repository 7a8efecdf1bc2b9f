"""For all tests: how long an example takes says more about the machine than about the code, so there is no deadline."""

from hypothesis import settings

settings.register_profile("coachwhip", deadline=None)
settings.load_profile("coachwhip")
