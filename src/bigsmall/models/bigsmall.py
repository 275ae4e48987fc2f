"""BigSmall: one network for pulse, respiration and action units.

The Big branch looks at one picture a clip, the Small branch at the differences of all its
frames; the two maps are added and three small heads read the sum. Looking at one Big picture in
three saves two thirds of the computation, and the wrapping temporal shift (`WTSM`) lets
the Small frames of a clip see each other.

References:
    Narayanswamy et al.: BigSmall, arXiv 2303.11573, Fig. 2 and Table 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

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
from bigsmall.models.branches import (
    BIG_FILTERS,
    DROPOUT,
    POOLS,
    SMALL_FILTERS,
    add_convolutions,
    check_input,
    pooled_size,
    run_big,
    run_small,
)
from bigsmall.models.temporal_shift import make_shift
from bigsmall.transforms import InputSpec


class BigSmall(Network):
    """The paper's network; with other arguments, the rows of its ablation.

    Args:
        tasks: outputs a frame, by task; `{"au": 12, "bvp": 1, "resp": 1}` by default.
        frames: frames a clip, N.
        big_frames: Big pictures a clip, N / M; it must divide `frames`. Picture k serves the
            frames from `k * frames / big_frames` on.
        big_size: height and width of Big, or one number for both.
        small_size: height and width of Small; the poolings must bring Big down to it.
        in_channels: channels of a frame.
        big_filters: widths of the Big convolutions, two for each of `pools`.
        small_filters: widths of the Small convolutions; the last as the last of `big_filters`.
        pools: average poolings of the Big branch.
        dropout: probabilities, one after each pooling.
        hidden: width of each head.
        shift: `"wtsm"` (the paper's), `"tsm"` or None.
        fold_div: see `bigsmall.WTSM`.
        epsilon: see `bigsmall.transforms.InputSpec`.

    Shape:
        `big` `(clips, big_frames, C, H, W)`, `small` `(clips, frames, C, h, w)`; in the output
        `au` is `(clips, frames, units)`, `bvp` and `resp` are `(clips, frames)`.

    Raises:
        InputError: if the arguments do not fit together, or an input has the wrong shape.

    Example:
        >>> import torch
        >>> out = BigSmall()(torch.rand(2, 1, 3, 144, 144), torch.rand(2, 3, 3, 9, 9))
        >>> out.au.shape, out.bvp.shape, out.resp.shape
        (torch.Size([2, 3, 12]), torch.Size([2, 3]), torch.Size([2, 3]))
    """

    inputs = ("big", "small")

    def __init__(
        self,
        tasks: dict[str, int] | None = None,
        frames: int = 3,
        big_frames: int = 1,
        big_size: int | tuple[int, int] = 144,
        small_size: int | tuple[int, int] = 9,
        in_channels: int = 3,
        big_filters: Sequence[int] = BIG_FILTERS,
        small_filters: Sequence[int] = SMALL_FILTERS,
        pools: Sequence[int] = POOLS,
        dropout: Sequence[float] = DROPOUT,
        hidden: int = 128,
        shift: str | None = "wtsm",
        fold_div: int = 3,
        epsilon: float = InputSpec.epsilon,
    ) -> None:
        super().__init__()
        self.tasks = check_tasks({"au": 12, "bvp": 1, "resp": 1} if tasks is None else tasks)
        self.frames, self.big_frames, self.in_channels = frames, big_frames, in_channels
        self.big_size, self.small_size = as_size(big_size), as_size(small_size)
        self.big_filters, self.small_filters = tuple(big_filters), tuple(small_filters)
        self.pools, self.dropout, self.hidden = tuple(pools), tuple(dropout), hidden
        self.shift, self.fold_div, self.epsilon = shift, fold_div, epsilon
        self._check_arguments()

        add_convolutions(self, "big", in_channels, self.big_filters)
        add_convolutions(self, "small", in_channels, self.small_filters)
        features = self.small_filters[-1] * self.small_size[0] * self.small_size[1]
        for name, outputs in self.tasks.items():
            add_head(self, name, features, hidden, outputs)
        self.temporal_shift = make_shift(shift, frames, fold_div)
        self.input_spec = InputSpec(frames, big_frames, self.big_size, self.small_size, epsilon)

    def _check_arguments(self) -> None:
        if self.big_frames < 1 or self.frames % self.big_frames:
            raise InputError(f"big_frames {self.big_frames} does not divide frames {self.frames}")
        height, width = pooled_size(self.big_size, self.big_filters, self.pools)
        if (height, width) != self.small_size:
            raise InputError(
                f"Big {self.big_size} pooled by {self.pools} gives {height} x {width}; "
                f"expected small_size {self.small_size}"
            )
        if self.big_filters[-1] != self.small_filters[-1]:
            raise InputError(
                f"the maps have {self.big_filters[-1]} and {self.small_filters[-1]} channels; "
                "to be added they must have the same number"
            )

    def forward(self, big: Tensor, small: Tensor) -> BigSmallOutput:
        """Return what each frame of each clip shows."""
        check_input("big", big, ("clips", self.big_frames, self.in_channels, *self.big_size))
        check_input("small", small, ("clips", self.frames, self.in_channels, *self.small_size))
        fused = self.big_features(big) + self.small_features(small)
        features = fused.flatten(2)
        return to_output({name: run_head(self, name, features) for name in self.tasks})

    def big_features(self, big: Tensor) -> Tensor:
        """Map of the Big branch, repeated in time: `(clips, frames, channels, h, w)`."""
        maps = run_big(self, big.flatten(0, 1), self.pools, self.dropout)
        maps = maps.unflatten(0, (-1, self.big_frames))
        return maps.repeat_interleave(self.frames // self.big_frames, dim=1)

    def small_features(self, small: Tensor) -> Tensor:
        """Map of the Small branch: `(clips, frames, channels, h, w)`."""
        maps = run_small(self, small.flatten(0, 1), len(self.small_filters), self.temporal_shift)
        return maps.unflatten(0, (-1, self.frames))
