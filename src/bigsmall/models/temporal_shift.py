"""Temporal shift: features of neighbouring frames meet without a parameter or a multiplication.

Both modules take the convention of the field, frames flattened clip by clip: `(batch *
n_segment, C, ...)` in, the same shape out. With `fold = C // fold_div`, the first `fold`
channels of frame t come from frame t + 1, the next `fold` from frame t - 1, the rest stay.
They differ at the two ends of a clip: `TSM` fills with zeros, `WTSM` wraps
around inside the clip, so that no feature is lost. With three frames a clip and 32 channels
TSM zeroes 20.8 % of the features.

References:
    Lin, Gan, Han: TSM, Temporal Shift Module for Efficient Video Understanding, ICCV 2019.
    Narayanswamy et al.: BigSmall, arXiv 2303.11573, section 3 (WTSM).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bigsmall.exceptions import InputError


class TemporalShift(nn.Module):
    """What `WTSM` and `TSM` share; use one of those."""

    wraps: bool

    def __init__(self, n_segment: int = 3, fold_div: int = 3) -> None:
        """See `WTSM`."""
        super().__init__()
        if n_segment < 1:
            raise InputError(f"n_segment is {n_segment}; a clip has at least 1 frame")
        if fold_div < 2:
            raise InputError(
                f"fold_div is {fold_div}; at least 2, since two groups of channels shift"
            )
        self.n_segment = n_segment
        self.fold_div = fold_div

    def forward(self, x: Tensor) -> Tensor:
        """Shift `x` of shape `(batch * n_segment, C, ...)`; the result has the same shape."""
        if x.ndim < 2 or x.shape[0] % self.n_segment:
            raise InputError(
                f"got shape {tuple(x.shape)}; expected (batch * {self.n_segment}, channels, ...): "
                f"the first length must be a multiple of n_segment={self.n_segment}"
            )
        fold = x.shape[1] // self.fold_div
        clips = x.reshape(-1, self.n_segment, *x.shape[1:])
        future, past, still = clips.split([fold, fold, x.shape[1] - 2 * fold], dim=2)
        if self.wraps:
            future, past = future.roll(-1, dims=1), past.roll(1, dims=1)
        else:
            future = torch.cat([future[:, 1:], torch.zeros_like(future[:, :1])], dim=1)
            past = torch.cat([torch.zeros_like(past[:, :1]), past[:, :-1]], dim=1)
        return torch.cat([future, past, still], dim=2).reshape(x.shape)

    def extra_repr(self) -> str:
        """Show the two arguments in `print(model)`."""
        return f"n_segment={self.n_segment}, fold_div={self.fold_div}"


class WTSM(TemporalShift):
    """Wrapping temporal shift module: a circular shift of two channel groups inside a clip.

    Args:
        n_segment: frames a clip, at least 1. With 1 the module is the identity.
        fold_div: one `fold_div`-th of the channels (rounded down) shifts each way; with fewer
            channels than that nothing shifts.

    Shape:
        `(batch * n_segment, C, ...)` to the same; no parameters, any dtype, any device.

    Raises:
        InputError: if the first length is no multiple of `n_segment`.

    Example:
        >>> x = torch.arange(12.0).reshape(3, 4, 1, 1)
        >>> WTSM(n_segment=3)(x)[:, :, 0, 0]
        tensor([[ 4.,  9.,  2.,  3.],
                [ 8.,  1.,  6.,  7.],
                [ 0.,  5., 10., 11.]])
    """

    wraps = True


class TSM(TemporalShift):
    """Temporal shift module: as `WTSM`, but zeros enter at the ends of a clip.

    Example:
        >>> x = torch.arange(12.0).reshape(3, 4, 1, 1)
        >>> TSM(n_segment=3)(x)[:, :, 0, 0]
        tensor([[ 4.,  0.,  2.,  3.],
                [ 8.,  1.,  6.,  7.],
                [ 0.,  5., 10., 11.]])
    """

    wraps = False


SHIFTS: dict[str, type[TemporalShift]] = {"wtsm": WTSM, "tsm": TSM}


def make_shift(kind: str | None, n_segment: int, fold_div: int) -> nn.Module:
    """Return the shift named `kind`: `"wtsm"`, `"tsm"`, or None for no shift at all.

    Raises:
        InputError: if `kind` is none of these.
    """
    if kind is None:
        return nn.Identity()
    if kind not in SHIFTS:
        raise InputError(f"shift is {kind!r}; expected 'wtsm', 'tsm' or None")
    return SHIFTS[kind](n_segment, fold_div)
