"""Deterministic noise and weights on which the golden values of the original code were taken."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def noise(n: int, k: int) -> np.ndarray:
    """Values in [-1, 1] from a formula that any language can repeat."""
    v = np.sin(12.9898 * np.arange(1, n + 1) + 78.233 * k) * 43758.5453
    return 2 * (v - np.floor(v)) - 1


def tensor(k: int, *shape: int) -> Tensor:
    return torch.from_numpy(noise(int(np.prod(shape)), k)).reshape(shape)


def fill(module: nn.Module) -> nn.Module:
    """Give parameter number k the k-th noise, scaled by its fan-in; evaluation mode, float64."""
    module = module.double().eval()
    with torch.no_grad():
        for k, parameter in enumerate(module.parameters()):
            scale = 0.05 if parameter.ndim == 1 else (6 / parameter[0].numel()) ** 0.5
            parameter.copy_(tensor(k, *parameter.shape) * scale)
    return module
