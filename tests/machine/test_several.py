"""A few lives of a neighbourhood; `python -m tests.machine --several --lives 300` lives more of them."""

import pytest

from tests.machine.several import Life


@pytest.mark.parametrize("seed", [200, 206])
def test_lives_of_several_pairs_keep_every_law(seed: int) -> None:
    Life(seed).live()
