"""Command lines that are run with Apache and with Coachwhip, what both print, and how it is made comparable.

Each case has a file in `recorded/` with exit status, stdout and stderr of Apache 2.4.71; `record_apache.py` writes them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded"
HTTPD = (sys.executable, "-m", "coachwhip", "httpd")
SHARED_OBJECTS = "/usr/lib/apache2/modules"

MINIMAL = f"""\
LoadModule mpm_event_module {SHARED_OBJECTS}/mod_mpm_event.so
LoadModule authz_core_module {SHARED_OBJECTS}/mod_authz_core.so
Listen 127.0.0.1:{{port}}
DefaultRuntimeDir {{root}}/logs
PidFile logs/httpd.pid
ServerName main.example
User www-data
Group www-data
DocumentRoot {{root}}/htdocs
ErrorLog logs/error.log
"""

HOSTS = """\
Include inc/*.conf
<VirtualHost *:18081>
    ServerName one.example
    ServerAlias a.example b.example *.w.example
    ServerAlias c.example
</VirtualHost>
<VirtualHost *:18081>
    ServerName two.example:8443
</VirtualHost>
<VirtualHost 127.0.0.1:18082>
    ServerName three.example
    ServerAlias not.shown.example
</VirtualHost>
<VirtualHost 127.0.0.1:18083 127.0.0.1:*>
    ServerName https://four.example
</VirtualHost>
<VirtualHost _default_:18084>
</VirtualHost>
<VirtualHost *>
    ServerName six.example
</VirtualHost>
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A command line; `conf` is the configuration's file."""

    name: str
    words: Sequence[str]
    conf: str = "min.conf"

    def __str__(self) -> str:
        return self.name


def lines(*words: str) -> list[str]:
    """`-c` lines."""
    return [word for line in words for word in ("-c", line)]


#: Numbers that an MPM corrects.
NUMBERS = {
    "too-many-servers": lines("ServerLimit 300000"),
    "no-servers": lines("ServerLimit 0", "StartServers -1"),
    "too-many-workers": lines("MaxRequestWorkers 1010"),
    "too-few-workers": lines("MaxRequestWorkers 0"),
}
THREADS = {
    "too-many-threads": lines("ThreadLimit 100001", "ThreadsPerChild 100002", "MinSpareThreads 0"),
    "no-threads": lines("ThreadLimit 0", "ThreadsPerChild 0"),
    "threads-above-limit": lines("ThreadLimit 20", "ThreadsPerChild 30", "ServerLimit 2", "MaxRequestWorkers 100"),
    "uneven-workers": lines("MaxRequestWorkers 401"),
}

CASES = (
    Case("test", ["-t"]),
    Case("test-with-define", ["-tDSOME"]),
    Case("modules", ["-M"]),
    Case("modules-by-define", ["-t", "-DDUMP_MODULES"]),
    Case("hosts-none", ["-S"]),
    Case("hosts", ["-S"], "hosts.conf"),
    Case("hosts-by-define", ["-t", "-D", "DUMP_VHOSTS"], "hosts.conf"),
    Case("run-settings", ["-DDUMP_RUN_CFG", "-Dx=y z", "-c", "ErrorLog |/bin/cat", "-c", "Group #7", "-c", "PidFile /x/y.pid"]),
    Case("run-settings-mutex", ["-DDUMP_RUN_CFG", "-c", "Mutex posixsem default", "-c", "ErrorLog syslog:local1"]),
    Case("includes", ["-t", "-DDUMP_INCLUDES"], "hosts.conf"),
    Case("includes-of-lines", ["-DDUMP_INCLUDES", "-C", "Include inc/a.conf", "-c", "Include inc/a.conf"], "hosts.conf"),
    Case("config", ["-t", "-DDUMP_CONFIG", "-C", f"LoadModule info_module {SHARED_OBJECTS}/mod_info.so"], "hosts.conf"),
    Case("all-dumps", ["-M", "-S", "-DDUMP_INCLUDES"], "hosts.conf"),
    Case("wrong-line-after", ["-t", "-c", "Bogus x"]),
    Case("wrong-line-before", ["-t", "-C", "Define OK", "-C", "Bogus x"]),
    Case("wrong-line-in-file", ["-t"], "wrong.conf"),
    Case("wrong-line-of-dump", ["-M", "-c", "Bogus x"]),
    Case("wrong-line-of-stop", ["-k", "stop", "-c", "Bogus x"]),
    Case("wrong-include", ["-t", "-c", "Include nope.conf"]),
    Case("open-section", ["-t", "-c", "<VirtualHost *>"]),
    Case("undefined-variable", ["-t", "-c", "Bogus ${NOPE}"]),
    Case("undefined-variable-quiet", ["-e", "error", "-t", "-c", "Bogus ${NOPE}"]),
    Case("no-document-root", ["-t", "-c", "DocumentRoot /nonexistent"]),
    Case("no-document-root-unchecked", ["-t", "-T", "-c", "DocumentRoot /nonexistent"]),
    Case("no-file", ["-t"], "nope.conf"),
    Case("no-user", ["-t", "-c", "User nosuchuser"]),
    Case("no-group", ["-t", "-c", "Group nosuchgroup"]),
    Case("no-error-log-folder", ["-t", "-c", "ErrorLog /nonexistent/x"]),
    Case("no-error-log-folder-of-host", ["-t"], "hostlog.conf"),
    Case("no-access-log-folder", ["-t", "-c", "CustomLog nope/x common"]),
    Case("no-access-log-folder-of-host", ["-t", "-c", "<VirtualHost *:1>", "-c", "TransferLog /nonexistent/x", "-c", "</VirtualHost>"]),
    Case("no-document-root-of-hosts", ["-t"], "hostroot.conf"),
    Case("error-log-is-a-folder", ["-DFOREGROUND", "-c", "ErrorLog htdocs"]),
    Case("error-log-program-missing", ["-DFOREGROUND", "-c", "ErrorLog |/nonexistent/x"]),
    Case("error-log-format-letter", ["-t", "-c", 'ErrorLogFormat "%M %u"']),
    Case("error-log-format-plus", ["-t", "-c", 'ErrorLogFormat "%M %+a"']),
    Case("error-log-format-escaped", ["-t", "-c", 'ErrorLogFormat "%M \\\\%u"']),
    Case("no-server-name", ["-t"], "noname.conf"),
    Case("no-listener", [], "nolisten.conf"),
    Case("no-listener-tested", ["-t"], "nolisten.conf"),
    Case("address-not-ours", ["-c", "Listen 192.0.2.1:18085"]),
    Case("address-not-ours-foreground", ["-DFOREGROUND", "-c", "Listen 192.0.2.1:18085"]),
    Case("address-not-ours-one-process", ["-X", "-c", "Listen 192.0.2.1:18085"]),
    Case("stop-nothing", ["-k", "stop"]),
    Case("graceful-stop-nothing", ["-k", "graceful-stop"]),
    Case("stop-stale", ["-k", "stop", "-c", "PidFile stale.pid"]),
    Case("stop-nonsense", ["-k", "stop", "-c", "PidFile nonsense.pid"]),
    *[Case(f"event-{name}", ["-t", *words]) for name, words in (NUMBERS | THREADS).items()],
    *[Case(f"worker-{name}", ["-t", *words], "worker.conf") for name, words in (NUMBERS | THREADS).items()],
    *[Case(f"prefork-{name}", ["-t", *words], "prefork.conf") for name, words in NUMBERS.items()],
    Case("prefork-no-spare", ["-t", "-c", "MinSpareServers 0"], "prefork.conf"),
)


def lay_out(root: Path, port: int) -> None:
    """The files that the cases need."""
    for folder in ("htdocs", "logs", "inc/sub"):
        (root / folder).mkdir(parents=True)
    minimal = MINIMAL.replace("{root}", str(root)).replace("{port}", str(port))
    files = {
        "min.conf": minimal,
        "hosts.conf": minimal + HOSTS,
        "wrong.conf": minimal + "\n<IfModule core.c>\n    ServerNam x\n</IfModule>\n",
        "hostlog.conf": minimal + "<VirtualHost *:1>\n    ErrorLog /nonexistent/y\n</VirtualHost>\n",
        "hostroot.conf": minimal + "<VirtualHost *:1>\n    DocumentRoot /nonexistent\n</VirtualHost>\n" * 2,
        "worker.conf": minimal.replace("mpm_event", "mpm_worker"),
        "prefork.conf": minimal.replace("mpm_event", "mpm_prefork"),
        "noname.conf": minimal.replace("ServerName main.example\n", ""),
        "nolisten.conf": minimal.replace(f"Listen 127.0.0.1:{port}\n", ""),
        "inc/a.conf": "Define A 1\n",
        "inc/b.conf": "Include inc/sub/*.conf\n",
        "inc/sub/c.conf": 'Define B "two words"\n',
        "stale.pid": "999999\n",
        "nonsense.pid": "abc\n",
        "htdocs/index.html": "hello\n",
    }
    for name, text in files.items():
        (root / name).write_text(text)


def run(command: Sequence[str], case: Case, root: Path, port: int) -> str:
    """Exit status, stdout and stderr, made comparable."""
    words = [*command, "-d", str(root), "-f", case.conf, *case.words]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return f"exit {done.returncode}\n--- stdout\n{_plain(done.stdout, root, port)}--- stderr\n{_plain(done.stderr, root, port)}"


#: What is no difference: (pattern, what stands in its place). First Apache's own modules and spellings, then facts of the machine.
_NOISE = (
    (r"(?m)^ watchdog_module \(static\)\n", ""),
    (r"(?m)^ replay_module \(static\)\n", ""),
    (r"(?m)^Mutex watchdog-callback: .*\n", ""),
    (r"(?m)^Define: DUMP_.*\n", ""),
    (r"\bapache2: ", "httpd: "),
    (r"(?m)^\[[^\]]*\] \[([a-z_]+:[a-z0-9]+)\] \[pid [^\]]*\] ", r"[\1] "),
    (r"\([0-9]+\)Internal error \(specific information not available\): ", ""),
    (r"using [0-9a-f.:]+\. Set", "using {address}. Set"),
)


def _plain(text: str, root: Path, port: int) -> str:
    text = text.replace(str(root), "{root}").replace(str(port), "{port}")
    for pattern, instead in _NOISE:
        text = re.sub(pattern, instead, text)
    return text
