"""Other requests on behalf of one: looked up, run into its body, become, or answered in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coachwhip.api import phases
from coachwhip.api.buckets import Data, End
from coachwhip.api.files import FileKind
from coachwhip.api.module import Module
from coachwhip.api.outcome import Outcome
from coachwhip.api.phases import Order
from coachwhip.api.request import Request
from coachwhip.request.files import RecordedFiles, RegularFile

MakeWorld = Callable[..., Any]
FILES = {"htdocs/f": "file", "htdocs/d/g": "other", "htdocs/d/sub/x": "x"}
DENIED = "<Location /denied>\nRequire all denied\n</Location>"


def during(act: Callable[[Request], Any]) -> Module:
    """A module whose handler asks a first request's questions."""
    made = Module("probe_module", "mod_probe.c", replayable=True)

    @made.hook(phases.handler, Order.REALLY_FIRST)
    def handle(r: Request) -> Any:
        return act(r) if r.is_initial else Outcome.DECLINED

    return made


def asked(world: MakeWorld, act: Callable[[Request], Any], target: str = "/d/g", fields: Any = None) -> Any:
    """What `act` answers when it is called with the request for `target`."""
    found: list[Any] = []

    def handle(r: Request) -> Any:
        found.append(act(r))
        r.send(End())
        return Outcome.OK

    world(DENIED, FILES).add(during(handle)).ask(target, fields)
    return found[0]


@pytest.mark.parametrize(
    ("uri", "status", "path"),
    [
        ("/f", 200, "/f"),
        ("g", 200, "/d/g"),
        ("sub/x", 200, "/d/sub/x"),
        ("../f", 200, "/f"),
        ("/%66?q=1", 200, "/f"),
        ("/denied", 403, "/denied"),
        ("/a%2fb", 404, None),
    ],
)
def test_lookup_of_a_url(world: MakeWorld, uri: str, status: int, path: str | None) -> None:
    sub = asked(world, lambda r: r.lookup_uri(uri))
    assert sub.status == status
    assert path is None or sub.uri == path
    assert sub.main is not None


def test_lookup_of_a_file(world: MakeWorld) -> None:
    beside = asked(world, lambda r: r.lookup_file("sub"))
    assert (beside.status, beside.uri, beside.finfo.kind) == (200, "/d/sub", FileKind.DIRECTORY)


NAMES = ("a.txt", "b.txt", "c.html", "c.html.gz", "d", ".e.txt", "f.g.txt", "secret.txt", "to-a.txt", "sub", "nowhere.txt")


@pytest.mark.parametrize(
    ("config", "most"),
    [
        ("", 8),
        ('<Files "secret.*">\nRequire all denied\n</Files>\n<FilesMatch "^b">\nForceType x/y\n</FilesMatch>', 10),
        ("<If \"%{REQUEST_FILENAME} =~ /a/\">\nForceType x/y\n</If>", 11),
        ("ForceType \"expr=x/%{base64:%{REQUEST_FILENAME}}\"", 11),
        ('<Directory ~ "/b">\nForceType x/y\n</Directory>', 11),
        ("<Directory />\nOptions None\n</Directory>", 8),
        ("<Location />\nRequire all granted\n</Location>", 11),
    ],
)
def test_names_of_a_listing_come_to_what_each_alone_would(world: MakeWorld, config: str, most: int) -> None:
    w = world(config, {f"htdocs/d/{name}": name for name in NAMES[:8]}, ("authz_core", "mime", "env", "dir"))
    (w.root / "htdocs/d/to-a.txt").symlink_to("a.txt")
    (w.root / "htdocs/d/nowhere.txt").symlink_to("none")
    (w.root / "htdocs/d/sub").mkdir()
    folder = f"{w.root}/htdocs/d/"

    def said(sub: Request) -> Any:
        return sub.filename, sub.finfo, sub.status, sub.content_type, list(sub.content_encodings), sub.dir_settings

    def act(r: Request) -> Any:
        listed = r.files.list(folder)
        seen = {entry.name: (id(sub), said(sub), sub) for entry, sub in r.lookup_entries(folder, listed)}
        assert sorted(seen) == sorted(NAMES)
        for name, (_, found, _) in seen.items():
            assert found == said(r.lookup_file(folder + name)), name
        assert len({number for number, _, _ in seen.values()}) <= most
        r.send(End())
        return Outcome.OK

    assert w.add(during(act)).ask("/d/").status == 200


