"""Saving and loading: nothing is lost, nothing foreign gets in, nothing in a file is run."""

from __future__ import annotations

import json
import os
import pickle

import pytest
import torch
from golden import fill, tensor
from safetensors.torch import load_file, save_file

from bigsmall import BigBranch, BigSmall, SmallBranch, load_model
from bigsmall.exceptions import CheckpointError, OutputError, UnknownModelError

SIZES = {"big_size": 16, "small_size": 1, "hidden": 4}
NETWORKS = [
    BigSmall(**SIZES, shift="tsm", frames=4, big_frames=2, epsilon=2.0),
    BigBranch(big_size=16, hidden=4, tasks={"au": 8}),
    SmallBranch(small_size=2, hidden=4, tasks={"resp": 1}, shift="wtsm"),
]


@pytest.fixture
def saved(tmp_path):
    """A folder with a small BigSmall in it."""
    BigSmall(**SIZES).save_pretrained(tmp_path)
    return tmp_path


def edit(folder, change):
    """Change the tensors of a saved network in place."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)
def test_a_saved_network_comes_back_the_same(network, tmp_path):
    network.save_pretrained(tmp_path / "new" / "folder")
    for path in (tmp_path / "new" / "folder", tmp_path / "new" / "folder" / "model.safetensors"):
        for back in (type(network).from_pretrained(path), load_model(path)):
            assert type(back) is type(network)
            assert back.config == json.loads(json.dumps(network.config), object_hook=None) or (
                back.config == network.config
            )
            assert not back.training
            for name, tensor_ in network.state_dict().items():
                torch.testing.assert_close(back.state_dict()[name], tensor_, rtol=0, atol=0)


def test_a_file_without_its_config_still_knows_its_arguments(saved):
    BigSmall(**SIZES, shift=None, epsilon=16.0).save_pretrained(saved)
    (saved / "config.json").unlink()
    back = load_model(saved / "model.safetensors")
    assert (back.shift, back.epsilon) == (None, 16.0)


def test_half_precision_files_are_computed_in_single_precision(tmp_path):
    BigSmall(**SIZES).half().save_pretrained(tmp_path)
    assert load_file(tmp_path / "model.safetensors")["au_fc2.bias"].dtype == torch.float16
    assert load_model(tmp_path).au_fc2.bias.dtype == torch.float32


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_published_checkpoint_is_recognised_with_and_without_prefix(prefix, tmp_path):
    for network, name in (
        (fill(BigSmall()), "BP4D_BigSmall.pth"),
        (fill(BigBranch()), "BP4D_Big_AU.pth"),
        (fill(SmallBranch(tasks={"resp": 1})), "BP4D_Small_Resp.pth"),
    ):
        state = {prefix + key: value.float() for key, value in network.state_dict().items()}
        torch.save(state, tmp_path / name)
        back = load_model(tmp_path / name)
        assert type(back) is type(network)
        assert back.config == network.config
        for key, value in network.state_dict().items():
            torch.testing.assert_close(back.state_dict()[key], value.float())


def test_only_one_prefix_is_taken_off(tmp_path):
    state = {f"module.module.{key}": value for key, value in SmallBranch().state_dict().items()}
    torch.save(state, tmp_path / "heart.pth")
    with pytest.raises(CheckpointError, match="no network known here"):
        load_model(tmp_path / "heart.pth")


def test_the_task_of_a_single_task_file_is_asked_for_when_its_name_does_not_say(tmp_path):
    path = tmp_path / "fold1.pth"
    torch.save(SmallBranch().state_dict(), path)
    with pytest.raises(CheckpointError, match="for which task"):
        SmallBranch.from_pretrained(path)
    assert SmallBranch.from_pretrained(path, task="resp").tasks == {"resp": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("au_fc1.bias"), "au_fc1.bias is missing"),
        (lambda t: t.update(extra=torch.zeros(1)), "extra is not in the network"),
        (lambda t: t.update({"au_fc2.bias": torch.zeros(7)}), r"shape \(7,\), expected \(12,\)"),
        (lambda t: t["bvp_fc2.bias"].fill_(float("nan")), "bvp_fc2.bias holds NaN"),
    ],
)
def test_tensors_must_be_exactly_those_of_the_network(saved, change, message):
    edit(saved, change)
    with pytest.raises(CheckpointError, match=message):
        BigSmall.from_pretrained(saved)


def test_another_class_is_refused_and_named(saved):
    with pytest.raises(CheckpointError, match="holds a BigSmall, not a BigBranch"):
        BigBranch.from_pretrained(saved)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("was-run",)


@pytest.mark.parametrize("container", ["torch", "pickle"])
def test_a_malicious_pickle_is_refused_and_not_run(container, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pth"
    if container == "torch":
        torch.save({"big_conv1.weight": Evil()}, path)
    else:
        path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CheckpointError, match="not loaded"):
        load_model(path)
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pth", b""),
        ("a.pth", b"not a checkpoint at all"),
        ("a.safetensors", b""),
        ("a.safetensors", b"not a checkpoint at all"),
    ],
)
def test_a_damaged_file_gives_one_line(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        load_model(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused(saved):
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="no readable safetensors"):
        load_model(saved)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"network": "BigSmall", "colour": 3}',
        '{"network": "BigSmall", "pools": [0, 2, 2]}',
        '{"network": "BigSmall", "hidden": -1}',
    ],
)
def test_a_damaged_config_is_refused(saved, text):
    (saved / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        BigSmall.from_pretrained(saved)


def test_things_that_are_no_mapping_of_tensors_are_refused(tmp_path):
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="no mapping of names to tensors"):
        load_model(tmp_path / "list.pth")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "foreign.pth")
    with pytest.raises(CheckpointError, match="no network known here"):
        load_model(tmp_path / "foreign.pth")


def test_other_fusions_are_named(tmp_path):
    state = BigSmall().state_dict()
    state["au_fc1.weight"] = torch.zeros(128, 10368)
    torch.save(state, tmp_path / "concat.pth")
    with pytest.raises(CheckpointError, match="another fusion"):
        load_model(tmp_path / "concat.pth")


def test_missing_files_and_unknown_names_say_what_there_is(tmp_path):
    with pytest.raises(CheckpointError, match="no weights at"):
        BigSmall.from_pretrained(tmp_path / "nothing.safetensors")
    with pytest.raises(UnknownModelError, match="did you mean 'bigsmall-synthetic'"):
        load_model("bigsmal-synthetic")


def test_a_failed_save_leaves_what_was_there(saved, monkeypatch):
    before = (saved / "model.safetensors").read_bytes()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bigsmall.models.base.save_file", fail)
    with pytest.raises((OutputError, OSError)):
        BigSmall(**SIZES).save_pretrained(saved)
    assert (saved / "model.safetensors").read_bytes() == before
    assert sorted(p.name for p in saved.iterdir()) == ["config.json", "model.safetensors"]


PUBLISHED = {
    "Big_AU_Clip3_Split1": [
        -4.0681, -3.6070, -5.1759, -2.7853, -1.9883, -2.3893,
        -1.8823, -3.4634, -2.5899, -2.3126, -2.1941, -5.2783,
    ],
    "Big_AU_Clip3_Split2": [
        -0.5596, -2.9884, -7.0742, -3.4883, -3.5181, -1.4426,
        0.0018, -2.7654, -8.2144, -7.6665, -7.4459, -2.1727,
    ],
    "Big_AU_Clip3_Split3": [
        -0.6721, -0.7320, -1.2527, -0.5831, -0.4083, -0.0436,
        -0.4156, -0.9931, -0.4062, -1.1698, -0.9959, -1.7939,
    ],
    "Small_Heart_Clip3_Split1": [0.193593, -1.142753, -0.302924],
    "Small_Heart_Clip3_Split2": [-0.310586, -1.341734, -0.614475],
    "Small_Heart_Clip3_Split3": [0.152167, -0.960279, -0.908612],
    "Small_Resp_Clip3_Split1": [-0.308208, 0.082987, -0.170552],
    "Small_Resp_Clip3_Split2": [-0.558714, -0.280306, -0.126936],
    "Small_Resp_Clip3_Split3": [-0.554428, -0.500774, 0.037512],
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_checkpoints_give_the_values_of_the_original(name, shared):
    model = load_model(shared / "reference" / "checkpoints" / f"BP4D_{name}_Epoch4.pth")
    with torch.no_grad():
        if "Big" in name:
            values = model(tensor(101, 2, 3, 3, 144, 144).float()).au[0, 0]
        else:
            out = model(tensor(102, 2, 3, 3, 9, 9).float())
            values = (out.bvp if "Heart" in name else out.resp)[0]
    assert values.tolist() == pytest.approx(PUBLISHED[name], abs=1e-4)
