"""Giving up root: who workers become, that there is no way back, and that a refusal ends the worker."""

import os
import subprocess
import sys

import pytest

from coachwhip.mpm import privileges
from coachwhip.mpm.privileges import PrivilegeError, drop_privileges, find_group, find_identity, find_user

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to give up")

#: Run in a process of its own: becomes user and group 65534, then prints who it is and tries to come back.
DROP = """
import os
from coachwhip.mpm.privileges import drop_privileges
drop_privileges((65534, 65534, None))
print(os.getresuid(), os.getresgid(), os.getgroups())
for back in (lambda: os.setuid(0), lambda: os.seteuid(0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        back()
        print("came back")
    except PermissionError:
        pass
"""


@pytest.mark.parametrize(("name", "number"), [("root", 0), ("#1000", 1000), ("#-1", -1)])
def test_users_by_name_and_number(name: str, number: int) -> None:
    assert find_user(name) == number


@pytest.mark.parametrize("find", [find_user, find_group])
@pytest.mark.parametrize("name", ["no such name", "#1x", "#", "# 1", "#٣"])
def test_unknown_names_are_refused(find, name) -> None:
    with pytest.raises(PrivilegeError, match=r"AH0054[34]"):
        find(name)


@pytest.mark.parametrize(("user", "group"), [("#-1", "#-1"), ("#1000", "#-1"), ("#-1", "#1000")])
def test_nobody_named_is_refused(user: str, group: str) -> None:
    with pytest.raises(PrivilegeError, match="AH02155"):
        find_identity(user, group)


@needs_root
def test_all_ids_are_dropped_and_none_comes_back() -> None:
    done = subprocess.run([sys.executable, "-c", DROP], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("(65534, 65534, 65534) (65534, 65534, 65534) [65534]\n", "")


@pytest.mark.parametrize("call", ["setgroups", "setresgid", "setresuid"])
def test_a_call_that_fails_is_an_error(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*ids: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    for name in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(privileges.os, name, fails if name == call else lambda *ids: None)
    with pytest.raises(PrivilegeError, match="cannot become user 65534"):
        drop_privileges((65534, 65534, None))


def test_a_call_that_does_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(privileges.os, name, lambda *ids: None)
    with pytest.raises(PrivilegeError, match="kept another user"):
        drop_privileges((12345, 12345, None))
