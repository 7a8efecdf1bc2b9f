"""The one request about which all recorded questions are asked, as data for the real Apache and as a `Scope` for ours."""

from __future__ import annotations

import re

from coachwhip.api.files import FileKind, FileStat

#: Stands for the scratch folder in expressions and answers.
ROOT = "/srv/site"

HEADERS = {
    "Host": "www.example.com",
    "User-Agent": "Agent/1.0",
    "Referer": "http://ref.example/x",
    "Cookie": "a=1; b=2",
    "X-Foo": "foo",
    "X-Num": "12",
    "X-Empty": "",
    "X-Name": "X-Foo",
    "X-Latin": "\xe9",
}
RESPONSE_HEADERS = {"Content-Type": "text/plain", "X-Out": "out"}
#: Set before any section is looked at (`SetEnvIf` of the server).
REQUEST_ENV = {"early": "E1", "both": "request", "void": "1"}
PROCESS_ENV = {"EXPR_OS": "os-value", "both": "process", "void": "process"}

#: Name below the root → content; None for a folder.
FILES: dict[str, bytes | None] = {"f.txt": b"hello\n", "empty": b"", "nul": b"ab\0cd", "run": b"#!", "sub": None}
EXECUTABLE = {"run": 0o010}
LINKS = {"link": "f.txt", "folder": "sub", "dangling": "nowhere"}
ELSEWHERE = {"/dev/null": FileStat(FileKind.OTHER, mode=0o666), "/": FileStat(FileKind.DIRECTORY, mode=0o755)}

VARIABLES = {
    "AUTH_TYPE": "",
    "CONN_REMOTE_ADDR": "127.0.0.1",
    "CONTENT_TYPE": "text/plain",
    "CONTEXT_PREFIX": "",
    "DOCUMENT_ROOT": ROOT,
    "CONTEXT_DOCUMENT_ROOT": ROOT,
    "DOCUMENT_URI": "/p0/f.txt",
    "HANDLER": "text/plain",
    "HTTP2": "off",
    "HTTPS": "off",
    "IPV6": "off",
    "IS_SUBREQ": "false",
    "LAST_MODIFIED": "20200102030405",
    "PATH_INFO": "",
    "QUERY_STRING": "a=1&b=two",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_HOST": "127.0.0.1",
    "REMOTE_IDENT": "",
    "REMOTE_PORT": "45678",
    "REMOTE_USER": "",
    "REQUEST_FILENAME": f"{ROOT}/f.txt",
    "REQUEST_LOG_ID": "",
    "CONN_LOG_ID": "",
    "REQUEST_METHOD": "GET",
    "REQUEST_SCHEME": "http",
    "REQUEST_STATUS": "200",
    "REQUEST_URI": "/p0/f.txt",
    "SCRIPT_FILENAME": f"{ROOT}/f.txt",
    "SCRIPT_GROUP": "root",
    "SCRIPT_USER": "root",
    "SERVER_ADMIN": "admin@site.example",
    "SERVER_NAME": "www.example.com",
    "SERVER_PORT": "8088",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "Apache/2.4.71 (Debian)",
    "API_VERSION": "20120211",
    "THE_REQUEST": "GET /p0/f.txt?a=1&b=two HTTP/1.1",
    "TIME": "20260102030405",
    "TIME_YEAR": "2026",
    "TIME_MON": "01",
    "TIME_DAY": "02",
    "TIME_HOUR": "03",
    "TIME_MIN": "04",
    "TIME_SEC": "05",
    "TIME_WDAY": "5",
}

_REPEAT = re.compile(r"\{repeat ([0-9]+) (.[^}]*)\}")


def expand(expression: str, root: str = ROOT) -> str:
    """Fill in `{root}`, and `{repeat 3 ab}` as `ababab`."""
    return _REPEAT.sub(lambda found: int(found[1]) * found[2], expression.replace("{root}", root))


class FakeScope:
    """Answers from the tables above; remembers which fields were asked for with `vary`.

    response: the response fields that are set when the question is put.
    """

    def __init__(self, response: dict[str, str] = RESPONSE_HEADERS) -> None:
        self.response = response
        self.varies: list[str] = []
        self.asked: list[str] = []
        self._captures: tuple[str, ...] = ()

    def variable(self, name: str) -> str:
        self.asked.append(name)
        return VARIABLES[name]

    def header_in(self, name: str, *, vary: bool) -> str | None:
        if vary and name.lower() not in (known.lower() for known in self.varies):
            self.varies.append(name)
        return {key.lower(): value for key, value in HEADERS.items()}.get(name.lower())

    def header_out(self, name: str) -> str | None:
        return {key.lower(): value for key, value in self.response.items()}.get(name.lower())

    def note(self, name: str) -> str | None:
        return None

    def reqenv(self, name: str) -> str | None:
        return REQUEST_ENV.get(name.lower())

    def osenv(self, name: str) -> str | None:
        return PROCESS_ENV.get(name)

    def file_stat(self, path: str, *, follow: bool = True) -> FileStat | None:
        if path in ELSEWHERE:
            return ELSEWHERE[path]
        name = path.removeprefix(ROOT).removeprefix("/") if path.startswith(ROOT) else "?"
        if name in LINKS and not follow:
            return FileStat(FileKind.LINK, mode=0o777)
        name = LINKS.get(name, name)
        if name.endswith("/") and FILES.get(name[:-1], b"") is None:
            name = name[:-1]
        if name not in FILES and name != "":
            return None
        content = FILES.get(name)
        if content is None:
            return FileStat(FileKind.DIRECTORY, mode=0o755)
        return FileStat(FileKind.REGULAR, size=len(content), mode=0o644 | EXECUTABLE.get(name, 0))

    def read_file(self, path: str) -> bytes:
        name = path.removeprefix(ROOT + "/")
        name = LINKS.get(name, name)
        content = FILES.get(name)
        if content is None and name in FILES:
            raise IsADirectoryError(21, "Is a directory")
        if content is None:
            raise FileNotFoundError(2, "No such file or directory")
        return content

    def lookup_file(self, path: str) -> bool:
        return path == "" or self.file_stat(path) is not None

    def lookup_uri(self, uri: str) -> bool:
        return not uri.startswith("/denied/")

    def client_address(self) -> str:
        return VARIABLES["REMOTE_ADDR"]

    def resolve(self, host: str) -> str | None:
        return "127.0.0.1" if host == "localhost" else None

    def captures(self) -> tuple[str, ...]:
        return self._captures

    def set_captures(self, values: tuple[str, ...]) -> None:
        self._captures = values
