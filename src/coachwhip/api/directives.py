"""How a module declares its directives: one row each, with Apache's contexts, override class and argument shape.

A row says where the directive may stand, how its arguments are cut, and which settings field it sets. It holds no state:
`coachwhip.config` reads the rows, calls `value`, and keeps what comes back in the section that was being read.
Source: Apache manual, "Terms Used to Describe Directives"; the shapes are those of httpd's command tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from coachwhip.api.core import Options
    from coachwhip.api.filters import RegisteredFilter
    from coachwhip.api.providers import Providers

__all__ = ["Args", "Directive", "DirectiveContext", "DirectiveError", "Location", "Repeat", "Where"]


class DirectiveError(ValueError):
    """An argument is wrong. The text says what was expected; the reader adds directive, file and line.

    `alone=True`: the text is complete and is printed without the "Name: " in front of it.
    """

    def __init__(self, message: str, *, alone: bool = False, log_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.alone = alone
        self.log_id = log_id


class Where(Flag):
    """Contexts and override classes; httpd's RSRC_CONF, ACCESS_CONF and OR_* by their meaning."""

    #: Server level and `<VirtualHost>` (RSRC_CONF).
    SERVER = auto()
    #: `<Directory>`, `<Location>`, `<Files>`, `<If>` and their kin, in the server's own files (ACCESS_CONF).
    SECTION = auto()
    #: `<Proxy>` (PROXY_CONF).
    PROXY = auto()
    #: `.htaccess` when `AllowOverride` grants the class; each of them also implies SERVER and SECTION, except that
    #: AUTHCONFIG or LIMIT alone are refused at server level.
    AUTHCONFIG = auto()
    FILEINFO = auto()
    INDEXES = auto()
    LIMIT = auto()
    OPTIONS = auto()
    #: Allowed everywhere (OR_ALL).
    ALL = AUTHCONFIG | FILEINFO | INDEXES | LIMIT | OPTIONS

    @property
    def override(self) -> Where:
        """Only the `AllowOverride` classes of this value."""
        return self & Where.ALL


class Args(Enum):
    """Argument shapes under Apache's names: (least, most) words; `most` None means any number."""

    NONE = ("NO_ARGS", 0, 0)
    ONE = ("TAKE1", 1, 1)
    TWO = ("TAKE2", 2, 2)
    THREE = ("TAKE3", 3, 3)
    ONE_OR_TWO = ("TAKE12", 1, 2)
    TWO_OR_THREE = ("TAKE23", 2, 3)
    ONE_TO_THREE = ("TAKE123", 1, 3)
    ONE_OR_THREE = ("TAKE13", 1, 3)
    #: Any number of words, none included; `value` gets them all (TAKE_ARGV).
    ARGV = ("TAKE_ARGV", 0, None)
    #: One or more words, all of the same kind; `value` gets them all (ITERATE).
    WORDS = ("ITERATE", 1, None)
    #: One word, then one or more of another kind (ITERATE2).
    ONE_THEN_WORDS = ("ITERATE2", 2, None)
    #: `On` or `Off`; `value` gets a bool.
    FLAG = ("FLAG", 1, 1)
    #: The rest of the line as it stands, quotes included (RAW_ARGS).
    RAW = ("RAW_ARGS", 0, None)

    @property
    def apache(self) -> str:
        """httpd's own name of the shape, as in `directives.json`."""
        return str(self.value[0])


class Repeat(Enum):
    """What happens when a directive stands twice in one section."""

    #: The later one counts.
    REPLACE = "replace"
    #: The later value, a tuple, is put behind the earlier one.
    APPEND = "append"
    #: The later value, a mapping, is laid over the earlier one.
    UPDATE = "update"


