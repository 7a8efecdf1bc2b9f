"""What the name of a log's target means: a file below ServerRoot, or a program that reads lines.

`LogRoom` holds all targets of one generation of the server. Files and programs are opened by the parent, before it gives up its
privileges; workers inherit them. Source: Apache manual, "Log Files" (piped logs), mod_log_config.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from coachwhip.api.log import LogTargetError, reason_text
from coachwhip.logs.syslog import Syslog
from coachwhip.logs.writer import Writer

__all__ = ["LogRoom", "Program", "is_standard", "not_opened", "split_command"]

OPEN = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
#: Seconds from one start of a program to the next.
REST = 1.0
#: Signals whose handling a program must not inherit from the server.
_DEFAULTED = [
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGWINCH", "SIGCHLD", "SIGPIPE", "SIGXFSZ")
]
_SHELL = "/bin/sh"
#: The command `coachwhip`; `-P`: what lies about in ServerRoot is not imported.
_OURSELVES = (sys.executable, "-P", "-m", "coachwhip")
#: Goes to the folder and becomes the program: the system's call for starting one cannot do the first.
_IN_FOLDER = 'cd "$0" && exec "$@"'
_STANDARD = re.compile(r"/(?:dev/(stdout|stderr)|(?:proc/self|dev)/fd/([0-9]{1,4}))")


@dataclass(slots=True)
class Program:
    """A program that reads a log. Its pipe outlives it: a new process goes on where the old one stopped."""

    #: As messages name it.
    command: str
    argv: tuple[str, ...]
    #: Both ends are kept open, so that lines wait in the pipe while there is no reader.
    read_fd: int
    write_fd: int
    #: Where it runs (ServerRoot), and where what it says goes: the error log's descriptor; -1: where the server's goes.
    folder: str
    error_fd: int = -1
    #: 0: it does not run.
    pid: int = 0
    #: Monotonic second before which it is not run again, lest one that ends at once keeps the parent busy.
    rests_until: float = 0.0

    def start(self) -> None:
        """Run it on the pipe's reading end.

        Raises:
            OSError: it cannot be run.
        """
        self.rests_until = time.monotonic() + REST
        path = os.path.abspath(self.argv[0])
        _check_executable(path)
        actions = [(os.POSIX_SPAWN_DUP2, self.read_fd, 0)]
        if self.error_fd >= 0:
            actions.append((os.POSIX_SPAWN_DUP2, self.error_fd, 2))
        self.pid = os.posix_spawn(
            _SHELL,
            (_SHELL, "-c", _IN_FOLDER, self.folder, path, *self.argv[1:]),
            os.environ,
            file_actions=actions,
            setsigmask=[],
            setsigdef=_DEFAULTED,
            # The terminal's Ctrl-C is for the server; its last lines are still to come.
            setpgroup=0,
        )


class LogRoom:
    """All log targets of one generation; implements `api.log.Logs` and `writer.Turns`."""

    def __init__(self, server_root: str) -> None:
        self.server_root = server_root
        self.programs: list[Program] = []
        #: Told when a target takes lines again after some were lost: (name, lines).
        self.on_loss: Callable[[Writer, int], None] | None = None
        #: Told once when a target stops taking lines, and why.
        self.on_failure: Callable[[Writer, OSError], None] | None = None
        #: Those that write to the system's logger, which needs nothing opened.
        self.syslogs: list[Syslog] = []
        self._writers: list[Writer] = []
        self._files: dict[str, Writer] = {}
        self._error_files: list[tuple[str, Writer]] = []
        self._error_fd = -1
        self._soon: Callable[[Callable[[], None]], object] | None = None
        self._later: Callable[[float, Callable[[], None]], object] | None = None

    # -- opening

    def open(self, target: str, *, buffered: bool = False, at_once: bool = False) -> Writer:
        """See `Logs`. One file has one writer, whatever number of logs go to it; a program is run for each."""
        if target.startswith("|"):
            return self.open_program(target, turns=not at_once, buffered=buffered)
        path = os.path.join(self.server_root, target)
        if path not in self._files:
            try:
                self._files[path] = self._keep(open_file(path), target, turns=not at_once, buffered=buffered)
            except OSError as error:
                raise not_opened(path, error) from error
        return self._files[path]

    def open_error_file(self, path: str) -> Writer:
        """A file whose lines are written one by one. Raises OSError."""
        writer = self._keep(open_file(path), path, turns=False)
        self._error_files.append((path, writer))
        return self._keep_error_log(writer)

    def reopen(self) -> None:
        """Open every file by its name again, which may be another file by now: all of them, or none. Raises OSError."""
        opened: list[tuple[Writer, int]] = []
        try:
            for path, writer in [*self._files.items(), *self._error_files]:
                opened.append((writer, open_file(path)))
        except OSError:
            for _, fd in opened:
                os.close(fd)
            raise
        for writer, fd in opened:
            writer.replace(fd)

    def open_program(self, target: str, *, turns: bool, buffered: bool = False) -> Writer:
        """Run what follows `|` (`||` the same, `|$` through the shell) and write to it.

        Raises:
            LogTargetError: it cannot be run.
        """
        argv = program_argv(target)
        self.check_program(target, argv)
        program = Program(program_command(target), argv, *os.pipe(), self.server_root, self._error_fd)
        try:
            program.start()
        except OSError as error:
            os.close(program.read_fd)
            os.close(program.write_fd)
            raise _not_started(program.command, error) from error
        os.set_blocking(program.write_fd, False)
        self.programs.append(program)
        return self._keep(program.write_fd, target, turns=turns, buffered=buffered)

    def check_program(self, target: str, argv: tuple[str, ...]) -> None:
        """Refuse a program that could not be run. Of a shell's command only a first word that is a whole path says so.

        Raises:
            LogTargetError: none is named, or it is not there, or not executable.
        """
        command = program_command(target)
        if not argv:
            raise LogTargetError(f"AH00104: unable to start piped log program '{command}': no program is named")
        is_shells = target.startswith("|$")
        first = split_command(command)[:1] if is_shells else argv[:1]
        try:
            for path in first:
                if path.startswith("/") or not is_shells:
                    _check_executable(os.path.abspath(path))
        except OSError as error:
            raise _not_started(command, error) from error

    def open_error_program(self, target: str) -> Writer:
        """A program whose lines are written one by one. Raises as `open_program`."""
        return self._keep_error_log(self.open_program(target, turns=False))

    def _keep_error_log(self, writer: Writer) -> Writer:
        """The first, which is the main server's, also gets what programs of later logs say."""
        if self._error_fd < 0:
            self._error_fd = writer.fileno()
        return writer

    def _keep(self, fd: int, name: str, *, turns: bool, buffered: bool = False) -> Writer:
        at_turns = self if turns else None
        writer = Writer(fd, name, turns=at_turns, buffered=buffered, on_loss=self._lost, on_failure=self._failed)
        self._writers.append(writer)
        return writer

    def _lost(self, writer: Writer, lines: int) -> None:
        if self.on_loss is not None:
            self.on_loss(writer, lines)

    def _failed(self, writer: Writer, error: OSError) -> None:
        if self.on_failure is not None:
            self.on_failure(writer, error)

    # -- the loop

    def attach(
        self, soon: Callable[[Callable[[], None]], object], later: Callable[[float, Callable[[], None]], object]
    ) -> None:
        """A worker's loop serves from now on: `call_soon` and `call_later` of it, called on its own thread."""
        self._soon, self._later = soon, later

    def detach(self) -> None:
        """The loop is gone; write what it kept."""
        self._soon = self._later = None
        self.flush()

    def soon(self, flush: Callable[[], None]) -> bool:
        """See `Turns`."""
        if self._soon is None:
            return False
        self._soon(flush)
        return True

    def later(self, seconds: float, flush: Callable[[], None]) -> None:
        """See `Turns`."""
        if self._later is not None:
            self._later(seconds, flush)

    # -- the end

    def flush(self) -> None:
        """See `Logs`; for the end of a process."""
        for writer in self._writers:
            writer.finish()

    def close(self) -> None:
        """Give every descriptor back; programs see the end of their input when the last worker has done so."""
        for writer in self._writers:
            writer.close()
        for program in self.programs:
            os.close(program.read_fd)
        self._writers.clear()
        self._files.clear()
        self._error_files.clear()
        self.programs.clear()

    def forget(self) -> None:
        """In a worker: close what belongs to another generation, whose programs wait for the end of their input."""
        for writer in self._writers:
            writer.abandon()
        self.close()

    def bury(self, pid: int) -> str | None:
        """The log's program that had this process id and ended; None if none had."""
        for program in self.programs:
            if program.pid == pid:
                program.pid = 0
                return program.command
        return None

    def revive(self) -> None:
        """Run those programs again that ended and have rested.

        Raises:
            LogTargetError: one cannot be run any more; it is tried again after a rest.
        """
        for program in self.programs:
            if program.pid or time.monotonic() < program.rests_until:
                continue
            try:
                program.start()
            except OSError as error:
                raise _not_started(program.command, error) from error

    @property
    def lost(self) -> int:
        """See `Logs`."""
        return sum(writer.lost_ever for writer in self._writers) + sum(logger.lost for logger in self.syslogs)

    # -- what log lines ask for

    def process_id(self) -> int:
        """See `Logs`."""
        return os.getpid()

    def thread_id(self) -> int:
        """See `Logs`."""
        return threading.get_native_id()

    def now(self) -> float:
        """See `Logs`."""
        return time.time()


