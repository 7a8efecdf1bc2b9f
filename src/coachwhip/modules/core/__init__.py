"""core: the directives that are always there, and what the server does when no module has an opinion.

`core.py` has the module and its table (`directives_dir.py`: per directory, `directives_server.py`: per server,
`directives_process.py`: processes), `hooks.py` its hooks.
"""

from coachwhip.modules.core import hooks as hooks
from coachwhip.modules.core.core import MODULE

__all__ = ["MODULE"]
