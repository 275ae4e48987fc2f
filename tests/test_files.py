"""Files are replaced as a whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from bigsmall.exceptions import OutputError
from bigsmall.files import replace_atomically


def listing(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_new_file_appears_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.npy.gz"
    with replace_atomically(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffixes[-2:] == [".npy", ".gz"]
        assert temporary.exists()
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert listing(tmp_path) == {"a.npy.gz"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_error_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "a.csv"
    target.write_text("old")

    def write_half() -> None:
        with replace_atomically(str(target)) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert target.read_text() == "old"
    assert listing(tmp_path) == {"a.csv"}


def test_new_file_follows_the_umask_and_old_one_keeps_its_mode(tmp_path: Path) -> None:
    plain, replaced = tmp_path / "plain", tmp_path / "replaced"
    plain.write_text("")
    replaced.write_text("")
    replaced.chmod(0o640)
    fresh = tmp_path / "fresh"
    for target in (fresh, replaced):
        with replace_atomically(target):
            pass
    assert stat.S_IMODE(fresh.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert stat.S_IMODE(replaced.stat().st_mode) == 0o640


def test_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    with replace_atomically(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_unwritable_places_are_found_before_the_block(tmp_path: Path) -> None:
    entered = []
    for path, match in [
        (tmp_path, "it is a folder"),
        (tmp_path / "none" / "a.csv", "there is no folder"),
        (Path("/dev/null"), "not a plain file|folder"),
    ]:
        with pytest.raises(OutputError, match=match) as caught, replace_atomically(path):
            entered.append(path)
        assert "\n" not in str(caught.value)
    assert not entered


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="the superuser may write anywhere")
def test_protected_places(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("old")
    file.chmod(0o444)
    with pytest.raises(OutputError, match="write-protected"), replace_atomically(file):
        pass
    tmp_path.chmod(0o555)
    try:
        with (
            pytest.raises(OutputError, match="Permission denied"),
            replace_atomically(tmp_path / "b.csv"),
        ):
            pass
    finally:
        tmp_path.chmod(0o755)


def test_full_disk_is_said_so(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="the disk is full"),
        replace_atomically(tmp_path / "a.csv"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert listing(tmp_path) == set()


def test_long_names(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 250 + ".csv")
    with replace_atomically(target) as temporary:
        assert temporary.suffix == ".csv"
    assert target.exists()


def test_a_writer_that_makes_the_file_anew_does_not_make_it_private(tmp_path):
    usual = tmp_path / "usual"
    usual.touch()
    with replace_atomically(tmp_path / "new.bin") as temporary:
        temporary.unlink()
        temporary.touch(mode=0o600)
    assert (tmp_path / "new.bin").stat().st_mode == usual.stat().st_mode