def test_a_hook_that_looks_at_names_is_asked_for_each(world: MakeWorld) -> None:
    asked_for: list[str] = []
    made = Module("names_module", "mod_names.c")

    @made.hook(phases.fixups)
    def fix(r: Request) -> Any:
        asked_for.append((r.filename or "").rpartition("/")[2])
        return Outcome.DECLINED

    def act(r: Request) -> Any:
        folder = f"{w.root}/htdocs/d/"
        asked_for.clear()
        for _ in r.lookup_entries(folder, r.files.list(folder)):
            pass
        r.send(End())
        return Outcome.OK

    w = world("", {f"htdocs/d/{number}.txt": "" for number in range(5)}, ("authz_core", "mime"))
    assert w.add(made, during(act)).ask("/d/0.txt").status == 200
    assert sorted(asked_for) == [f"{number}.txt" for number in range(5)]


def test_a_subrequest_is_not_conditional_and_has_its_own_environment(world: MakeWorld) -> None:
    def act(r: Request) -> Any:
        r.env["X"] = "1"
        sub = r.lookup_uri("/f")
        sub.env["X"] = "2"
        return r.env["X"], sub.headers_in.get("Range"), sub.headers_in.get("Accept")

    assert asked(world, act, fields={"Range": "bytes=0-1", "Accept": "a/b"}) == ("1", None, "a/b")


def test_a_subrequest_runs_into_the_body(world: MakeWorld) -> None:
    def act(r: Request) -> Any:
        r.send(Data(b"<"))
        r.engine.run(r.lookup_uri("/f"))
        r.send(Data(b">"), End())
        return Outcome.OK

    assert world("", FILES).add(during(act)).ask("/d/g").body == b"<file>"


def test_looks_of_subrequests_are_in_the_same_record(world: MakeWorld) -> None:
    record = asked(world, lambda r: (r.lookup_uri("/f"), r.record)[1])
    assert any(path.endswith("/htdocs/f") for path, _ in record.files)


def test_becoming_a_subrequest(world: MakeWorld) -> None:
    made = Module("probe_module", "mod_probe.c", replayable=True)

    @made.hook(phases.fixups)
    def fix(r: Request) -> Any:
        return r.becomes(r.lookup_uri("/f")) if r.is_initial else Outcome.DECLINED

    answer = world("", FILES).add(made).ask("/d/g?q")
    assert (answer.body, answer.r.uri, answer.r.args, answer.r.is_initial) == (b"file", "/f", "q", True)


def test_an_internal_redirect(world: MakeWorld) -> None:
    def act(r: Request) -> Any:
        r.env["Seen"] = "yes"
        return r.internal_redirect("/f?new")

    answer = world("", FILES).add(during(act)).ask("/d/g?old")
    assert (answer.status, answer.body, answer.r.args) == (200, b"file", "new")
    assert answer.r.env["redirect_seen"] == "yes"
    assert answer.r.prev is not None and answer.r.prev.uri == "/d/g"


def test_redirects_in_a_circle_end_with_500(world: MakeWorld) -> None:
    made = Module("probe_module", "mod_probe.c", replayable=True)
    made.hook(phases.handler, Order.REALLY_FIRST)(lambda r: r.internal_redirect("/again"))
    answer = world("LimitInternalRecursion 5").add(made).ask("/")
    assert (answer.status, answer.log) == (500, ["core:3 AH00124"])


def test_subrequests_in_a_circle_end(world: MakeWorld) -> None:
    made, statuses = Module("probe_module", "mod_probe.c", replayable=True), []

    @made.hook(phases.fixups)
    def fix(r: Request) -> Any:
        statuses.append(r.lookup_uri("/again").status)
        return Outcome.OK

    assert world("LimitInternalRecursion 5").add(made).ask("/").status == 404
    # As Apache counts: a request may be six deep before it may ask no more.
    assert statuses == [500, *[200] * 6]


