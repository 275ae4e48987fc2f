"""The two branches, each a network of its own and each a half of BigSmall.

* **Big** looks at one high-resolution picture: six convolutions with three average poolings,
  `(3, 144, 144)` to a `(64, 9, 9)` map.
* **Small** looks at tiny difference frames: four convolutions, `(3, 9, 9)` to `(64, 9, 9)`, a
  temporal shift in front of each.

All convolutions are 3 x 3 with padding 1 and ReLU. Names of parameters are those of the paper's
own code, so that its checkpoints fit.

References:
    Narayanswamy et al.: BigSmall, arXiv 2303.11573, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from bigsmall.exceptions import InputError
from bigsmall.models.base import (
    BigSmallOutput,
    Network,
    add_head,
    as_size,
    check_tasks,
    run_head,
    to_output,
)
from bigsmall.models.temporal_shift import make_shift
from bigsmall.transforms import InputSpec

BIG_FILTERS = (32, 32, 32, 64, 64, 64)
SMALL_FILTERS = (32, 32, 32, 64)
POOLS = (2, 2, 4)
DROPOUT = (0.25, 0.5, 0.5)


def add_convolutions(
    module: nn.Module, prefix: str, in_channels: int, filters: Sequence[int]
) -> None:
    """Register `{prefix}_conv1` ... on `module`, one 3 x 3 convolution for each of `filters`."""
    for number, (before, after) in enumerate(zip((in_channels, *filters), filters), start=1):
        setattr(module, f"{prefix}_conv{number}", nn.Conv2d(before, after, 3, padding=1))


def run_big(module: nn.Module, x: Tensor, pools: Sequence[int], dropout: Sequence[float]) -> Tensor:
    """Big convolutions on `(pictures, C, H, W)`: a pooling and a dropout after every second one."""
    for block, (pool, drop) in enumerate(zip(pools, dropout)):
        x = F.relu(getattr(module, f"big_conv{2 * block + 1}")(x))
        x = F.relu(getattr(module, f"big_conv{2 * block + 2}")(x))
        x = F.dropout(F.avg_pool2d(x, pool), drop, module.training)
    return x


def run_small(module: nn.Module, x: Tensor, layers: int, shift: nn.Module) -> Tensor:
    """Small convolutions on `(clips * frames, C, h, w)`, the shift in front of each."""
    for number in range(1, layers + 1):
        x = F.relu(getattr(module, f"small_conv{number}")(shift(x)))
    return x


def pooled_size(
    big_size: tuple[int, int], filters: Sequence[int], pools: Sequence[int]
) -> tuple[int, int]:
    """Size of the Big map; `InputError` unless the poolings divide `big_size` and fit `filters`."""
    if len(filters) != 2 * len(pools):
        raise InputError(f"got {len(filters)} filters and {len(pools)} pools; two filters a pool")
    factor = 1
    for pool in pools:
        factor *= pool
    if big_size[0] % factor or big_size[1] % factor:
        raise InputError(f"big_size {big_size} is no multiple of the poolings' product {factor}")
    return big_size[0] // factor, big_size[1] // factor


def check_input(name: str, x: Tensor, expected: Sequence[int | str]) -> None:
    """Raise `InputError` unless `x` has the `expected` shape; words stand for any length."""
    wrong = x.ndim != len(expected) or any(
        isinstance(e, int) and e != n for e, n in zip(expected, x.shape)
    )
    if wrong:
        words = ", ".join(str(e) for e in expected)
        raise InputError(f"{name} has shape {tuple(x.shape)}; expected ({words})")


class BigBranch(Network):
    """The Big branch alone: action units from single pictures.

    Args:
        tasks: outputs a picture, by task; the paper's baseline has `{"au": 12}`.
        big_size: height and width, or one number for both.
        in_channels: channels of a picture.
        filters: widths of the convolutions, two for each of `pools`.
        pools: average poolings, one after every second convolution.
        dropout: probabilities, one after each pooling.
        hidden: width of the head.

    Shape:
        `big` `(clips, frames, C, H, W)`; every picture is looked at on its own.

    Example:
        >>> import torch
        >>> BigBranch()(torch.rand(2, 1, 3, 144, 144)).au.shape
        torch.Size([2, 1, 12])
    """

    inputs = ("big",)

    def __init__(
        self,
        tasks: dict[str, int] | None = None,
        big_size: int | tuple[int, int] = 144,
        in_channels: int = 3,
        filters: Sequence[int] = BIG_FILTERS,
        pools: Sequence[int] = POOLS,
        dropout: Sequence[float] = DROPOUT,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        self.tasks = check_tasks({"au": 12} if tasks is None else tasks)
        self.big_size, self.in_channels, self.hidden = as_size(big_size), in_channels, hidden
        self.filters, self.pools, self.dropout = tuple(filters), tuple(pools), tuple(dropout)
        height, width = pooled_size(self.big_size, self.filters, self.pools)
        add_convolutions(self, "big", in_channels, self.filters)
        add_head(self, "out", self.filters[-1] * height * width, hidden, sum(self.tasks.values()))
        self.input_spec = InputSpec(frames=1, big_frames=1, big_size=self.big_size)

    def forward(self, big: Tensor) -> BigSmallOutput:
        """Return the tasks' outputs for each picture of `big`."""
        check_input("big", big, ("clips", "frames", self.in_channels, *self.big_size))
        features = run_big(self, big.flatten(0, 1), self.pools, self.dropout).flatten(1)
        out = run_head(self, "out", features).unflatten(0, big.shape[:2])
        return to_output(dict(zip(self.tasks, out.split(list(self.tasks.values()), dim=-1))))


