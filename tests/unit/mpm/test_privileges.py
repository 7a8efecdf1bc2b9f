"""What a worker is to be, that it becomes that in every respect for good, and that a step that fails is an error."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from coachwhip.api.mpm import ServerMpm
from coachwhip.mpm import linux, privileges
from coachwhip.mpm.privileges import PrivilegeError, Rights, drop_privileges, find_group, find_identity, find_rights, find_user, main_group

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")

NOBODY = Rights((65534, 65534, None))


def told(program: str) -> list[str]:
    """What a process prints that imports everything first; its lines."""
    head = "import os\nfrom coachwhip.mpm.privileges import Rights, drop_privileges, set_umask\n"
    done = subprocess.run([sys.executable, "-c", head + program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(("name", "number"), [("root", 0), ("#1000", 1000), ("#-1", -1)])
def test_users_by_name_and_number(name: str, number: int) -> None:
    assert find_user(name) == number


def test_the_group_of_a_user_is_the_one_he_has() -> None:
    assert main_group("root") == "#0"
    with pytest.raises(PrivilegeError, match="its group must be named"):
        main_group("#123456789")


@pytest.mark.parametrize("find", [find_user, find_group])
@pytest.mark.parametrize("name", ["no such name", "#1x", "#", "# 1", "#٣"])
def test_unknown_names_are_refused(find: Callable[[str], int], name: str) -> None:
    with pytest.raises(PrivilegeError, match=r"AH0054[34]"):
        find(name)


@pytest.mark.parametrize(("user", "group"), [("#-1", "#-1"), ("#1000", "#-1"), ("#-1", "#1000")])
def test_nobody_named_is_refused(user: str, group: str) -> None:
    with pytest.raises(PrivilegeError, match="AH02155"):
        find_identity(user, group)


@pytest.mark.parametrize("user", ["root", "#0"])
def test_root_is_refused_by_name_and_by_number_unless_it_is_allowed(user: str) -> None:
    with pytest.raises(PrivilegeError, match="is root"):
        find_identity(user, "#33")
    assert find_identity(user, "#33", allow_root=True)[:2] == (0, 33)


def test_another_name_of_root_is_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "find_user", lambda name: 0)
    with pytest.raises(PrivilegeError, match="`User toor` is root"):
        find_identity("toor", "#33")


def test_who_is_not_root_stays_who_he_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges.os, "geteuid", lambda: 1000)
    assert find_rights(ServerMpm(user="root", group="root")).identity is None


def test_only_root_may_ask_for_another_root_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges.os, "geteuid", lambda: 1000)
    with pytest.raises(PrivilegeError, match="AH02158"):
        find_rights(ServerMpm(chroot_dir="/srv"))


# -- becoming it


@needs_root
def test_all_ids_are_dropped_and_none_comes_back() -> None:
    assert told("""
drop_privileges(Rights((65534, 65534, None)))
print(os.getresuid(), os.getresgid(), os.getgroups())
for back in (lambda: os.setuid(0), lambda: os.seteuid(0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        back()
        print("came back")
    except PermissionError:
        pass
""") == ["(65534, 65534, 65534) (65534, 65534, 65534) [65534]"]


@needs_root
@needs_linux
def test_no_capability_is_left_and_none_can_be_gained() -> None:
    lines = told("""
drop_privileges(Rights((65534, 65534, None)))
print(open("/proc/self/status").read())
""")
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    left = {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert left == dict.fromkeys(left, 0)
    assert status["NoNewPrivs"] == "1"


@needs_root
@needs_linux
def test_whoever_is_not_root_gives_up_what_he_was_lent() -> None:
    """Capabilities of a service (`AmbientCapabilities=CAP_NET_BIND_SERVICE`) are for the parent alone."""
    lines = told("""
import codecs, ctypes
codecs.lookup("idna"), codecs.lookup("punycode")
libc = ctypes.CDLL(None)
libc.prctl(8, 1, 0, 0, 0)  # keep capabilities over the change of the user
os.setresuid(65534, 65534, 65534)
def permitted():
    return [line for line in open("/proc/self/status") if line.startswith("CapPrm")][0].split()[1].strip("0")
print(permitted() != "")
drop_privileges(Rights())
print(permitted() != "")
""")
    assert lines == ["True", "False"]


@needs_root
@needs_linux
def test_set_user_id_programs_may_be_left_their_rights() -> None:
    assert told("""
drop_privileges(Rights((65534, 65534, None), no_new_privileges=False))
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("NoNewPrivs")])
""") == ["['0']"]


@needs_root
def test_another_root_folder_has_no_way_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "inside").mkdir()
    assert told(f"""
