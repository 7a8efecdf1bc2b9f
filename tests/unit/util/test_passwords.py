"""Password hashes. The stored forms were made by Apache 2.4.71's htpasswd."""

import pytest

from coachwhip.util.passwords import apr1, sha, verify

SECRET = [
    "$apr1$J72PFzhb$OgKiUXUWafBazlzPTYB3u/",
    "$2y$05$w3Gvj4IKmZ8OBhfzseyVCOjlzjT7XBGE7z6LwK6HqHXc9H4QvuMOW",
    "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "j9N4GrbiRnh/6",
    "$5$uh97PCN993UobiUh$Cf1MdIn6rO6t2wK3F8dzeM505UpmIP2gQslD0S58TK9",
    "$6$r7mE06/4rKxezSBW$/R15UfnVTJ2CPDBZEPANMeXsxvctyE0F1qBCJWnMJ9TCXVXJ3kpEJqz18xZiYrSTfjJTY1.uRMOT3C9UZ4E.u1",
]


@pytest.mark.parametrize("stored", SECRET)
def test_the_right_password(stored: str) -> None:
    assert verify(b"secret", stored)


@pytest.mark.parametrize("stored", SECRET)
@pytest.mark.parametrize("password", [b"", b"Secret", b"secre", b"secret ", b"secret\0", b"secret\xff"])
def test_a_wrong_password(stored: str, password: bytes) -> None:
    if password.startswith(b"secret") and len(stored) == 13:
        pytest.skip("DES crypt reads eight characters of a password")
    assert not verify(password, stored)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "secret",
        "*",
        "!",
        "{sha}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ",
        "{SSHA}xx",
        "$2y$05$short",
        "$9$unknown$xxxxxxxxxxxxxxxx",
        "$apr1$J72PFzhb$",
        "$apr1$é$x",
        "s\udcff",
    ],
)
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not verify(b"secret", stored)


def test_bcrypt_reads_72_octets() -> None:
    stored = "$2y$05$w3Gvj4IKmZ8OBhfzseyVCOjlzjT7XBGE7z6LwK6HqHXc9H4QvuMOW"
    assert not verify(b"x" * 100, stored)


def test_apr1_is_deterministic_and_cuts_its_salt() -> None:
    assert apr1(b"secret", "J72PFzhb") == SECRET[0]
    assert apr1(b"secret", "J72PFzhbIGNORED") == SECRET[0]
    assert apr1(b"", "xxxxxxxx") == "$apr1$xxxxxxxx$AL/DOdqyMUurcg0cPNW/P1"


def test_sha() -> None:
    assert sha(b"secret") == SECRET[2]
