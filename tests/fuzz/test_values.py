"""Ever new values and URLs cost another client no hit: a short piece of `python -m fuzz.values`."""

import pytest
from fuzz.values import ATTACKS, attack


@pytest.mark.parametrize("through_sockets", [False, True], ids=["straight", "sockets"])
@pytest.mark.parametrize("name", ATTACKS)
def test_another_client_keeps_its_hits(name, through_sockets):
    figures = attack(name, 600, through_sockets=through_sockets)
    assert figures.good - figures.hits <= 2 * (name == "values that come back")
    assert figures.good == 30
    assert figures.kept <= 20