drop_privileges(Rights((65534, 65534, None), chroot={str(tmp_path)!r}))
print(os.getcwd(), os.listdir("/"), os.listdir("/../.."), os.listdir(".."))
""") == ["/ ['inside'] ['inside'] ['inside']"]


@needs_root
def test_the_folder_of_core_dumps_is_below_the_root_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "cores").mkdir()
    lines = told(f"drop_privileges(Rights((65534, 65534, None), {str(tmp_path)!r}, '/cores'))\nprint(os.getcwd())")
    assert lines == ["/cores"]


# -- whatever fails


@dataclass
class Calls:
    """Every step as a call that does nothing, except for one that fails."""

    monkeypatch: pytest.MonkeyPatch

    def make(self, failing: str | None = None) -> None:
        def fails(*words: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        for name in ("setgroups", "initgroups", "setresgid", "setresuid", "chroot", "chdir"):
            self.monkeypatch.setattr(privileges.os, name, fails if name == failing else lambda *words: None)
        for name in ("forbid_new_privileges", "drop_bounding_set", "drop_capabilities", "allow_core_dumps"):
            self.monkeypatch.setattr(linux, name, fails if name == failing else lambda: None)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setattr(privileges.os, "getresuid", lambda: (65534, 65534, 65534))
    monkeypatch.setattr(privileges.os, "getresgid", lambda: (65534, 65534, 65534))
    monkeypatch.setattr(privileges.time, "tzset", lambda: None)

    def no_way_back(uid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(privileges.os, "setuid", no_way_back)
    monkeypatch.setenv("TZ", "UTC")
    return Calls(monkeypatch)


EVERYTHING = Rights((65534, 65534, None), "/jail", "/cores")


def test_with_every_step_done_all_is_well(calls: Calls) -> None:
    calls.make()
    drop_privileges(EVERYTHING)


@pytest.mark.parametrize(
    "call",
    ["forbid_new_privileges", "setgroups", "setresgid", "chroot", "setresuid", "drop_capabilities", "allow_core_dumps"],
)
def test_a_step_that_fails_is_an_error(calls: Calls, call: str) -> None:
    calls.make(call)
    with pytest.raises(PrivilegeError, match=r"cannot .*: Operation not permitted"):
        drop_privileges(EVERYTHING)


def test_a_user_with_a_name_has_the_groups_of_the_name(calls: Calls) -> None:
    calls.make("initgroups")
    with pytest.raises(PrivilegeError, match="cannot become user 65534"):
        drop_privileges(Rights((65534, 65534, "nobody")))


def test_a_bounding_set_that_may_not_be_emptied_is_left(calls: Calls) -> None:
    """Nothing comes of it: no new privileges are to be had any more."""
    calls.make("drop_bounding_set")
    drop_privileges(EVERYTHING)


@pytest.mark.parametrize(("asked", "kept"), [("getresuid", "user"), ("getresgid", "group")])
def test_a_call_that_does_nothing_is_an_error(calls: Calls, asked: str, kept: str) -> None:
    calls.make()
    calls.monkeypatch.setattr(privileges.os, asked, lambda: (0, 65534, 65534))
    with pytest.raises(PrivilegeError, match=f"kept another {kept}"):
        drop_privileges(NOBODY)


def test_a_way_back_is_an_error(calls: Calls) -> None:
    calls.make()
    calls.monkeypatch.setattr(privileges.os, "setuid", lambda uid: None)
    with pytest.raises(PrivilegeError, match="could be had back"):
        drop_privileges(NOBODY)


# -- files that are made


@pytest.mark.parametrize(
    ("inherited", "asked", "mode"),
    [(0o000, None, 0o644), (0o077, None, 0o600), (0o022, 0o007, 0o660), (0o077, 0o000, 0o666)],
)
def test_permissions_of_files_that_are_made(tmp_path: Path, inherited: int, asked: int | None, mode: int) -> None:
    lines = told(f"""
os.umask({inherited})
for _ in range(2):
    set_umask({asked}, {inherited})
print(os.stat(os.open({str(tmp_path / "made")!r}, os.O_CREAT | os.O_WRONLY, 0o666)).st_mode & 0o777)
""")
    assert lines == [str(mode)]