def test_an_error_document_is_not_counted_as_part_of_the_answer_of_its_cause(world: MakeWorld) -> None:
    answer = world("ErrorDocument 404 /f", FILES).ask("/none")
    assert answer.r.prev.status == answer.r.status == 404


#: What is said of a folder whose index is asked for, and the files in it.
SITES = {
    "nothing": ("", {}),
    "type and language": ("AddLanguage fr .html\nAddCharset utf-8 .html\nDefaultType none", {}),
    "coding": ("AddEncoding x-gzip .html\nDirectoryIndex index.html", {}),
    "handler": ("AddHandler nobody .html", {}),
    "files": ('<Files "index.html">\nForceType text/plain\n</Files>', {}),
    "files of any name": ('<FilesMatch ".*">\nForceType text/plain\n</FilesMatch>', {}),
    "files refused": ('<Files "index.html">\nRequire all denied\n</Files>', {}),
    "section of a URL": ('<Location "/d/index.html">\nRequire all denied\n</Location>', {}),
    "sections of folders by expression": ('<DirectoryMatch "index">\nRequire all denied\n</DirectoryMatch>', {}),
    "condition": ("<If \"%{REQUEST_URI} =~ /index/\">\nForceType text/plain\n</If>", {}),
    "type forced": ("<Directory />\nForceType text/plain\n</Directory>", {}),
    "links refused": ("<Directory />\nOptions -FollowSymLinks\n</Directory>", {"htdocs/d/link.html": "-> index.html"}),
    "index is a link": ("DirectoryIndex link.html", {"htdocs/d/link.html": "-> index.html"}),
    "dangling": ("DirectoryIndex link.html index.html", {"htdocs/d/link.html": "-> nothing"}),
    "second name": ("DirectoryIndex none.html index.html", {}),
    "index is a folder": ("DirectoryIndex sub index.html", {"htdocs/d/sub/x": "x"}),
    "index elsewhere": ("DirectoryIndex /d/other.html", {"htdocs/d/other.html": "other"}),
    "odd name": ('DirectoryIndex "a%41.html" index.html', {"htdocs/d/aA.html": "A"}),
    "redirect": ("DirectoryIndexRedirect on", {}),
    "htaccess": ("<Directory />\nAllowOverride All\n</Directory>", {"htdocs/d/.htaccess": "AddType text/plain .html\n"}),
    "alias": ('Alias "/d/index.html" "{root}/htdocs/f"', {}),
    "alias of the folder": ('Alias /d "{root}/htdocs/e"', {"htdocs/e/index.html": "elsewhere"}),
    "alias of the folder with a slash": ('Alias /d/ "{root}/htdocs/e/"', {"htdocs/e/index.html": "elsewhere"}),
    "alias with a slash for one without": ('Alias /d/ "{root}/htdocs/e"', {"htdocs/eindex.html": "odd"}),
    "alias of something else": ('Alias /icons/ "{root}/icons/"', {}),
    "alias of the name elsewhere": ('Alias /x/index.html "{root}/htdocs/f"', {}),
    "alias by expression": ('AliasMatch "^/d/(.+)" "{root}/htdocs/f"', {}),
    "alias of a section": ('<Location "/d">\nAlias "{root}/htdocs/e"\n</Location>', {"htdocs/e/index.html": "elsewhere"}),
    "script alias": ('ScriptAlias /d/ "{root}/htdocs/d/"', {}),
    "redirect of the file": ("Redirect /d/index.html http://h/", {}),
    "redirect by expression": ('RedirectMatch "index" http://h/', {}),
    "redirect of the folder, in a section": ('<Location "/d">\nRedirectMatch "index" http://h/\n</Location>', {}),
    "section elsewhere": ('<Location "/server-status">\nSetHandler x\n</Location>', {}),
    "section of the folder": ('<Location "/d">\nAddType text/plain .html\n</Location>', {}),
    "section of the folder and its slash": ('<Location "/d/">\nForceType text/plain\n</Location>', {}),
    "section of part of the name": ('<Location "/d/index">\nRequire all denied\n</Location>', {}),
    "section of URLs like it": ('<Location "/d/i*">\nRequire all denied\n</Location>', {}),
    "section of URLs by expression": ('<LocationMatch "html$">\nRequire all denied\n</LocationMatch>', {}),
    "environment": ("SetEnv A b\nPassEnv PATH", {}),
}


