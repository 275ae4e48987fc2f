"""Networks by name: which there are, and how to get one.

The weights named here are data: a frozen `ModelCard` says what they are, the folder of the same
name beside this file holds them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from bigsmall.exceptions import UnknownModelError
from bigsmall.models import BigBranch, BigSmall, Network, SmallBranch, read_checkpoint
from bigsmall.unsupervised import METHODS

__all__ = ["CARDS", "DEFAULT", "ModelCard", "load_model"]

NETWORKS: dict[str, type[Network]] = {
    network.__name__: network for network in (BigSmall, BigBranch, SmallBranch)
}


@dataclass(frozen=True)
class ModelCard:
    """What a set of weights is.

    Attributes:
        name: what `load_model` and `measure` take.
        summary: one line.
        au_note: what to say beside action units from these weights, or empty.
    """

    name: str
    summary: str
    au_note: str = ""

    @property
    def folder(self) -> Path:
        """Where the weights lie in the package."""
        return Path(__file__).parent / "weights" / self.name


DEFAULT = "bigsmall-synthetic"

CARDS = {
    card.name: card
    for card in (
        ModelCard(
            name=DEFAULT,
            summary="BigSmall trained on rendered people alone; the default",
            au_note="learnt from rendered faces and not checked on people",
        ),
    )
}


def load_model(model: str | Path) -> Network:
    """Load a network by name or from disk, whatever its class.

    Args:
        model: a name of `CARDS`, a folder, a `.safetensors` file or a published `.pth`.

    Returns:
        The network in evaluation mode, on the CPU.

    Raises:
        UnknownModelError: if there is no such name.
        CheckpointError: if the weights are missing, damaged or foreign.

    Example:
        >>> type(load_model("bigsmall-synthetic")).__name__
        'BigSmall'
    """
    if str(model) in METHODS and not Path(model).exists():
        raise UnknownModelError(
            f"{str(model)!r} is a method without weights; use bigsmall.measure(..., "
            f"model={str(model)!r}) or bigsmall.unsupervised.{model}"
        )
    path = CARDS[str(model)].folder if str(model) in CARDS else Path(model)
    if not path.exists() and not path.suffix and len(path.parts) == 1:
        known = [*CARDS, *METHODS]
        near = difflib.get_close_matches(str(model), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(known)} or a file"
        raise UnknownModelError(f"there is no model {str(model)!r}; {hint}")
    checkpoint = read_checkpoint(path)
    if checkpoint.network not in NETWORKS:
        near = difflib.get_close_matches(checkpoint.network, NETWORKS, n=1) or list(NETWORKS)
        raise UnknownModelError(
            f"{checkpoint.source} is of a network {checkpoint.network!r}; known is {near[0]!r}"
        )
    return NETWORKS[checkpoint.network].from_checkpoint(checkpoint)
