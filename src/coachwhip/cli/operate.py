"""What `coachwhip httpd` does once the flags are known: read the configuration, check it, then look, signal or serve.

Everything that can be wrong is found before anything is opened, bound or signalled. The exit status is 0, or 1 for any trouble.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from coachwhip.api.mpm import ServerMpm
from coachwhip.checks import configure
from coachwhip.cli.dumps import directives_text, modules_text, run_settings_text, virtual_hosts_text
from coachwhip.cli.flags import Flags
from coachwhip.cli.messages import Messages
from coachwhip.cli.versions import built_in_place
from coachwhip.config import ConfigError, Loaded, LoadOptions
from coachwhip.config.dump import dump_config, dump_includes
from coachwhip.launch import NO_SOCKETS, addresses_of, check_servable, launch, pid_file_of
from coachwhip.mpm.daemon import detach
from coachwhip.mpm.generation import StartFailed
from coachwhip.mpm.listeners import BindError
from coachwhip.mpm.occupied import check_free
from coachwhip.mpm.pidfile import PidFile, PidFileError
from coachwhip.mpm.privileges import PrivilegeError
from coachwhip.server import Plan, StartRefused, read, rehearse
from coachwhip.util.notes import notes_of

__all__ = ["load_options", "operate"]

#: Word of `-k` → the signal that says it.
SENT = {"stop": signal.SIGTERM, "graceful-stop": signal.SIGWINCH, "restart": signal.SIGHUP, "graceful": signal.SIGUSR1}
#: Those that start a server where none runs.
RELOADS = ("restart", "graceful")


def load_options(flags: Flags) -> LoadOptions:
    """What is read: the places that the flags name, or the built-in ones."""
    root, name = built_in_place()
    root = os.path.abspath(flags.server_root) if flags.server_root is not None else root
    return LoadOptions(
        root,
        name if flags.config_file is None else flags.config_file,
        defines=tuple(flags.defines),
        before=tuple(flags.before),
        after=tuple(flags.after),
        check_document_root=flags.check_document_root,
        # Apache has to be compiled with this name before it lets its workers be root's.
        preset={ServerMpm: {"allow_root": "BIG_SECURITY_HOLE" in flags.defines}},
    )


def operate(flags: Flags) -> int:
    """Act on flags that need the configuration; returns the exit status."""
    options = load_options(flags)
    file = os.path.join(options.server_root, flags.error_file) if flags.error_file is not None else None
    messages = Messages(flags, file)
    return _guarded(messages, lambda: _operate(flags, options, messages), tells_places=flags.signal in RELOADS)


def _guarded(messages: Messages, act: Callable[[], int], *, tells_places: bool = False) -> int:
    """Say what went wrong in the shape that it has; `tells_places`: and the lines behind it where Apache names none."""
    try:
        return act()
    except ConfigError as error:
        messages.warn(error.warnings)
        # Apache puts the program's name before what is wrong while lines are read.
        messages.say(str(error) if error.log_id == "AH00526" else _with_program(str(error), error.log_id))
    except BindError as error:
        messages.say("\n".join([str(error), *_places(error, tells_places), NO_SOCKETS]))
    except (StartRefused, PrivilegeError, PidFileError, StartFailed) as error:
        messages.say("\n".join([str(error), *_places(error, tells_places)]))
    return 1


def _places(error: Exception, tells_places: bool) -> list[str]:
    return notes_of(error) if tells_places else []


def _with_program(text: str, log_id: str) -> str:
    return f"{log_id}: httpd: {text.removeprefix(f'{log_id}: ')}" if log_id else f"httpd: {text}"


def _operate(flags: Flags, options: LoadOptions, messages: Messages) -> int:
    if flags.page == "L":
        loaded = read(options).loaded
        messages.warn(loaded.warnings)
        sys.stdout.write(directives_text(loaded))
        return 0
    plan = configure(options)
    loaded = plan.loaded
    messages.warn(loaded.warnings)
    for warning in plan.startup.warnings:
        messages.say(warning)
    if flags.dumps or "DUMP_CONFIG" in flags.defines:
        _dump(flags, loaded)
        if flags.dumps:
            return 0
    if flags.tests:
        messages.say("Syntax OK")
        return 0
    file = pid_file_of(loaded.main, loaded.server_root)
    pid = file.read() if flags.signal != "start" else _pid_if_any(file)
    running = pid if pid is not None and file.is_running(pid) else None
    if running and flags.signal in RELOADS:
        conf = loaded.main.config(ServerMpm)
        if _has_our_rights(running):
            check_servable(conf)
        check_free(addresses_of(conf), running)
        rehearse(plan)
    if flags.signal != "start":
        is_done = _signal(SENT[flags.signal], running) if running else _miss(flags.signal, pid)
        if is_done:
            return 0
    elif running:
        print(f"httpd (pid {running}) already running")
        return 0
    return _start(flags, plan, options, messages)


def _has_our_rights(pid: int) -> bool:
    """Whether a server needs of its configuration what it would need if this process ran it; not known without `/proc`."""
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return False


def _pid_if_any(file: PidFile) -> int | None:
    """A pid file with nonsense in it does not keep a server from starting."""
    try:
        return file.read()
    except PidFileError:
        return None


def _miss(word: str, pid: int | None) -> bool:
    """There is no server to signal; whether that is the end of it."""
    if word in RELOADS:
        print("httpd not running, trying to start", flush=True)
        return False
    found = "no pid file" if pid is None else f"pid {pid}?"
    print(f"httpd ({found}) not running")
    return True


def _signal(number: signal.Signals, pid: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError as error:
        raise StartRefused(f"({error.errno}){error.strerror}: AH00060: sending signal to server") from None
    return True


def _start(flags: Flags, plan: Plan, options: LoadOptions, messages: Messages) -> int:
    def serve(ready: Callable[[], None]) -> int:
        return _guarded(messages, lambda: launch(plan, options, alone=flags.one_process, ready=ready))

    return serve(lambda: None) if flags.in_foreground else detach(serve)


def _dump(flags: Flags, loaded: Loaded) -> None:
    pages = {
        "DUMP_INCLUDES": lambda: dump_includes(loaded.includes),
        "DUMP_VHOSTS": lambda: virtual_hosts_text(loaded),
        "DUMP_RUN_CFG": lambda: run_settings_text(loaded, flags.defines),
        "DUMP_MODULES": lambda: modules_text(loaded),
    }
    if "DUMP_CONFIG" in flags.defines:
        sys.stdout.write(dump_config(loaded.tree))
    for name in flags.dumps:
        sys.stdout.write(pages[name]())
    sys.stdout.flush()
