"""What the oracle asks: every file and folder, each with the whole matrix."""

from __future__ import annotations

from pathlib import Path

from conformance.answers import NO_ANSWER, Answer
from conformance.manual_site import Tree
from conformance.matrix import LANGUAGES, first_questions, further_questions, targets

OK = Answer(b"HTTP/1.1 200 OK", ((b"ETag", b'"x"'), (b"Last-Modified", b"some day")), b"hello")


def test_every_file_and_folder_is_a_target_once_with_its_name_encoded(tmp_path: Path) -> None:
    (tmp_path / "sub dir").mkdir()
    (tmp_path / "sub dir" / "a%b?.txt").touch()
    found = list(targets([Tree("/t", tmp_path)]))
    assert len(found) == len(set(found))
    assert {b"/t", b"/t/", b"/t/sub%20dir", b"/t/sub%20dir/", b"/t/sub%20dir/a%25b%3F.txt"} <= set(found)


def test_negotiated_names_are_asked_for_in_all_their_forms(tmp_path: Path) -> None:
    (tmp_path / "mod").mkdir()
    (tmp_path / "mod" / "core.html.fr.utf8").touch()
    found = set(targets([Tree("/t", tmp_path, is_negotiated=True)]))
    forms = (b"core", b"core.html", b"core.fr", b"core.html.fr", b"core.html.fr.utf8")
    assert {b"/t/mod/" + form for form in forms} <= found
    assert b"/t/fr/mod/core.html" in found


def test_the_first_questions_are_the_whole_matrix() -> None:
    questions = [question for question in first_questions(b"/a") if question.method in (b"GET", b"HEAD")]
    assert len({question.request for question in questions}) == len(LANGUAGES) * 2 * 2


def test_further_questions_use_the_validators_that_were_given() -> None:
    packed = Answer(b"HTTP/1.1 200 OK", ((b"ETag", b'"x-gzip"'),), b"")
    asked = {field for question in further_questions(b"/a", OK, packed) for field in question.fields}
    expected = {
        (b"If-None-Match", b'"x"'),
        (b"If-None-Match", b'"x-gzip"'),
        (b"If-Modified-Since", b"some day"),
        (b"If-Range", b'"x"'),
        (b"Range", b"bytes=0-0,5-9,-5"),
    }
    assert expected <= asked


def test_only_what_exists_is_asked_further() -> None:
    assert further_questions(b"/a", NO_ANSWER, NO_ANSWER) == []
