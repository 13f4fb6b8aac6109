"""Real images by name; and what is said when that cannot be."""

import time
from pathlib import Path

import pytest
import torch

import featlab as fl
from featlab import data
from featlab.engine import files

# inside the package


def test_the_embedded_images_are_whole_and_balanced():
    train, test = fl.load("fashion-mnist")
    for part, count in ((train, 1000), (test, 200)):
        assert part.images.shape == (10 * count, 1, 28, 28) and part.images.dtype == torch.uint8
        assert torch.bincount(part.labels).tolist() == [count] * 10
        assert len(part.classes) == 10 and part.device == train.device
    assert 60 < train.pixels.mean() * 255 < 85  # Fashion-MNIST: 73
    assert len({image.numpy().tobytes() for image in train.images}) > 9990


def test_any_prefix_of_the_embedded_images_is_nearly_balanced():
    train, _ = fl.load()
    for n in (1000, 3000):
        assert (torch.bincount(train.labels[:n]) / n - 0.1).abs().max() < 0.03


def test_the_classes_have_the_right_names():
    """Trousers are narrow, sandals are sparse, pullovers are full:
    the mean brightness of the classes orders as it must.
    """
    train, _ = fl.load()
    mean = {name: train[train.labels == c].pixels.mean().item() for c, name in enumerate(train.classes)}
    assert mean["sandal"] == min(mean.values())
    assert max(mean, key=mean.get) in ("coat", "pullover") and mean["trouser"] < mean["dress"] < mean["coat"]


def test_the_licence_and_the_source_lie_beside_the_images():
    readme = Path(data.__file__).parents[1].joinpath("embedded").joinpath("README.md").read_text()
    for word in (
        "MIT",
        "copyright 2017 Zalando SE",
        "Permission is hereby granted",
        "github.com/zalandoresearch/fashion-mnist",
    ):
        assert word in readme


def test_an_unknown_name_is_refused_with_the_known():
    with pytest.raises(
        ValueError,
        match=r"unknown dataset 'mnist'.*fashion-mnist, fashion-mnist-full, cifar10, or the path of a folder",
    ):
        fl.load("mnist")


@pytest.mark.parametrize("name", [None, 3, "", b"cifar10", ["cifar10"]])
def test_what_is_no_name_is_refused_and_no_folder_is_read_instead(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="names no dataset: choose one of fashion-mnist"):
        fl.load(name)


def test_a_name_may_be_a_path_object():
    assert torch.equal(fl.load(Path("fashion-mnist"))[1].images, fl.load("fashion-mnist")[1].images)


@pytest.mark.parametrize("name", ["~nobody-here/pets", "no/such/folder", "a\0b"])
def test_a_folder_that_is_not_there_is_an_unknown_dataset(name):
    with pytest.raises(ValueError, match=r"unknown dataset .*or the path of a folder"):
        fl.load(name)


def test_a_file_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK")
    with pytest.raises(ValueError, match="is a file: unpack it"):
        fl.load(tmp_path / "pets.zip")


@pytest.mark.parametrize("size", [0, -1, 1.5, "32", True, (32,), (32, 0), (32, 28, 3), (True, 2), "28x40"])
def test_a_size_that_is_none_is_refused(size, tmp_path):
    with pytest.raises(ValueError, match="size must be a whole number of pixels"):
        fl.load(tmp_path, size=size)


def test_a_size_for_a_dataset_that_has_one_is_refused_and_not_passed_over():
    with pytest.raises(ValueError, match="size= is for a folder"):
        fl.load("fashion-mnist", size=14)


def test_sixty_thousand_images_load_in_well_under_a_second():
    """Full Fashion-MNIST in size."""
    splits = {
        f"{s}_images": torch.zeros(n, 1, 28, 28, dtype=torch.uint8)
        for s, n in (("train", 60_000), ("test", 10_000))
    }
    splits |= {
        f"{s}_labels": torch.zeros(n, dtype=torch.uint8) for s, n in (("train", 60_000), ("test", 10_000))
    }
    files.write_tensors(
        files.cache_folder() / "data" / "fashion-mnist-full.safetensors", splits, "fashion-mnist-full"
    )
    begun = time.process_time()
    train, _ = fl.load("fashion-mnist-full", device="cpu")
    assert time.process_time() - begun < 0.7 and len(train) == 60_000
