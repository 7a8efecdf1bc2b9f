"""What was met before."""

from coachwhip.util.second_sight import SecondSight


def test_it_is_known_from_the_second_time_on():
    met = SecondSight(16)
    assert [met(b"a"), met(b"b"), met(b"a"), met(b"b"), met(b"c")] == [False, False, True, True, False]


def test_two_that_share_a_place_and_take_turns_are_both_known():
    met = SecondSight(16)
    one, other = 16, 32  # a whole number is its own hash
    assert [met(one), met(other), met(one), met(other)] == [False, False, True, True]


def test_of_more_that_share_a_place_the_latest_two_are_known():
    met = SecondSight(16)
    assert [met(16 * number) for number in (1, 2, 3)] == [False] * 3
    assert [met(16 * number) for number in (3, 2)] == [True, True]
    assert not met(16)


def test_a_negative_hash_has_a_place():
    met = SecondSight(2)
    assert [met(-7), met(-7)] == [False, True]