@pytest.mark.parametrize("line", ["/d/", "/d/?a=b", "HEAD /d/", "POST /d/", "OPTIONS /d/", "/e/"])
@pytest.mark.parametrize("site", SITES)
def test_a_folder_becomes_its_index_without_a_sub_request_as_with_one(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch, site: str, line: str
) -> None:
    config, files = SITES[site]
    made = world("TypesConfig {root}/mime.types\n" + config, {**INDEXED, **files}, MODULES)

    def told() -> Any:
        # Whether a file is read again that was read before hangs on its age.
        made.pipeline.htaccess.forget()
        answer = made.ask(line)
        r = answer.r
        answer.fields.pop("Date", None)
        facts = (r.uri, r.filename, r.path_info, r.finfo, r.handler, r.content_type, r.content_encodings, r.content_languages)
        looks = {path for path, _ in r.record.files}
        return answer.status, answer.fields, answer.body, answer.log, facts, dict(r.env), list(map(str, r.sections)), looks

    at_once = told()
    monkeypatch.setattr("coachwhip.request.subrequests.enter_index", lambda pipeline, r: None)
    *same, looks = told()
    assert at_once[:-1] == tuple(same)
    assert at_once[-1] <= looks


MODULES = ("authz_core", "mime", "dir", "env", "alias")
INDEXED = {"mime.types": "text/html html\n", "htdocs/d/index.html": "index", "htdocs/f": "file", "htdocs/e/g": "no index"}


@pytest.mark.parametrize("site", ["nothing", "type and language", "alias of something else", "alias of the folder", "section elsewhere"])
def test_a_plain_index_takes_no_sub_request(world: MakeWorld, monkeypatch: pytest.MonkeyPatch, site: str) -> None:
    made = world("TypesConfig {root}/mime.types\n" + SITES[site][0], {**INDEXED, "htdocs/e/index.html": "index"}, MODULES)
    monkeypatch.setattr(Request, "lookup_uri", None)
    assert made.ask("/d/").body == b"index"


@pytest.mark.parametrize("phase", [phases.create_request, phases.translate_name, phases.map_to_storage, phases.type_checker, phases.fixups])
def test_hooks_that_do_not_promise_to_come_to_the_same_get_their_sub_request(world: MakeWorld, phase: phases.Phase) -> None:
    seen: list[str] = []
    probe = Module("probe_module", "mod_probe.c", replayable=True)

    @probe.hook(phase)
    def look(r: Request) -> Outcome:
        if r.main is not None:
            seen.append(r.uri)
        return Outcome.DECLINED

    made = world("TypesConfig {root}/mime.types", INDEXED, ("authz_core", "mime", "dir")).add(probe)
    assert made.ask("/d/").body == b"index"
    assert len(seen) == 1


@pytest.mark.parametrize(("line", "sent"), [("", b"index"), ("AddHandler probe .html", b"probe")])
def test_an_index_is_opened_once_and_not_held_for_a_handler_that_does_without(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch, line: str, sent: bytes
) -> None:
    opened: list[RegularFile] = []
    plain = RecordedFiles.open

    def noting(self: RecordedFiles, *arguments: Any, **named: Any) -> RegularFile:
        opened.append(plain(self, *arguments, **named))
        return opened[-1]

    monkeypatch.setattr(RecordedFiles, "open", noting)
    probe = Module("probe_module", "mod_probe.c", replayable=True)
    held: list[bool] = []

    @probe.hook(phases.handler, handlers=("probe",))
    def answer(r: Request) -> Outcome:
        held.append(r.files._early is not None)  # type: ignore[attr-defined]
        r.send(Data(b"probe"), End())
        return Outcome.OK

    made = world("TypesConfig {root}/mime.types\n" + line, INDEXED, ("authz_core", "mime", "dir")).add(probe)
    assert made.ask("/d/").body == sent
    assert len({id(file) for file in opened}) == 1
    assert not any(held)
