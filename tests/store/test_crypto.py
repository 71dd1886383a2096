"""Secrets, the keys they give, and the key file beside a SQLite database."""

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync_daemon.model.errors import ConfigurationError, StateStoreError
from sync_daemon.store.crypto import DerivedKeys, Secrets, derive
from sync_daemon.store.key_file import configured_secret, load_or_make_secret

A, B, C = ("a" * 32, "b" * 32, "c" * 40)


def test_what_was_encrypted_comes_back_and_never_looks_the_same() -> None:
    secrets = Secrets(A)
    first, second = secrets.encrypt(b"Jane Roe"), secrets.encrypt(b"Jane Roe")

    assert secrets.decrypt(first) == secrets.decrypt(second) == b"Jane Roe"
    assert first != second
    assert b"Jane" not in first


def test_previous_secrets_decrypt_and_the_current_one_encrypts() -> None:
    old = Secrets(A).encrypt(b"value")
    both = Secrets(B, [C, A])

    assert both.decrypt(old) == b"value"
    assert Secrets(B).decrypt(both.encrypt(b"value")) == b"value"


def test_another_secret_decrypts_nothing() -> None:
    with pytest.raises(StateStoreError, match="previous_secret_keys"):
        Secrets(B).decrypt(Secrets(A).encrypt(b"value"))


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys, others = derive(A), derive(B)
    parts = [keys.values, keys.digests, keys.tag_names, keys.check]

    assert len({part[:16] for part in [*parts, others.values, others.digests, others.tag_names, others.check]}) == 8
    assert derive(A) == keys
    assert not any(part.hex() in repr(keys) for part in parts)


def test_the_keys_of_a_secret_never_change() -> None:
    """Another derivation would make every stored digest worthless."""
    assert derive(A) == DerivedKeys(
        values=bytes.fromhex("ffe8e362e86beb2126875ec995df2afac19d2628fc1696145b92cd28fbcc23e3"),
        digests=bytes.fromhex("76453f158f037ee5046674bd43332ce20d2884e2b8228e111cdfd64f820fa530"),
        tag_names=bytes.fromhex("f075f8d6b29c17b1bf7e354ddf12a3217f06c4e9c50cd32ad6ffb2c12acd6d17"),
        check=bytes.fromhex("c3d6eea3f5ba9cdb7bbcbf9fab5d49f1"),
    )


def test_the_keys_behind_a_check() -> None:
    secrets = Secrets(B, [A])

    assert secrets.check == derive(B).check
    assert secrets.behind(derive(A).check) == derive(A)
    assert secrets.behind(derive(B).check) == derive(B)
    assert secrets.behind(derive(C).check) is None


def test_short_secrets_are_refused_without_being_shown() -> None:
    for secrets in (["hunter2"], [A, "hunter2"]):
        with pytest.raises(ConfigurationError, match="at least 32 characters long and has 7") as caught:
            Secrets(secrets[0], secrets[1:])
        assert "hunter2" not in str(caught.value)


def test_a_configured_secret_makes_no_file(tmp_path: Path) -> None:
    assert configured_secret(f"sqlite:///{tmp_path}/sync.db", A) == A
    assert configured_secret("postgresql://host/name", A) == A
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigurationError, match="at least 32"):
        configured_secret(f"sqlite:///{tmp_path}/sync.db", "short")


@pytest.mark.parametrize("left_out", [None, ""])
def test_postgresql_needs_a_configured_secret(left_out: str | None) -> None:
    with pytest.raises(ConfigurationError, match="secret_key is required with PostgreSQL"):
        configured_secret("postgresql://host/name", left_out)


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    url = f"sqlite:///{tmp_path}/new/sync.db"
    secret, made = load_or_make_secret(url)

    assert made
    assert re.fullmatch(r"[\w-]{43}", secret)
    assert load_or_make_secret(url, may_make=False) == (secret, False)
    assert load_or_make_secret(f"sqlite:///{tmp_path}/other.db")[0] != secret
    (file,) = (tmp_path / "new").iterdir()
    assert file.name == "sync.db.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_database_in_use_gets_no_other_key(tmp_path: Path) -> None:
    with pytest.raises(StateStoreError, match=r"sync\.db\.key is missing.*put it back, or set secret_key"):
        load_or_make_secret(f"sqlite:///{tmp_path}/sync.db", may_make=False)
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sync.db"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: load_or_make_secret(url), range(8)))

    assert len({secret for secret, _ in answers}) == 1
    assert sum(made for _, made in answers) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_key_file_that_is_no_key(tmp_path: Path) -> None:
    url, key = f"sqlite:///{tmp_path}/sync.db", tmp_path / "sync.db.key"

    key.write_text("short\n")
    with pytest.raises(ConfigurationError, match=r"the key in .*sync\.db\.key must be at least 32"):
        load_or_make_secret(url)

    key.write_bytes(b"\xff" * 64)
    with pytest.raises(StateStoreError, match=r"sync\.db\.key can't be used"):
        load_or_make_secret(url)

    key.unlink()
    key.mkdir()
    with pytest.raises(StateStoreError, match=r"sync\.db\.key can't be used"):
        load_or_make_secret(url)
