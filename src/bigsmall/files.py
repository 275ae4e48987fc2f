"""Writing a file so that it is either complete or not there at all.

A result is written to a temporary file in the same folder and moved over the target in
one step. An error, a full disk or an interrupt in between leaves what was there before
untouched and no half-written file behind.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bigsmall.exceptions import OutputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def replace_atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to, and move it to `path` when the block ends well.

    The temporary file lies in the folder of `path` and ends in the same suffixes, because
    many writers choose the format by them. It exists, empty, when the block starts: a
    place that cannot be written to is found before any work is done. A link is followed,
    so that the file behind it is replaced. An existing file keeps its permissions.

    Args:
        path: the file to create or to replace. Its folder must exist.

    Yields:
        The path of the temporary file.

    Raises:
        OutputError: the folder is missing, the path is a folder or not a plain file, it
            may not be written to, or the disk is full. Any other error of the block
            passes through unchanged. The temporary file is removed in every case.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     target = Path(folder, "rates.csv")
        ...     with replace_atomically(target) as temporary:
        ...         _ = temporary.write_text("72")
        ...         before = target.exists()
        ...     before, target.read_text(), len(list(target.parent.iterdir()))
        (False, '72', 1)
    """
    target = Path(os.path.realpath(path))
    temporary = _create_beside(target, os.fspath(path))
    mode = temporary.stat().st_mode
    try:
        yield temporary
        # Some writers put a new file, a private one, in the place of ours.
        temporary.chmod(mode)
        _move(temporary, target, os.fspath(path))
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(f"cannot write '{os.fspath(path)}': the disk is full") from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink()


def _create_beside(target: Path, shown: str) -> Path:
    """Check that `target` can be written and create the temporary file beside it."""
    if target.is_dir():
        raise OutputError(f"cannot write '{shown}': it is a folder; give the name of a file")
    if not target.parent.is_dir():
        raise OutputError(f"cannot write '{shown}': there is no folder '{target.parent}'")
    if target.exists() and not target.is_file():
        raise OutputError(f"cannot write '{shown}': it is not a plain file")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"cannot write '{shown}': the file is write-protected")
    # Only the end of the name is kept: it holds the suffixes, and a name may already be
    # as long as the file system allows.
    temporary = target.with_name(f".{secrets.token_hex(6)}-{target.name[-40:]}")
    try:
        # 0o666 less the umask, as for any new file; tempfile would make it private.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise OutputError(f"cannot write '{shown}': {error.strerror}") from error
    return temporary


def _move(temporary: Path, target: Path, shown: str) -> None:
    """Replace `target` by `temporary`, keeping the permissions of an existing file."""
    with suppress(OSError):
        if target.exists():
            shutil.copymode(target, temporary)
    try:
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"cannot write '{shown}': {error.strerror}") from error