#: Makes one value of what several lines of a section said, in order; the first may be a value that it made before. Called when the
#: value is looked at, not for each line: a file of n lines takes n steps.
Join = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Location:
    """A line of a configuration file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class DirectiveContext(Protocol):
    """What a directive may ask while it is being read (httpd's cmd_parms)."""

    #: The directive's name as the table spells it, and where it stands.
    directive: str
    location: Location
    #: True inside a `.htaccess` file.
    in_htaccess: bool
    #: True at server or `<VirtualHost>` level, outside every per-directory section.
    at_server_level: bool
    #: True inside a `<VirtualHost>`.
    in_virtual_host: bool
    #: Path, URL or pattern of the innermost per-directory section, None at server level. A `.htaccess` has its folder.
    path: str | None
    #: True if that path is matched by a regular expression.
    path_is_regex: bool
    #: Methods of an enclosing `<Limit>`, or None. `<LimitExcept>` gives the complement test in `limit_except`.
    limit: frozenset[str] | None
    limit_except: frozenset[str] | None
    #: What `AllowOverride` grants here (everything outside `.htaccess`).
    override: Where
    #: The providers of all modules loaded so far.
    providers: Providers
    #: Environment of the start: `Define`d names.
    defines: Mapping[str, str]

    def server_path(self, path: str) -> str:
        """`path` made absolute against ServerRoot.

        Raises:
            DirectiveError: if it cannot be a path.
        """

    def value_of(self, config: type[Any], field: str) -> Any:
        """What the section being read has set so far for `field`, or None."""

    def set(self, config: type[Any], field: str, value: Any) -> None:
        """Set a field beside the row's own (`sets`), with this line as its source."""

    def add(self, config: type[Any], field: str, said: Any, repeat: Repeat | Join = Repeat.APPEND) -> None:
        """Add to a field beside the row's own what this line says of it."""

    def read_section(self) -> None:
        """Inside a row with `section=True`: read the enclosed lines into the section at hand."""

    def read_apart(self) -> Any:
        """Inside a row with `section=True`: read the enclosed lines into a section of their own, for `Engine.settings_with`."""

    def section_lines(self) -> list[tuple[str, str, Location]]:
        """Inside a row with `section=True`: the enclosed (name, raw arguments, location), unread."""

    @property
    def enclosing(self) -> tuple[str, ...]:
        """Names of the containers around this line as written, innermost first, without brackets."""

    @property
    def stack(self) -> list[Any]:
        """A stack for nested containers of one module (`<RequireAll>` in `<RequireAny>`), empty per section."""

    def words(self, raw: str) -> list[str]:
        """`raw` cut into words by Apache's quoting rules.

        Raises:
            DirectiveError: on an unclosed quote.
        """

    def warn(self, message: str, log_id: str = "") -> None:
        """Print a warning that names this line; the start goes on."""

    def has_module(self, name: str) -> bool:
        """Whether `name` (`x_module` or `mod_x.c`) is loaded."""

    def find_filter(self, name: str) -> RegisteredFilter | None:
        """The filter that a loaded module registered under this name, in any case; None if there is none."""

    def find_module(self, name: str) -> str | None:
        """Short name ("env") of a loaded module, given as "env", "env_module" or "mod_env.c"; None if it is not loaded."""

    def where_of(self, name: str) -> Where | None:
        """Where a directive may stand, None if no loaded module has it."""

    def is_inside(self, *names: str) -> bool:
        """Whether a container of one of these names ("Location") is around this line."""

    def is_directory(self, path: str) -> bool:
        """Whether a folder stands at the absolute `path` now."""

    def exists(self, path: str) -> bool:
        """Whether anything stands at the absolute `path` now."""

    def word(self, raw: str) -> tuple[str, str]:
        """The first word of `raw`, and what follows it, uncut."""

    @property
    def override_options(self) -> Options | None:
        """The bits that `Options` may set here; None for all."""

    @property
    def checks_document_root(self) -> bool:
        """False under `-T`: document roots need not exist."""


#: Turns the words of a line into the value of the field it sets. Called as `value(context, *words)`.
ValueOf = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class Directive:
    """One row of a module's table."""

    #: The name as the manual writes it; without `<>` for a container.
    name: str
    args: Args
    where: Where
    #: The field of the module's `dir_config` or `server_config` that the line sets; None if `value` does it all.
    sets: str | None = None
    #: Makes the field's value from the words; without it the word itself (FLAG: a bool, several words: a tuple).
    value: ValueOf | None = None
    repeat: Repeat | Join = Repeat.REPLACE
    #: True for `<Name …> … </Name>`; `value` gets the raw arguments and calls `context.read_section()`.
    section: bool = False
    #: True if it acts while the file is being read (httpd's EXEC_ON_READ).
    on_read: bool = False
    #: In a `<VirtualHost>` it is refused (Apache's GLOBAL_ONLY check).
    global_only: bool = False
    #: One line for `-L` and the manual; also the end of "takes one argument, …".
    help: str = ""
    #: Said with the line when the directive is accepted but has nothing to do here, or does it otherwise (COMPATIBILITY).
    differs: str = ""
