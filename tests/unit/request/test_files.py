"""The file layer: regular files only, and every look is in the record."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from coachwhip.api.files import FileKind, FileStat, Links
from coachwhip.api.record import Look, Record
from coachwhip.request.files import COARSE_TICK, TICK, RecordedFiles, TooLarge, is_settled_time, signature, signature_of
from coachwhip.request.reach import LinkRefused


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
def files(record: Record) -> RecordedFiles:
    return RecordedFiles(record)


def test_kinds(files: RecordedFiles, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    (tmp_path / "l").symlink_to("f")
    os.mkfifo(tmp_path / "p")
    kinds = {name: files.lstat(str(tmp_path / name)).kind for name in ("f", ".", "l", "p", "none", "f/x", "\0")}
    assert kinds == {
        "f": FileKind.REGULAR, ".": FileKind.DIRECTORY, "l": FileKind.LINK, "p": FileKind.OTHER,
        "none": FileKind.MISSING, "f/x": FileKind.MISSING, "\0": FileKind.MISSING,
    }  # fmt: skip
    assert files.stat(str(tmp_path / "l")).kind is FileKind.REGULAR


def test_looks_are_recorded(files: RecordedFiles, record: Record, tmp_path: Path) -> None:
    path, none = str(tmp_path / "f"), str(tmp_path / "none")
    (tmp_path / "f").write_text("x")
    files.stat(path)
    files.lstat(path)
    files.open(path).close()
    files.stat(none)
    files.list(str(tmp_path))
    seen = signature(os.stat(path), Look.STAT)
    assert signatures(record) == {
        (path, Look.STAT): seen, (path, Look.LSTAT): seen, (path, Look.READ): seen, (none, Look.STAT): None,
        (str(tmp_path), Look.LIST): signature(os.stat(tmp_path), Look.LIST),
    }  # fmt: skip


def signatures(record: Record) -> dict[tuple[str, Look], object]:
    return {(path, look): signature_of(seen, look) if isinstance(seen, FileStat) else seen for (path, look), seen in record.files.items()}


def test_failures_are_recorded_too(files: RecordedFiles, record: Record, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.open(str(tmp_path / "none"))
    with pytest.raises(OSError, match="long"):
        files.stat(str(tmp_path / ("a" * 300)))
    assert all(isinstance(seen, int) for seen in record.files.values())


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_only_regular_files_are_opened(files: RecordedFiles, tmp_path: Path, make: object) -> None:
    make(tmp_path / "x")  # type: ignore[operator]
    with pytest.raises(OSError):
        files.open(str(tmp_path / "x"))


def test_a_link_is_not_opened_where_links_are_not_followed(files: RecordedFiles, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    (tmp_path / "l").symlink_to("f")
    path = str(tmp_path / "l")
    assert files.open(path).size == 1
    files.restrict(f"{tmp_path}/", Links.NEVER)
    for refused in (files.open, files.read, files.look, files.list):
        with pytest.raises(LinkRefused):
            refused(path)
    assert files.read_configured(path) == b"x"
    assert files.stat(path).kind is FileKind.REGULAR


def test_a_look_by_the_rules_is_recorded_as_what_it_saw(files: RecordedFiles, record: Record, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    (tmp_path / "l").symlink_to("f")
    files.restrict("/", Links.BY_OWNER)
    seen = {name: files.look(f"{tmp_path}/{name}").kind for name in ("f", "l", "none")}
    assert seen == {"f": FileKind.REGULAR, "l": FileKind.REGULAR, "none": FileKind.MISSING}
    file, link = signature(os.stat(tmp_path / "f"), Look.STAT), signature(os.lstat(tmp_path / "l"), Look.LSTAT)
    assert signatures(record) == {
        (f"{tmp_path}/f", Look.LSTAT): file, (f"{tmp_path}/l", Look.LSTAT): link, (f"{tmp_path}/l", Look.STAT): file,
        (f"{tmp_path}/none", Look.LSTAT): None,
    }  # fmt: skip


def test_reading(files: RecordedFiles, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    file = files.open(str(tmp_path / "f"))
    assert (file.read_at(2, 3), file.read_at(8, 5), file.read_at(20, 1)) == (b"234", b"89", b"")
    file.close()
    file.close()
    assert file.fileno() == -1
    assert files.read(str(tmp_path / "f")) == b"0123456789"
    with pytest.raises(TooLarge):
        files.read(str(tmp_path / "f"), limit=9)


def test_a_listing_follows_links(files: RecordedFiles, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "to-d").symlink_to("d")
    (tmp_path / "dangling").symlink_to("none")
    found = {e.name: (e.stat.kind, e.is_link) for e in files.list(str(tmp_path))}
    assert [e.name for e in files.list(str(tmp_path), "to")] == ["to-d"]
    assert found == {"d": (FileKind.DIRECTORY, False), "to-d": (FileKind.DIRECTORY, True), "dangling": (FileKind.MISSING, True)}


def test_whether_a_folder_holds_more(files: RecordedFiles, record: Record, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    assert [files.holds_more(str(tmp_path), count) for count in (0, 2, 3, 4)] == [True, True, False, False]
    assert (str(tmp_path), Look.LIST) in record.files


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_a_file_whose_stamps_say_nothing_about_its_content_is_no_input_to_rely_on(tmp_path: Path) -> None:
    record = Record()
    files = RecordedFiles(record)
    (tmp_path / "f").write_text("x")
    assert files.read_configured(str(tmp_path / "f")) == b"x" and record.volatile is None
    assert files.read_configured("/proc/self/stat") and record.volatile == "file without a size"


def test_names_that_come_and_go_do_not_change_a_folder_that_is_passed_through(tmp_path: Path) -> None:
    before = [signature(os.stat(tmp_path), look) for look in (Look.STAT, Look.LIST)]
    os.utime(tmp_path, (1, 1))
    after = [signature(os.stat(tmp_path), look) for look in (Look.STAT, Look.LIST)]
    assert before[0] == after[0] and before[1] != after[1]
    tmp_path.chmod(0o700 if tmp_path.stat().st_mode & 0o77 else 0o755)
    assert signature(os.stat(tmp_path), Look.STAT) != after[0]


def test_a_time_in_the_same_tick_is_not_settled(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    seen = signature(os.stat(tmp_path / "f"), Look.STAT)
    changed = seen[2] / 1e9
    assert not is_settled_time(seen, changed) and not is_settled_time(seen, changed + TICK / 2)
    assert is_settled_time(seen, changed + TICK * 2)
    assert is_settled_time(None, 0) and is_settled_time(13, 0)


def test_where_times_are_whole_seconds_a_tick_takes_as_long() -> None:
    """A second `.htaccess` of the same size within that time would have the same signature."""
    seen = (1, 1, 5_000_000_000, 8_000_000_000, 20)
    assert not is_settled_time(seen, 9.9)
    assert is_settled_time(seen, 8 + COARSE_TICK * 1.01)
    assert is_settled_time((1, 1, 5_000_000_000, 8_000_000_001, 20), 8.2)


def test_what_was_opened_early_is_given_to_whoever_opens_it_next(files: RecordedFiles, record: Record, tmp_path: Path) -> None:
    path, other = str(tmp_path / "early"), str(tmp_path / "other")
    Path(path).write_bytes(b"one")
    Path(other).write_bytes(b"other")
    assert files.open_early(path) is not None
    os.rename(other, path)
    assert files.read(path) == b"one"
    assert files.read(path) == b"other"
    assert files.open_early(path + "-none") is None and files.open_early(str(tmp_path)) is None
    assert files.open_early(path) is not None
    files.close_early()
    assert not [link for link in Path("/proc/self/fd").iterdir() if os.path.realpath(link) == path]
    assert {look for _, look in record.files} == {Look.READ}
