"""What is said of a configuration is what Apache 2.4.71 says of it: every case of the tables in `recorded/`."""

from pathlib import Path

import pytest
from config_cases import Case, all_cases, lay_out, our_answer


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    lay_out(folder)
    return folder


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_same_words_as_apache(case: Case, root: Path) -> None:
    assert our_answer(case, root) == case.ours
