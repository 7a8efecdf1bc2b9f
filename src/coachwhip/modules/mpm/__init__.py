"""The MPM modules as the configuration sees them: their names and directives. How processes run is in `coachwhip.mpm`."""
