"""Reaching a file by the rules for links, with the kernel's help and step by step: both ways decide alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coachwhip.api.files import Links
from coachwhip.request import reach as room
from coachwhip.request.reach import LOOK, LinkRefused, reach

Read = Callable[..., str]


@pytest.fixture(params=["in one call", "step by step"])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Read]:
    """Read a file below `tmp_path`; rules are for the folder `site` and given ones below it."""
    if request.param == "step by step":
        monkeypatch.setattr(room, "_without_links", lambda path, flags: None)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    site = tmp_path / "site"
    (site / "d").mkdir(parents=True)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "f").write_text("foreign")
    for path in ("f", "d/f"):
        (site / path).write_text(path)
    for link, target in (("to-f", "f"), ("to-d", "d"), ("out", "../foreign"), ("absolute", str(site / "f")), ("nowhere", "none")):
        (site / link).symlink_to(target)

    def run(path: str, rule: Links, last: Links | None = None, **below: Links) -> str:
        rules = {"/": Links.FOLLOW, f"{site}/": rule, **{f"{site}/{name}/": one for name, one in below.items()}}
        fd, _ = reach(f"{site}/{path}", os.O_RDONLY, rules, last)
        with open(fd) as file:
            return file.read()

    yield run
    if before:
        assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_no_link_is_reached_by_every_rule(read: Read) -> None:
    assert {read(path, rule) for path in ("f", "d/f") for rule in Links} == {"f", "d/f"}


@pytest.mark.parametrize("path", ["to-f", "to-d/f", "out/f", "absolute", "nowhere"])
def test_no_link_is_followed_where_none_is_to_be(read: Read, path: str) -> None:
    with pytest.raises(LinkRefused):
        read(path, Links.NEVER)


def test_links_are_followed_where_they_may_be(read: Read) -> None:
    paths = ("to-f", "to-d/f", "out/f", "absolute")
    assert [read(path, Links.FOLLOW) for path in paths] == ["f", "d/f", "foreign", "f"]
    assert [read(path, Links.BY_OWNER) for path in paths] == ["f", "d/f", "foreign", "f"]


def test_a_link_to_nothing_is_refused_and_a_missing_name_is_missing(read: Read) -> None:
    for rule in Links:
        with pytest.raises(LinkRefused):
            read("nowhere", rule)
        with pytest.raises(FileNotFoundError):
            read("none", rule)
        with pytest.raises(NotADirectoryError):
            read("f/x", rule)


def test_a_folder_below_may_say_otherwise(read: Read) -> None:
    assert read("to-d/f", Links.FOLLOW, d=Links.NEVER) == "d/f"
    with pytest.raises(LinkRefused):
        read("to-d/f", Links.NEVER, d=Links.FOLLOW)


def test_the_last_step_may_have_a_rule_of_its_own(read: Read) -> None:
    assert read("to-f", Links.NEVER, Links.FOLLOW) == "f"
    with pytest.raises(LinkRefused):
        read("to-d/f", Links.NEVER, Links.FOLLOW)


def test_owners_of_link_and_target_are_compared(read: Read, tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    for link in ("to-f", "to-d"):
        os.chown(tmp_path / "site" / link, 12345, -1, follow_symlinks=False)
        with pytest.raises(LinkRefused):
            read("to-f" if link == "to-f" else "to-d/f", Links.BY_OWNER)
    os.chown(tmp_path / "site" / "f", 12345, -1)
    assert read("to-f", Links.BY_OWNER) == "f"


def test_a_followed_link_is_told(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    (tmp_path / "l").symlink_to("f")
    for name in ("f", "l"):
        fd, link = reach(f"{tmp_path}/{name}", LOOK, {"/": Links.BY_OWNER})
        assert (os.fstat(fd).st_size, link is None or link.st_ino) == (1, name == "f" or os.lstat(tmp_path / "l").st_ino)
        os.close(fd)


def test_a_name_with_a_zero_byte_is_missing() -> None:
    with pytest.raises(FileNotFoundError):
        reach("/tmp\0/x", LOOK, {"/": Links.NEVER})
