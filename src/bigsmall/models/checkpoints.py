"""Reading weights from disk: what network they belong to, and whether every tensor is there.

Three forms are read:

* a folder with `model.safetensors` and `config.json`, as `save_pretrained` writes it;
* a `.safetensors` file: it carries its configuration; a `config.json` beside it goes first;
* a checkpoint of the paper's own code (`.pth`, `.pt`): a plain mapping of names to tensors, saved
  on any device, with or without the `module.` in front that data-parallel training leaves. It is
  unpickled with `weights_only=True`, so nothing in it can run.

Without a configuration the network is told from names and shapes. What leaves no trace in the
tensors (frames a clip, temporal shift) takes the values of the paper.
"""

from __future__ import annotations

import json
import pickle
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from bigsmall.exceptions import CheckpointError

WEIGHTS_NAME = "model.safetensors"
CONFIG_NAME = "config.json"
TASK_WORDS = {"bvp": ("heart", "bvp", "ppg", "pulse"), "resp": ("resp", "breath")}


@dataclass(frozen=True)
class Checkpoint:
    """Weights and what they are of.

    Attributes:
        source: where they came from, for messages.
        network: class name of the network.
        config: its arguments.
        tensors: its state, by name, float32 on the CPU.
    """

    source: str
    network: str
    config: dict[str, Any]
    tensors: dict[str, Tensor] = field(repr=False)

    def check_tensors(self, expected: dict[str, Tensor]) -> None:
        """Raise `CheckpointError` unless names and shapes are exactly those of `expected`."""
        faults = [f"{name} is missing" for name in expected if name not in self.tensors]
        for name, tensor in self.tensors.items():
            if name not in expected:
                faults.append(f"{name} is not in the network")
            elif tensor.shape != expected[name].shape:
                got, want = tuple(tensor.shape), tuple(expected[name].shape)
                faults.append(f"{name} has shape {got}, expected {want}")
        if faults:
            more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise CheckpointError(
                f"{self.source} does not fit {self.network}: {'; '.join(faults[:3])}{more}"
            )


def read_checkpoint(path: str | Path, *, task: str | None = None) -> Checkpoint:
    """Read a folder, a `.safetensors` file or a published `.pth`; see the module's notes.

    Args:
        path: what to read.
        task: for a single-task file without `config.json`: `"au"`, `"bvp"` or `"resp"`.

    Raises:
        CheckpointError: if it is missing, damaged, or holds no network known here.
    """
    path = Path(path)
    weights = path / WEIGHTS_NAME if path.is_dir() else path
    if not weights.is_file():
        raise CheckpointError(
            f"no weights at {weights}; expected a folder with {WEIGHTS_NAME}, a .safetensors file "
            "or a published .pth"
        )
    if weights.suffix == ".safetensors":
        tensors, inside = _read_safetensors(weights)
        described = _read_config(weights.with_name(CONFIG_NAME), inside)
    else:
        tensors, described = _read_pickle(weights), None
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{weights}: {name} holds NaN or infinite values; it is damaged")
    if described is not None:
        network, config = described
    else:
        network, config = _recognise(tensors, weights, task)
    return Checkpoint(str(path), network, config, tensors)


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], str | None]:
    """Tensors, and the configuration that the file itself carries."""
    try:
        with safe_open(path, framework="pt") as file:
            inside = (file.metadata() or {}).get(CONFIG_NAME)
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is no readable safetensors file: {error}") from error
    return {name: tensor.float() for name, tensor in tensors.items()}, inside


def _read_config(path: Path, inside: str | None) -> tuple[str, dict[str, Any]] | None:
    """Network and arguments from the file beside the weights, else from `inside` them."""
    if not path.is_file() and inside is None:
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8") if path.is_file() else str(inside))
        network = config.pop("network")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(
            f"{path} does not say which network it is: {error!r}; expected JSON with 'network'"
        ) from error
    return str(network), config


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        with warnings.catch_warnings():
            # Of a foreign file PyTorch warns before it refuses it.
            warnings.simplefilter("ignore", UserWarning)
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than tensors, or is no PyTorch file; it was not loaded, since "
            "unpickling it could run its code. Expected a plain mapping of names to tensors"
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is no readable PyTorch file: {reason}") from error
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise CheckpointError(f"{path} is no mapping of names to tensors: {type(state).__name__}")
    return {name.removeprefix("module."): tensor.float() for name, tensor in state.items()}


def _recognise(
    tensors: dict[str, Tensor], path: Path, task: str | None
) -> tuple[str, dict[str, Any]]:
    """Tell network and arguments from names and shapes."""
    big, small = "big_conv1.weight" in tensors, "small_conv1.weight" in tensors
    heads = [head for head in ("au", "bvp", "resp") if f"{head}_fc2.weight" in tensors]
    single = "out_fc2.weight" in tensors
    if big and small and heads:
        _refuse_other_fusions(tensors, path)
        return "BigSmall", {"tasks": {head: _outputs(tensors, head) for head in heads}}
    if big and single:
        return "BigBranch", {"tasks": {task or "au": _outputs(tensors, "out")}}
    if small and single:
        return "SmallBranch", {"tasks": {task or _task_from_name(path): _outputs(tensors, "out")}}
    raise CheckpointError(
        f"{path} holds no network known here: its first tensors are {sorted(tensors)[:3]}; "
        "expected names such as big_conv1.weight or small_conv1.weight"
    )


def _refuse_other_fusions(tensors: dict[str, Tensor], path: Path) -> None:
    """Concatenating, lateral and grey-scale variants share names with the default network."""
    usual = {"big_conv1": 3, "big_conv3": 32, "small_conv3": 32, "au_fc1": 5184}
    odd = [
        f"{name} reads {tensors[f'{name}.weight'].shape[1]} channels, not {width}"
        for name, width in usual.items()
        if f"{name}.weight" in tensors and tensors[f"{name}.weight"].shape[1:2] != (width,)
    ]
    if odd:
        raise CheckpointError(
            f"{path} is a BigSmall of another fusion or size: {odd[0]}; only the sum of Big and "
            "Small at the paper's sizes is read without a config.json"
        )


def _outputs(tensors: dict[str, Tensor], head: str) -> int:
    return int(tensors[f"{head}_fc2.weight"].shape[0])


def _task_from_name(path: Path) -> str:
    name = path.name.lower()
    found = [task for task, words in TASK_WORDS.items() if any(word in name for word in words)]
    if len(found) != 1:
        raise CheckpointError(
            f"{path} is a Small branch, but neither it nor its name says for which task; say "
            "SmallBranch.from_pretrained(path, task='bvp') or task='resp'"
        )
    return found[0]
