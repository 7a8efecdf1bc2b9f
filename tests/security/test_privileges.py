"""What a worker of a running server is: in the eyes of the kernel, and by what it can and cannot read."""

import os
import sys
from pathlib import Path

import pytest

from coachwhip.testing import Site
from coachwhip.testing.site import FileSpec

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="wants root's privileges to give up, and /proc")

ASK = b"GET /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
SHA512_OF_X = "$6$coachwhip$8HrHC.jzNWnBe733IfQz1gupOPt1w86P/lrBwFqAlHu4Ci83/7dHU8fYgYrfsw59swz3eXPYFYU84iViEKTEN/"


def workers(site: Site) -> list[int]:
    parent = Path(site.root, "run/httpd.pid").read_text().strip()
    return [int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def status(pid: int) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def test_workers_are_nobody_with_nothing_and_for_good() -> None:
    with Site(files={"htdocs/a.txt": "a"}).start() as site:
        assert site.ask(ASK % b"a.txt").status == 200
        found = [status(pid) for pid in workers(site)]
        assert found
        for said in found:
            assert len(set(said["Uid"].split())) == len(set(said["Gid"].split())) == 1
            assert "0" not in said["Uid"].split() + said["Gid"].split() + said["Groups"].split()
            caps = {name: int(value, 16) for name, value in said.items() if name.startswith("Cap")}
            assert caps == dict.fromkeys(caps, 0)
            assert (said["NoNewPrivs"], said["Umask"]) == ("1", "0022")


def test_what_only_root_may_read_is_out_of_reach_and_what_the_parent_opened_is_not() -> None:
    config = 'CustomLog "{root}/logs/access.log" "%U %>s"'
    with Site(config=config, files={"htdocs/key.pem": FileSpec(b"secret", 0o600)}).start() as site:
        answer = site.ask(ASK % b"key.pem")
        assert answer.status == 403 and b"secret" not in answer.body
        site.stop()
        assert site.log("access.log") == "/key.pem 403\n"
        log = Path(site.root, "logs/access.log").stat()
        assert (log.st_uid, log.st_mode & 0o777) == (0, 0o644)


def test_workers_live_below_chrootdir() -> None:
    """One path, two files: the one below is served, and a link leads nowhere else."""
    config = """\
ChrootDir "{root}/jail"
Umask 027
CustomLog "{root}/logs/access.log" "%U"
<Directory />
    Options FollowSymLinks
</Directory>
"""
    with Site(config=config, files={"htdocs/a.txt": "outside"}) as site:
        inside = f"jail{site.root}/htdocs"
        site.write(f"{inside}/a.txt", "inside")
        Path(site.root, inside, "passwd").symlink_to("/etc/passwd")
        site.start()
        assert site.ask(ASK % b"a.txt").body == b"inside"
        assert site.ask(ASK % b"passwd").status in (403, 404)
        (worker, *_) = workers(site)
        assert os.readlink(f"/proc/{worker}/root") == os.readlink(f"/proc/{worker}/cwd") == f"{site.root}/jail"
        assert "uvloop" in Path(f"/proc/{worker}/maps").read_text() or not _has_uvloop()
        assert Path(site.root, "logs/access.log").stat().st_mode & 0o777 == 0o640


def test_what_a_worker_needs_later_is_there_below_chrootdir() -> None:
    """The build's date for status pages, and the system's library for passwords of crypt(3)."""
    config = """LoadModule status_module modules/mod_status.so
LoadModule info_module modules/mod_info.so
LoadModule auth_basic_module modules/mod_auth_basic.so
LoadModule authn_core_module modules/mod_authn_core.so
LoadModule authn_file_module modules/mod_authn_file.so
LoadModule authz_user_module modules/mod_authz_user.so
ChrootDir "{root}/jail"
<Location /status>
    SetHandler server-status
</Location>
<Location /info>
    SetHandler server-info
</Location>
<Location /a.txt>
    AuthType Basic
    AuthName here
    AuthUserFile "{root}/htdocs/users"
    Require valid-user
</Location>
"""
    with Site(config=config) as site:
        inside = f"jail{site.root}/htdocs"
        site.write(f"{inside}/a.txt", "inside")
        # `openssl passwd -6 -salt coachwhip x`
        site.write(f"{inside}/users", f"user:{SHA512_OF_X}\n")
        site.start()
        assert [site.ask(ASK % page).status for page in (b"status", b"status?auto", b"info")] == [200] * 3
        basic = b"Authorization: Basic dXNlcjp4\r\nConnection: close"
        assert site.ask((ASK % b"a.txt").replace(b"Connection: close", basic)).status == 200
        assert "fault" not in site.log("error.log")


def _has_uvloop() -> bool:
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return False
    return True
