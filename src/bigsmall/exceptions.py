"""Errors that bigsmall raises for the user to read.

Every failure that a user can cause ends in a child of `BigSmallError` whose
message is one line: what was got, what was expected, what to do. The command line prints
that line and exits with 2. Anything else that escapes is a defect of the library.
"""

from __future__ import annotations


class BigSmallError(Exception):
    """Base of every error that bigsmall raises on purpose."""


class InputError(BigSmallError, ValueError):
    """An argument has the wrong type, shape, range or value."""


class TooShortError(InputError):
    """There are fewer frames or seconds than an estimate needs."""


class VideoError(BigSmallError):
    """A video cannot be found, opened or decoded."""


class NoFaceError(BigSmallError):
    """No face was found where one is needed."""


class CheckpointError(BigSmallError):
    """Weights are damaged, foreign, or do not fit the network."""


class UnknownModelError(BigSmallError, KeyError):
    """No model has this name."""

    __str__ = Exception.__str__


class OutputError(BigSmallError):
    """A result cannot be written where it was asked for."""


class MissingExtraError(BigSmallError, ImportError):
    """An optional package is needed; the message names the install command."""

    def __init__(self, package: str, extra: str) -> None:
        """Name the missing `package` and the `extra` that brings it."""
        super().__init__(f"{package} is not installed; run: pip install 'bigsmall[{extra}]'")