def open_file(path: str) -> int:
    """Open for appending, and so that a pipe or terminal behind the name is never waited for. Raises OSError."""
    standard = _STANDARD.fullmatch(path)
    own = {"stdout": 1, "stderr": 2}.get(standard[1] or "") or int(standard[2]) if standard is not None else -1
    if own >= 0 and _is_file(own):
        # Opened a second time, it would be written to at two places: what is printed and what is logged would cover each other.
        flags = fcntl.fcntl(own, fcntl.F_GETFL)
        fcntl.fcntl(own, fcntl.F_SETFL, flags | os.O_APPEND)
        return os.dup(own)
    try:
        fd = os.open(path, OPEN, 0o644)
    except OSError as error:
        # A socket, or a terminal of somebody else's, has no name to be opened by; the descriptor itself can be written.
        if own < 0 or error.errno not in (errno.ENXIO, errno.EACCES, errno.ENOENT):
            raise
        return os.dup(own)
    os.set_blocking(fd, False)
    return fd


def is_standard(path: str) -> bool:
    """Whether a name means a descriptor of whoever opens it."""
    return _STANDARD.fullmatch(path) is not None


def _is_file(fd: int) -> bool:
    """Whether a descriptor is there, leads to a file, and can be written."""
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode) and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
    except OSError:
        return False


