"""mod_heartmonitor -- hears the heartbeats of other servers, and keeps a file of them for whoever balances load.

They come as UDP datagrams (one worker listens), or as POST requests to the handler `heartbeat`. What they say is in `beats`.
Source: Apache manual, mod_heartmonitor; messages, file and answers compared with 2.4.71. There is no shared memory for them
(mod_slotmem_shm), so `HeartbeatMaxServers 0` must say that they go to the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coachwhip.api import (
    Args,
    Data,
    Directive,
    DirectiveContext,
    End,
    Module,
    Outcome,
    Request,
    Result,
    Startup,
    Where,
    phases,
)
from coachwhip.api.datagrams import Address, DatagramListener, read_address
from coachwhip.api.storage import Storage
from coachwhip.api.values import leading_int, refuse
from coachwhip.api.watchdog import Place
from coachwhip.modules.cluster.mod_heartmonitor.beats import Beat, Malformed, aged, fresh, parse_beat, parse_lines, write_lines

__all__ = ["MODULE", "Monitor", "MonitorServer"]

HANDLER = "heartbeat"
#: Bytes of a message that are looked at.
LONGEST = 1000
#: Seconds from one writing of the file to the next.
WRITES = 5.0


@dataclass(frozen=True, slots=True)
class MonitorServer:
    """What the main server says counts."""

    #: Where heartbeats come; None: nothing is listened to.
    address: Address | None = None
    #: Servers that shared memory has room for; 0: the file is used.
    most_servers: int = 10
    #: Path of the file, relative to `DefaultRuntimeDir`.
    storage: str = "hb.dat"


_MESSAGES = {
    "failed": "apr_sockaddr_info_get failed on multicast address",
    "Unable to parse": "Unable to parse multicast address.",
}


def _read_address(context: DirectiveContext, word: str) -> Address:
    return read_address(context, MonitorServer, word, _MESSAGES, place="multicast address")


def _read_most(context: DirectiveContext, word: str) -> int:
    most = leading_int("HeartbeatMaxServers", word)
    if most != 0 and most < 10:
        raise refuse("HeartbeatMaxServers: Should be 0 for file storage, or greater or equal than 10 for slotmem")
    return most


MODULE = Module(
    "heartmonitor_module",
    "mod_heartmonitor.c",
    (
        Directive("HeartbeatListen", Args.ONE, Where.SERVER, "address", _read_address, global_only=True,
                  help="address and port on which heartbeats are heard",
                  differs="an address that is of no multicast group is listened on too"),
        Directive("HeartbeatMaxServers", Args.ONE, Where.SERVER, "most_servers", _read_most, global_only=True,
                  help="0: heartbeats are kept in a file",
                  differs="only with 0, which must be said, for there is no mod_slotmem_shm; a word that is no number is refused"),
        Directive("HeartbeatStorage", Args.ONE, Where.SERVER, "storage", global_only=True,
                  help="the file in which heartbeats are kept"),
    ),
    server_config=MonitorServer,
    replayable=True,
)  # fmt: skip
LOG = MODULE.log


@MODULE.hook(phases.post_config)
def find_memory(startup: Startup) -> Result:
    """Without the file there would have to be shared memory."""
    if startup.main.config(MonitorServer).most_servers == 0:
        return Outcome.OK
    text = "failed to lookup provider 'shm' for 'slotmem', maybe you need to load mod_slotmem_shm?"
    LOG.emerg(startup.main, "AH02284", text)
    settings = startup.main.settings
    startup.refuse(f"AH02284: {text}", settings.sources(MonitorServer, "most_servers") or settings.sources(MonitorServer, "address"))
    return 500


def _storage(startup: Startup) -> Storage:
    return Storage(startup.runtime_path(startup.main.config(MonitorServer).storage))


def _write(storage: Storage, beats: dict[str, Beat]) -> None:
    """These, and what others wrote down. Raises OSError."""
    storage.update(lambda text, age: write_lines(fresh(beats, parse_lines(text, age))))


@MODULE.provider("watchdog", "_heartmonitor_")
class Monitor:
    """Listens in one worker, and writes down what it has heard every few seconds."""

    place: ClassVar[Place] = Place.ONE_WORKER

    def __init__(self, startup: Startup) -> None:
        self._main = startup.main
        self._storage = _storage(startup)
        self._address = startup.main.config(MonitorServer).address
        self._listener: DatagramListener | None = None
        #: Why there is none: said once.
        self._refused = False
        #: Server → what it said last, and when: seconds of the monotonic clock.
        self._heard: dict[str, tuple[Beat, float]] = {}
        self._written = 0.0

    @classmethod
    def is_needed(cls, startup: Startup) -> bool:
        """If there is anything to listen to."""
        return startup.main.config(MonitorServer).address is not None

    def step(self, now: float) -> None:
        """See `Watchdog`."""
        listener = self._listener or self._listen()
        if listener is None:
            return
        for data, sender in listener.receive(LONGEST):
            self._hear(data, sender, now)
        if not self._written or now - self._written >= WRITES:
            self._written = now
            self._write(now)

    def _listen(self) -> DatagramListener | None:
        if self._address is None:
            return None
        try:
            self._listener = DatagramListener(self._address)
        except OSError as error:
            if not self._refused:
                LOG.crit(self._main, "AH02090", "Unable to listen for connections!", error=error)
            self._refused = True
            return None
        LOG.debug(self._main, "AH02091", "_heartmonitor_ listener started.")
        return self._listener

    def _hear(self, data: bytes, sender: Address, now: float) -> None:
        ip, port = sender
        try:
            beat = parse_beat(data.decode("latin-1"), ip)
        except Malformed:
            LOG.crit(self._main, "AH02087", "malformed message from %s:%d", ip, port)
            return
        LOG.debug(self._main, "AH02086", "%s:%d busy=%d ready=%d", ip, port, beat.busy, beat.ready)
        self._heard[ip] = (beat, now)

    def _write(self, now: float) -> None:
        """Ours, and what was posted to other workers meanwhile."""
        try:
            ours = fresh({ip: aged(beat, now - heard) for ip, (beat, heard) in self._heard.items()})
            self._heard = {ip: entry for ip, entry in self._heard.items() if ip in ours}
            _write(self._storage, ours)
        except OSError as error:
            LOG.crit(self._main, "AH02081", "Unable to open tmp file: %s", self._storage.path, error=error)

    def stop(self) -> None:
        """See `Watchdog`."""
        if self._listener is not None:
            self._listener.close()


@MODULE.hook(phases.handler, handlers=(HANDLER,))
def take_heartbeat(r: Request) -> Result:
    """A heartbeat that is posted: body `ready=5&busy=3`, perhaps `&port=8080`."""
    r.record.make_volatile("heartbeat")
    if r.method != "POST":
        return 405
    r.engine.leave_loop(r)
    data = r.body.read(LONGEST) if r.body is not None else b""
    try:
        beat = parse_beat(data.decode("latin-1"), r.client_ip, needs_version=False)
    except Malformed:
        LOG.error(r, "AH10563", "Missing required parameters: busy and/or ready")
        return 400
    storage = _storage(r.engine.startup)
    try:
        _write(storage, {beat.ip: beat})
    except OSError as error:
        LOG.crit(r.server, "AH02074", "Unable to open tmp file: %s", storage.path, error=error)
    r.set_content_type("text/plain")
    r.send(Data(b"OK"), End())
    return Outcome.OK
