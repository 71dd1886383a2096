"""Hashed passwords, as the configuration holds them."""

import pytest

from sync_daemon.settings.passwords import Hash


def test_a_hash_fits_its_password_alone() -> None:
    hashed = Hash.parse(str(Hash.of("correct horse")))
    assert hashed.fits("correct horse")
    assert not hashed.fits("correct horse ")
    assert not hashed.fits("")


def test_two_hashes_of_one_password_differ() -> None:
    assert str(Hash.of("correct horse")) != str(Hash.of("correct horse"))


def test_nobodys_fits_no_password_and_is_as_expensive_to_try() -> None:
    nobodys, somebodys = Hash.of_nobody(), Hash.of("correct horse")
    assert not nobodys.fits("")
    assert not nobodys.fits("correct horse")
    assert nobodys[:3] == somebodys[:3]
    assert (len(nobodys.salt), len(nobodys.digest)) == (len(somebodys.salt), len(somebodys.digest))
    assert nobodys != Hash.of_nobody()


GOOD = str(Hash(14, 8, 5, b"s" * 16, b"d" * 32))


@pytest.mark.parametrize(
    "text",
    [
        "", "correct horse", GOOD.replace("scrypt", "md5"), GOOD.replace(":14:", ":9:"), GOOD.replace(":14:", ":40:"),
        GOOD.replace(":8:", ":0:"), GOOD.replace(":5:", ":99:"), GOOD.replace(":14:", ":x:"), GOOD[:-4], GOOD + ":",
    ],
)  # fmt: skip
def test_what_is_no_hash_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="sync-daemon password") as caught:
        Hash.parse(text)
    assert not text or text not in str(caught.value)


def test_a_good_one_is_read_as_written() -> None:
    assert str(Hash.parse(GOOD)) == GOOD