def _check_executable(path: str) -> None:
    if not os.access(path, os.X_OK):
        number = errno.EACCES if os.path.exists(path) else errno.ENOENT
        raise OSError(number, os.strerror(number))


def not_opened(path: str, error: OSError) -> LogTargetError:
    """What is said of a log file that cannot be opened."""
    return LogTargetError(f"{reason_text(error)}: AH00649: could not open transfer log file {path}.")


def _not_started(command: str, error: OSError) -> LogTargetError:
    return LogTargetError(f"{reason_text(error)}: AH00104: unable to start piped log program '{command}'")


def program_command(target: str) -> str:
    """What a `|program` target runs, as messages name it."""
    return target[1:].removeprefix("|").removeprefix("$")


def program_argv(target: str) -> tuple[str, ...]:
    """The words of a `|program` target. Ours needs no path, wherever it is installed."""
    command = target[1:]
    if command.startswith("$"):
        return (_SHELL, "-c", command[1:])
    words = split_command(command.removeprefix("|"))
    return (*_OURSELVES, *words[1:]) if words[:1] == ("coachwhip",) else words


def split_command(command: str) -> tuple[str, ...]:
    """Words at blanks; quotes of both kinds hold one together, a backslash takes the next character as it is (APR's rules)."""
    words: list[str] = []
    at = 0
    while at < len(command):
        if command[at] in " \t":
            at += 1
            continue
        word, at = _one_word(command, at)
        words.append(word)
    return tuple(words)


def _one_word(command: str, at: int) -> tuple[str, int]:
    quote = command[at] if command[at] in "\"'" else ""
    at += len(quote)
    stop = quote or " \t"
    pieces: list[str] = []
    while at < len(command) and command[at] not in stop:
        if command[at] == "\\" and at + 1 < len(command) and command[at + 1] in "\\\"' \t":
            at += 1
        pieces.append(command[at])
        at += 1
    return "".join(pieces), at + len(quote)
