"""What all networks share: the output, their arguments kept as data, saving and loading.

A network is rebuilt from its arguments (`network.config`, plain data that fits in JSON) and its
tensors. `save_pretrained` writes both; `from_pretrained` reads them back.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from safetensors.torch import save_file
from torch import Tensor, nn

from bigsmall.exceptions import CheckpointError, InputError, OutputError
from bigsmall.files import replace_atomically
from bigsmall.models.checkpoints import CONFIG_NAME, WEIGHTS_NAME, Checkpoint, read_checkpoint
from bigsmall.transforms import InputSpec

AU_NAMES = (
    "AU01", "AU02", "AU04", "AU06", "AU07", "AU10",
    "AU12", "AU14", "AU15", "AU17", "AU23", "AU24",
)  # fmt: skip
"""The 12 action units of the paper, in the order of the logits."""

TASKS = ("au", "bvp", "resp")

SomeNetwork = TypeVar("SomeNetwork", bound="Network")


class BigSmallOutput(NamedTuple):
    """What a network says about each frame of each clip; None for a task it does not have.

    Attributes:
        au: logits of the action units, `(clips, frames, units)`; `sigmoid` gives probabilities.
        bvp: change of the blood volume pulse from this frame to the next, `(clips, frames)`.
        resp: change of the respiration wave from this frame to the next, `(clips, frames)`.
    """

    au: Tensor | None = None
    bvp: Tensor | None = None
    resp: Tensor | None = None


class Network(nn.Module):
    """Base of all networks: knows its arguments, its inputs, and how to save and load itself."""

    inputs: ClassVar[tuple[str, ...]]
    """Which of `big` and `small` `forward` takes, in that order."""

    input_spec: InputSpec
    """What the inputs must be."""

    tasks: dict[str, int]
    """Outputs a frame, by task."""

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that build this network again, as plain data."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @classmethod
    def from_checkpoint(cls: type[SomeNetwork], checkpoint: Checkpoint) -> SomeNetwork:
        """Build the network that `checkpoint` describes and fill it, in evaluation mode."""
        if checkpoint.network != cls.__name__:
            raise CheckpointError(
                f"{checkpoint.source} holds a {checkpoint.network}, not a {cls.__name__}; load it "
                f"with bigsmall.{checkpoint.network}.from_pretrained or bigsmall.load_model"
            )
        try:
            network = cls(**checkpoint.config)
        except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
            raise CheckpointError(
                f"{checkpoint.source}: {CONFIG_NAME} does not describe a {cls.__name__}: {error}"
            ) from error
        checkpoint.check_tensors(network.state_dict())
        network.load_state_dict(checkpoint.tensors)
        return network.eval()

    @classmethod
    def from_pretrained(
        cls: type[SomeNetwork], path: str | Path, *, task: str | None = None
    ) -> SomeNetwork:
        """Load a network from disk, in evaluation mode.

        Args:
            path: a folder or `.safetensors` file as `save_pretrained` writes them, or a
                checkpoint of the paper's own code (`.pth`).
            task: what a single-task `.pth` was trained for, `"au"`, `"bvp"` or `"resp"`. Such a
                file does not say it; by default it is read from the file's name.

        Raises:
            CheckpointError: if the file is missing, damaged, foreign, or of another network.
        """
        return cls.from_checkpoint(read_checkpoint(path, task=task))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `model.safetensors` and `config.json` into `folder`, made if need be.

        Raises:
            OutputError: if the folder cannot be written.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        config = {"network": type(self).__name__, **self.config}
        # The file says what it is even where it is copied without the folder.
        metadata = {"format": "pt", CONFIG_NAME: json.dumps(config)}
        with replace_atomically(folder / WEIGHTS_NAME) as temporary:
            save_file(tensors, temporary, metadata=metadata)
        with replace_atomically(folder / CONFIG_NAME) as temporary:
            Path(temporary).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def as_size(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return `(height, width)` for a number or a pair."""
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or min(pair) < 1:
        raise InputError(f"got size {size}; expected one or two lengths of at least 1")
    return pair[0], pair[1]


def check_tasks(tasks: dict[str, int]) -> dict[str, int]:
    """Return a copy of `tasks` (name to number of outputs a frame) in the order of the output."""
    if not tasks or any(name not in TASKS for name in tasks):
        raise InputError(f"got tasks {list(tasks)}; expected some of {', '.join(TASKS)}")
    if any(tasks.get(name, 1) != 1 for name in ("bvp", "resp")) or tasks.get("au", 1) < 1:
        raise InputError(f"got outputs {tasks}; bvp and resp have 1 a frame, au at least 1")
    return {name: tasks[name] for name in TASKS if name in tasks}


def add_head(module: nn.Module, name: str, features: int, hidden: int, outputs: int) -> None:
    """Register the two linear layers `{name}_fc1` and `{name}_fc2` on `module`."""
    setattr(module, f"{name}_fc1", nn.Linear(features, hidden))
    setattr(module, f"{name}_fc2", nn.Linear(hidden, outputs))


def run_head(module: nn.Module, name: str, features: Tensor) -> Tensor:
    """Linear, ReLU, linear on `(..., features)`."""
    first, second = getattr(module, f"{name}_fc1"), getattr(module, f"{name}_fc2")
    return second(first(features).relu())


def to_output(heads: dict[str, Tensor]) -> BigSmallOutput:
    """Collect the heads' `(clips, frames, outputs)`; waveforms lose their last axis of 1."""
    return BigSmallOutput(
        **{name: y if name == "au" else y.squeeze(-1) for name, y in heads.items()}
    )
