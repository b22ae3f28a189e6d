"""The file of keys: made, added to, and refused with a reason."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from domain.errors import Conflict, InvalidInput, NotFound
from runtime.key_ring import add_key, load_ring, use_key

KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "codec.keys"


def written(file: Path, text: str | bytes, mode: int = 0o600) -> Path:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return file


def ids(file: Path) -> list[str]:
    return [key.id for key in load_ring(file).keys]


def test_a_new_file_is_its_owners_alone_and_its_first_key_encrypts(file: Path) -> None:
    first = add_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_ring(file).current == first
    assert len(first.secret) == 32
    assert repr(first.secret) not in repr(first)
    second = add_key(file, "second")
    assert load_ring(file).keys == (first, second)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_rotation_changes_which_key_encrypts_and_keeps_the_rest(file: Path) -> None:
    written(file, f"# ours\n\nold {KEY}\n# the next\nmiddle {KEY}\nnew {KEY}")
    use_key(file, "new")
    assert ids(file) == ["new", "old", "middle"]
    assert (
        file.read_text(encoding="utf-8")
        == f"# ours\n\nnew {KEY}\nold {KEY}\n# the next\nmiddle {KEY}\n"
    )
    use_key(file, "new")
    assert ids(file) == ["new", "old", "middle"]
    with pytest.raises(NotFound, match="has no key other"):
        use_key(file, "other")


def test_a_link_to_the_file_stays_one(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to(file)
    add_key(link, "a")
    add_key(link, "b")
    assert link.is_symlink()
    assert ids(file) == ["a", "b"]


def test_an_id_is_given_once_and_has_only_letters_that_stay_what_they_are(file: Path) -> None:
    add_key(file, "a")
    with pytest.raises(Conflict, match="has a key a already"):
        add_key(file, "a")
    with pytest.raises(InvalidInput, match="key id: must begin"):
        add_key(file, "a b")
    assert ids(file) == ["a"]


def test_of_two_that_write_at_once_one_is_refused(file: Path) -> None:
    add_key(file, "a")
    (file.parent / ".codec.keys.new").touch()
    with pytest.raises(Conflict, match="remove it"):
        add_key(file, "b")
    assert ids(file) == ["a"]


def test_a_key_that_cannot_be_written_leaves_the_file_as_it_was(file: Path) -> None:
    before = written(file, "nonsense\n").read_bytes()
    with pytest.raises(InvalidInput, match="line 1"):
        add_key(file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    with pytest.raises(InvalidInput, match=r"cannot be written \(No such file"):
        add_key(file.parent / "none" / "keys")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no key: make one with `orderloom codec-keys add"),
        ("# a comment\n", "has no key"),
        ("a\n", "line 1: must be a key's id, a space, and 32 bytes in base64"),
        (f"a {KEY} b\n", "line 1: must be"),
        ('{"keys": []}\n', "line 1"),
        (f"ok {KEY}\na/b {KEY}\n", "line 2: begins with no id"),
        (f"a {KEY}\n\na {KEY}\n", "line 3: has the id a again, which line 1 has"),
        (f"a {KEY[:-4]}\n", "line 1, key a: has 30 bytes, and must have 32"),
        ("a !!!!\n", "line 1, key a: is not in base64"),
        (b"\xff\xfe", "is no text"),
        ("#" * 70_000, "is longer than 65536 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_no_key_is_shown(
    file: Path, text: str | bytes, told: str
) -> None:
    written(file, text)
    with pytest.raises(InvalidInput) as refused:
        load_ring(file)
    assert told in str(refused.value)
    assert str(refused.value).startswith(str(file))
    assert KEY[:20] not in str(refused.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_may_read_or_write_is_refused(file: Path, mode: int) -> None:
    written(file, f"a {KEY}\n", mode)
    with pytest.raises(InvalidInput, match=f"mode {mode:04o}.*chmod 600"):
        load_ring(file)
    written(file, f"a {KEY}\n", 0o400)
    assert ids(file) == ["a"]


def test_a_file_that_is_not_there_or_is_no_file_is_told(file: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_ring(file)
    with pytest.raises(InvalidInput, match="Is a directory"):
        load_ring(file.parent)
    with pytest.raises(InvalidInput, match="is no file"):
        load_ring(Path(os.devnull))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_account_is_refused(file: Path) -> None:
    written(file, f"a {KEY}\n")
    os.chown(file, 1, 1)
    with pytest.raises(InvalidInput, match="belongs to another account"):
        load_ring(file)
