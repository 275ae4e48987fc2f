"""Networks by name: the card, the weights in the package, and what a wrong name is told."""

from __future__ import annotations

import json
import os

import pytest
import torch
from safetensors.torch import load_file

import bigsmall
from bigsmall import BigSmall, load_model
from bigsmall.exceptions import UnknownModelError
from bigsmall.unsupervised import METHODS
from bigsmall.zoo import CARDS, DEFAULT


@pytest.mark.parametrize("name", CARDS)
def test_the_weights_in_the_package_are_whole(name):
    card = CARDS[name]
    assert card.name == name
    assert card.summary
    assert "\n" not in card.summary + card.au_note
    tensors = load_file(card.folder / "model.safetensors")
    network = load_model(name)
    assert not network.training
    assert json.loads((card.folder / "config.json").read_text())["network"] == "BigSmall"
    for key, value in network.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, tensors[key].float(), rtol=0, atol=0)


def test_the_default_measures_everything():
    network = load_model(DEFAULT)
    assert isinstance(network, BigSmall)
    assert set(network.tasks) == {"au", "bvp", "resp"}
    assert CARDS[DEFAULT].au_note  # it was not checked on people, and says so


def test_the_default_is_found_from_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert isinstance(load_model(DEFAULT), BigSmall)
    # A name of the package is not overridden by what lies around.
    os.mkdir(DEFAULT)
    assert isinstance(load_model(DEFAULT), BigSmall)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("bigsmal-synthetic", "did you mean 'bigsmall-synthetic'"),
        ("grene", "did you mean 'green'"),
        ("zzz", "expected bigsmall-synthetic, pos, chrom, green or a file"),
        ("", "no weights at|no model"),
    ],
)
def test_a_wrong_name_is_told_the_right_ones(name, match):
    with pytest.raises(bigsmall.BigSmallError, match=match):
        load_model(name)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_no_network(name):
    with pytest.raises(UnknownModelError, match=f"bigsmall.unsupervised.{name}"):
        load_model(name)


def test_a_network_that_is_not_known_here(tmp_path):
    BigSmall(big_size=16, small_size=1, hidden=4).save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"BigSmall"', '"BigSmal"'))
    with pytest.raises(UnknownModelError, match="of a network 'BigSmal'; known is 'BigSmall'"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"frames": 0}, {"pools": [2]}, {"tasks": {"au": "12"}}, {"shift": 3}, {"colour": 1}],
    ids=str,
)
def test_a_config_that_makes_no_sense_gives_one_line(change, tmp_path):
    BigSmall(big_size=16, small_size=1, hidden=4).save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **change}))
    with pytest.raises(bigsmall.BigSmallError) as caught:
        load_model(tmp_path)
    assert "\n" not in str(caught.value)
