"""Make the weights that come with the package: BigSmall trained on rendered people alone.

    python examples/default_weights/train.py runs/default

Four steps, whose results lie in the working folder; `--step` runs one alone, and rendering goes on
where a killed run was:

1. *render*: windows of 300 frames for pulse and respiration, encoded with H.264 and decoded again,
   stored as unscaled 9 x 9 differences; single pictures of other people for action units.
2. *small*: the Small branch with the pulse and respiration heads learns from the windows. The
   loss is one minus the correlation of the integrated output with the truth inside the band of
   the task. A breathing movement does not say which way is in, so respiration may come out with
   either sign, at a small price.
3. *big*: the Big branch with the action unit head learns from the pictures, by binary cross
   entropy weighted by unit.
4. *assemble*: both become one BigSmall. Of the 64 channels in which the two maps are added, 48
   belong to Small and 16 to Big, and no head reads the other's: appearance that rendered faces
   never had cannot disturb the pulse.

The same seed and command give the same data; training repeats up to the order of floating-point
sums in threads.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from render import EPSILON, PICTURES, render
from torch import Tensor, nn
from tqdm import tqdm

from bigsmall.models import BigSmall
from bigsmall.models.base import run_head

SMALL_CHANNELS = 48
EPS = 1e-5
HEART_BAND, RESP_BAND = (0.65, 4.0), (0.1, 0.8)


def band_loss(
    change: Tensor, truth: Tensor, fps: Tensor, band: tuple[float, float], signed: float
) -> Tensor:
    """One minus the correlation of two integrated waves inside a band, `(B, T)` to `(B,)`.

    Integrating divides a spectrum by its frequency, so nothing is summed up; by Parseval the
    correlation in the band is that of the spectra. `signed` is the share of the reward that
    needs the right sign.
    """
    taper = torch.hann_window(change.shape[1], periodic=False)
    frequency = torch.fft.rfftfreq(change.shape[1])[None] * fps[:, None]
    inside = (frequency >= band[0]) & (frequency <= band[1])
    weight = inside / frequency.clamp(min=1e-6)
    ours = torch.fft.rfft((change - change.mean(1, keepdim=True)) * taper) * weight
    theirs = torch.fft.rfft((truth - truth.mean(1, keepdim=True)) * taper) * weight
    product = (ours * theirs.conj()).real.sum(1)
    size = ours.abs().square().sum(1) * theirs.abs().square().sum(1)
    correlation = product / (size + 1e-12).sqrt()
    return 1 - signed * correlation - (1 - signed) * correlation.abs()


def small_outputs(model: BigSmall, small: Tensor) -> tuple[Tensor, Tensor]:
    """Pulse and respiration changes `(B, T)` of windows `(B, T, 3, 9, 9)`, without Big."""
    clips = small.reshape(-1, model.frames, *small.shape[2:])
    flat = (model.small_features(clips) * _is_small(model)).flatten(2)
    bvp = run_head(model, "bvp", flat).reshape(len(small), -1)
    resp = run_head(model, "resp", flat).reshape(len(small), -1)
    return bvp, resp


def train_small(folder: Path, windows: int, epochs: int, seed: int) -> None:
    """Train convolutions and heads of Small; writes `small.pt`."""
    files = [np.load(folder / f"window{index:05d}.npz") for index in range(windows)]
    data = {
        key: torch.from_numpy(np.stack([file[key] for file in files]))
        for key in ("small", "bvp", "resp", "fps", "pulse_seen", "breaths")
    }
    torch.manual_seed(seed)
    model = BigSmall(epsilon=EPSILON)
    held_out = max(1, windows // 20)
    order = torch.arange(windows)
    batch, steps = 8, math.ceil((windows - held_out) / 8)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=epochs * steps)
    started, generator = time.time(), torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        total = torch.zeros(2)
        picks = held_out + torch.randperm(windows - held_out, generator=generator)
        for pick in tqdm(picks.split(batch), desc=f"small {epoch + 1}/{epochs}", leave=False):
            loss = _small_loss(model, data, pick, generator)
            optimiser.zero_grad(set_to_none=True)
            loss.sum().backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.detach() / steps
        model.eval()
        with torch.no_grad():
            check = torch.stack(
                [_small_loss(model, data, p, None) for p in order[:held_out].split(batch)]
            ).mean(0)
        model.train()
        print(
            f"small epoch {epoch + 1}: pulse {total[0]:.3f} respiration {total[1]:.3f}; held out "
            f"{check[0]:.3f} {check[1]:.3f}; {time.time() - started:.0f} s",
            flush=True,
        )
        torch.save(model.state_dict(), folder / "small.pt")


def _small_loss(
    model: BigSmall, data: dict[str, Tensor], pick: Tensor, chance: torch.Generator | None
) -> Tensor:
    """Mean loss of pulse and of respiration over the windows where each can be seen."""
    small, fps = data["small"][pick].float(), data["fps"][pick].float()
    if chance is not None:
        if torch.rand((), generator=chance) < 0.5:
            small = small.flip(-1)
        scale = torch.exp(0.5 * torch.randn(len(pick), 1, 1, 1, 1, generator=chance))
        grain = torch.rand(len(pick), 1, 1, 1, 1, generator=chance) ** 3 * 0.05
        small = small * scale + grain * torch.randn(small.shape, generator=chance)
    with torch.autocast("cpu", torch.bfloat16, enabled=chance is not None):
        bvp, resp = small_outputs(model, small)
    pulse = band_loss(bvp.float(), data["bvp"][pick], fps, HEART_BAND, 1.0)
    breath = band_loss(resp.float(), data["resp"][pick], fps, RESP_BAND, 0.3)
    seen, slow = data["pulse_seen"][pick].float(), (data["breaths"][pick] > 1.2).float()
    return torch.stack(
        [
            (pulse * seen).sum() / seen.sum().clamp(min=1),
            (breath * slow).sum() / slow.sum().clamp(min=1),
        ]
    )


def au_logits(model: BigSmall, norms: nn.ModuleList, big: Tensor) -> Tensor:
    """Logits `(B, 12)` of pictures `(B, 3, H, W)`, without Small.

    A batch normalisation after each convolution makes training possible in minutes; `fold` takes
    them into the convolutions afterwards.
    """
    for block, pool in enumerate(model.pools):
        for layer in (2 * block, 2 * block + 1):
            big = norms[layer](getattr(model, f"big_conv{layer + 1}")(big)).relu()
        big = F.avg_pool2d(big, pool)
    return run_head(model, "au", (big * (1 - _is_small(model))).flatten(1))


@torch.no_grad()
def fold(model: BigSmall, norms: nn.ModuleList) -> dict[str, Tensor]:
    """Return the state of `model` with the normalisations taken into its Big convolutions."""
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for layer, norm in enumerate(norms, start=1):
        numbers = norm.state_dict()
        gain = numbers["weight"] / (numbers["running_var"] + EPS).sqrt()
        state[f"big_conv{layer}.weight"] *= gain[:, None, None, None]
        bias = state[f"big_conv{layer}.bias"]
        state[f"big_conv{layer}.bias"] = (bias - numbers["running_mean"]) * gain + numbers["bias"]
    return state


def _is_small(model: BigSmall) -> Tensor:
    """1 for the channels of the sum that belong to Small, `(channels, 1, 1)`."""
    return (torch.arange(model.small_filters[-1]) < SMALL_CHANNELS).float()[:, None, None]


def train_big(folder: Path, faces: int, epochs: int, seed: int) -> None:
    """Train convolutions and head of Big; writes `big.pt`."""
    files = [np.load(folder / f"pictures{index:05d}.npz") for index in range(faces)]
    pictures = torch.from_numpy(np.stack([file["pictures"] for file in files]))
    present = torch.from_numpy(np.stack([file["present"] for file in files])).float()
    mean = torch.tensor([p.float().mean() for p in pictures])
    std = torch.tensor([p.float().std(correction=0) for p in pictures]).clamp(min=1e-3)
    torch.manual_seed(seed)
    model = BigSmall(epsilon=EPSILON)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    norms = nn.ModuleList(nn.BatchNorm2d(width, EPS) for width in model.big_filters)
    held_out = max(1, faces // 20)
    share = present[held_out:].mean((0, 1)).clamp(0.01, 0.99)
    # The root: with the full ratio, a rare unit's few pictures drown the gradient of all others.
    weight = ((1 - share) / share).sqrt()
    pairs = torch.cartesian_prod(torch.arange(held_out, faces), torch.arange(PICTURES))
    batch, steps = 32, math.ceil(len(pairs) / 32)
    optimiser = torch.optim.AdamW([*model.parameters(), *norms.parameters()], weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=epochs * steps)
    started, generator = time.time(), torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        total = 0.0
        shuffled = pairs[torch.randperm(len(pairs), generator=generator)]
        for pick in tqdm(shuffled.split(batch), desc=f"big {epoch + 1}/{epochs}", leave=False):
            face, moment = pick.T
            big = _standardised(pictures[face, moment], mean[face], std[face])
            if torch.rand((), generator=generator) < 0.5:
                big = big.flip(-1)
            with torch.autocast("cpu", torch.bfloat16):
                logits = au_logits(model, norms, big.contiguous(memory_format=torch.channels_last))
            loss = F.binary_cross_entropy_with_logits(
                logits.float(), present[face, moment], pos_weight=weight
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() / steps
        score = _au_f1(model, norms, pictures, present, mean, std, held_out)
        print(
            f"big epoch {epoch + 1}: loss {total:.3f}; held-out faces F1 {score[0]:.3f}, "
            f"AUC {score[1]:.3f}; {time.time() - started:.0f} s",
            flush=True,
        )
        torch.save(fold(model, norms), folder / "big.pt")


def _standardised(pictures: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    return (pictures.float() - mean[:, None, None, None]) / std[:, None, None, None]


@torch.no_grad()
def _au_f1(
    model: BigSmall,
    norms: nn.ModuleList,
    pictures: Tensor,
    present: Tensor,
    mean: Tensor,
    std: Tensor,
    faces: int,
) -> tuple[float, float]:
    """F1 and area under the ROC curve over the first `faces` people, means over the units."""
    norms.eval()
    many = [torch.full((PICTURES,), i) for i in range(faces)]
    logits = torch.cat(
        [au_logits(model, norms, _standardised(pictures[i[0]], mean[i], std[i])) for i in many]
    )
    norms.train()
    truth = present[:faces].flatten(0, 1)
    hits = ((logits > 0) * truth).sum(0)
    f1 = 2 * hits / ((logits > 0).sum(0) + truth.sum(0)).clamp(min=1)
    ranks = logits.argsort(0).argsort(0).double() + 1
    positive, negative = truth.sum(0), (1 - truth).sum(0)
    wins = (ranks * truth).sum(0) - positive * (positive + 1) / 2
    auc = wins / (positive * negative).clamp(min=1)
    return f1.mean().item(), auc[(positive * negative) > 0].mean().item()


def assemble(folder: Path, out: Path) -> None:
    """Join the halves into one network and store it with half precision."""
    model = BigSmall(epsilon=EPSILON)
    state = model.state_dict()
    halves = torch.load(folder / "small.pt"), torch.load(folder / "big.pt")
    for name in state:
        state[name] = halves[name.startswith(("big_", "au_"))][name].clone()
    for name in ("big_conv6.weight", "big_conv6.bias"):
        state[name][:SMALL_CHANNELS] = 0
    for name in ("small_conv4.weight", "small_conv4.bias"):
        state[name][SMALL_CHANNELS:] = 0
    pixels = model.small_size[0] * model.small_size[1]
    state["au_fc1.weight"][:, : SMALL_CHANNELS * pixels] = 0
    for name in ("bvp_fc1.weight", "resp_fc1.weight"):
        state[name][:, SMALL_CHANNELS * pixels :] = 0
    model.load_state_dict(state)
    model.half().save_pretrained(out)


def main() -> None:
    """Run the steps that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="working folder")
    parser.add_argument("--out", type=Path, help="where the weights go (default: FOLDER/weights)")
    parser.add_argument("--step", choices=["render", "small", "big", "assemble"])
    parser.add_argument("--windows", type=int, default=1200)
    parser.add_argument("--faces", type=int, default=1200)
    parser.add_argument("--small-epochs", type=int, default=18)
    parser.add_argument("--big-epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    steps = [args.step] if args.step else ["render", "small", "big", "assemble"]
    if "render" in steps:
        render(args.folder, args.windows, args.faces, args.seed, args.workers)
    if "small" in steps:
        train_small(args.folder, args.windows, args.small_epochs, args.seed)
    if "big" in steps:
        train_big(args.folder, args.faces, args.big_epochs, args.seed)
    if "assemble" in steps:
        assemble(args.folder, args.out or args.folder / "weights")


if __name__ == "__main__":
    main()