class SmallBranch(Network):
    """The Small branch alone: pulse or respiration from tiny difference frames.

    Args:
        tasks: outputs a frame, by task; the paper's baselines have one network for each of
            `{"bvp": 1}` and `{"resp": 1}`.
        frames: frames a clip.
        small_size: height and width, or one number for both.
        in_channels: channels of a frame.
        filters: widths of the convolutions.
        hidden: width of the head.
        shift: `"wtsm"`, `"tsm"` or None (the paper's baseline).
        fold_div: see `bigsmall.WTSM`.
        epsilon: see `bigsmall.transforms.InputSpec`.

    Shape:
        `small` `(clips, frames, C, h, w)`.

    Example:
        >>> import torch
        >>> SmallBranch()(torch.rand(2, 3, 3, 9, 9)).bvp.shape
        torch.Size([2, 3])
    """

    inputs = ("small",)

    def __init__(
        self,
        tasks: dict[str, int] | None = None,
        frames: int = 3,
        small_size: int | tuple[int, int] = 9,
        in_channels: int = 3,
        filters: Sequence[int] = SMALL_FILTERS,
        hidden: int = 128,
        shift: str | None = None,
        fold_div: int = 3,
        epsilon: float = InputSpec.epsilon,
    ) -> None:
        super().__init__()
        self.tasks = check_tasks({"bvp": 1} if tasks is None else tasks)
        self.frames, self.small_size, self.in_channels = frames, as_size(small_size), in_channels
        self.filters, self.hidden = tuple(filters), hidden
        self.shift, self.fold_div, self.epsilon = shift, fold_div, epsilon
        add_convolutions(self, "small", in_channels, self.filters)
        height, width = self.small_size
        add_head(self, "out", self.filters[-1] * height * width, hidden, sum(self.tasks.values()))
        self.temporal_shift = make_shift(shift, frames, fold_div)
        self.input_spec = InputSpec(frames=frames, small_size=self.small_size, epsilon=epsilon)

    def forward(self, small: Tensor) -> BigSmallOutput:
        """Return the tasks' outputs for each frame of `small`."""
        check_input("small", small, ("clips", self.frames, self.in_channels, *self.small_size))
        features = run_small(self, small.flatten(0, 1), len(self.filters), self.temporal_shift)
        out = run_head(self, "out", features.flatten(1)).unflatten(0, small.shape[:2])
        return to_output(dict(zip(self.tasks, out.split(list(self.tasks.values()), dim=-1))))
