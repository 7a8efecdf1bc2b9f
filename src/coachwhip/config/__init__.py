"""Apache's configuration language: lines → lossless tree → sections → checked settings.

    loaded = load(LoadOptions("/etc/apache2", "apache2.conf", environment=os.environ))
    loaded.main.core.timeout; loaded.servers[0].sections.directories

Reading is `lines` → `tree` → `reading` (with `actions`, `macros`, `includes`, `loading`) → `evaluation` (with `containers`,
`context`, `shapes`) → `load`; `.htaccess` files go the same way (`htaccess`). `folding` makes settings records from sections.
"""

from coachwhip.config.errors import ConfigError, ConfigWarning
from coachwhip.config.folding import Folded, Folder
from coachwhip.config.load import Loaded, LoadOptions, load
from coachwhip.config.sections import Section, SectionKind, ServerSections
from coachwhip.config.tree import Container, File, Leaf, Node, parse_file

__all__ = [
    "ConfigError",
    "ConfigWarning",
    "Container",
    "File",
    "Folded",
    "Folder",
    "Leaf",
    "LoadOptions",
    "Loaded",
    "Node",
    "Section",
    "SectionKind",
    "ServerSections",
    "load",
    "parse_file",
]  # fmt: skip
