"""`python -m coachwhip` is the command `coachwhip`."""

import sys

from coachwhip.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
