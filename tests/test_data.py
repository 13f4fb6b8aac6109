"""Real images by name, from the network once, from a folder; and what is said when that cannot be."""

import gzip
import hashlib
import http.server
import io
import pickle
import re
import shutil
import struct
import tarfile
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

import featlab as fl
from featlab import data, files

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
    """Trousers are narrow, sandals are sparse, pullovers are full: the mean brightness of the classes orders as it must."""
    train, _ = fl.load()
    mean = {name: train[train.labels == c].pixels.mean().item() for c, name in enumerate(train.classes)}
    assert mean["sandal"] == min(mean.values())
    assert max(mean, key=mean.get) in ("coat", "pullover") and mean["trouser"] < mean["dress"] < mean["coat"]


def test_the_licence_and_the_source_lie_beside_the_images():
    readme = Path(data.__file__).with_name("embedded").joinpath("README.md").read_text()
    for word in ("MIT", "copyright 2017 Zalando SE", "Permission is hereby granted", "github.com/zalandoresearch/fashion-mnist"):
        assert word in readme


def test_an_unknown_name_is_refused_with_the_known():
    with pytest.raises(ValueError, match=r"unknown dataset 'mnist'.*fashion-mnist, fashion-mnist-full, cifar10, or the path of a folder"):
        fl.load("mnist")


# from the network, played by a server of this machine

TRAIN, TEST = 12, 6


def idx(array: np.ndarray) -> bytes:
    """The format of MNIST's files."""
    return gzip.compress(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


def fashion(folder: Path) -> dict[str, np.ndarray]:
    """The four files of Fashion-MNIST, small; returns what they hold."""
    draw, held = np.random.default_rng(0), {}
    for split, prefix, n in (("train", "train", TRAIN), ("test", "t10k", TEST)):
        held[f"{split}_images"] = draw.integers(0, 256, (n, 1, 28, 28), dtype=np.uint8)
        held[f"{split}_labels"] = draw.integers(0, 10, n, dtype=np.uint8)
        (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx(held[f"{split}_images"][:, 0]))
        (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(held[f"{split}_labels"]))
    return held


def cifar(folder: Path) -> dict[str, np.ndarray]:
    """CIFAR-10's archive, small: images as rows of 3072 bytes, red then green then blue."""
    draw, held = np.random.default_rng(1), {}
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:

        def add(name, content):
            raw = pickle.dumps(content)
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(raw)
            archive.addfile(entry, io.BytesIO(raw))

        for split, name, n in (("train", "data_batch_1", TRAIN), ("test", "test_batch", TEST)):
            held[f"{split}_images"] = draw.integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)
            held[f"{split}_labels"] = draw.integers(0, 10, n, dtype=np.uint8)
            add(name, {"data": held[f"{split}_images"].reshape(n, -1), "labels": held[f"{split}_labels"].tolist()})
        add("batches.meta", {"label_names": list(data.CIFAR)})
    return held


def md5(raw: bytes) -> str:
    return hashlib.md5(raw).hexdigest()


DOWNLOADS = {"fashion-mnist-full": fashion, "cifar10": cifar}


class Web:
    """A server of this machine that holds the archives, and torchvision made to take them for the originals."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch):
        folder.mkdir()
        self.folder, self.asked = folder, []
        self.held = {name: make(folder) for name, make in DOWNLOADS.items()}
        asked = self.asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.pretend(patch, f"http://127.0.0.1:{self.server.server_port}/")

    def pretend(self, patch: pytest.MonkeyPatch, url: str) -> None:
        archives = {path.name: md5(path.read_bytes()) for path in self.folder.iterdir()}
        patch.setenv("no_proxy", "127.0.0.1")
        patch.setattr(datasets.FashionMNIST, "mirrors", [url])
        patch.setattr(datasets.FashionMNIST, "resources", [(name, sum_) for name, sum_ in archives.items() if name.endswith("ubyte.gz")])
        patch.setattr(datasets.CIFAR10, "url", url + "cifar-10-python.tar.gz")
        patch.setattr(datasets.CIFAR10, "tgz_md5", archives["cifar-10-python.tar.gz"])
        with tarfile.open(self.folder / "cifar-10-python.tar.gz") as archive:
            sums = {Path(entry.name).name: md5(archive.extractfile(entry).read()) for entry in archive}
        patch.setattr(datasets.CIFAR10, "train_list", [["data_batch_1", sums["data_batch_1"]]])
        patch.setattr(datasets.CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
        patch.setattr(datasets.CIFAR10, "meta", {**datasets.CIFAR10.meta, "md5": sums["batches.meta"]})

    def off(self) -> None:
        """From now on nobody answers."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def web(tmp_path, monkeypatch):
    web = Web(tmp_path / "web", monkeypatch)
    yield web
    web.off()


def holds(name: str, held: dict[str, np.ndarray]) -> None:
    for split, part in zip(("train", "test"), fl.load(name), strict=True):
        assert np.array_equal(part.images.cpu().numpy(), held[f"{split}_images"])
        assert np.array_equal(part.labels.cpu().numpy(), held[f"{split}_labels"])
        assert len(part.classes) == 10


@pytest.mark.parametrize("name", DOWNLOADS)
def test_a_dataset_is_downloaded_once_and_then_read_from_one_file(name, web):
    holds(name, web.held[name])
    asked = len(web.asked)
    assert len(set(web.asked)) == (4 if name == "fashion-mnist-full" else 1)
    shutil.rmtree(files.cache_folder() / "downloads")
    web.off()
    holds(name, web.held[name])
    assert len(web.asked) == asked


@pytest.mark.parametrize("name", DOWNLOADS)
def test_a_spoilt_tensor_file_is_said_and_made_again(name, web):
    fl.load(name)
    kept = files.cache_folder() / "data" / f"{name}.safetensors"
    kept.write_bytes(kept.read_bytes()[:-7])
    with pytest.warns(UserWarning, match="made again"):
        holds(name, web.held[name])
    holds(name, web.held[name])


@pytest.mark.parametrize("name", DOWNLOADS)
def test_without_a_network_the_message_says_where_to_put_which_file(name, web):
    web.off()
    with pytest.raises(ConnectionError, match="could not be downloaded") as caught:
        fl.load(name)
    message = str(caught.value)
    assert data.DOWNLOADS[name][3] in message and 'load("fashion-mnist")' in message
    named = [Path(path) for path in re.findall(r"^  (/.*)$", message, re.MULTILINE)]
    assert sorted(path.name for path in named) == sorted(p.name for p in web.folder.iterdir() if ("cifar" in p.name) == ("cifar" in name))
    for path in named:  # do as it says
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(web.folder / path.name, path)
    holds(name, web.held[name])


UNPACKED = [("fashion-mnist-full", "FashionMNIST/raw/train-images-idx3-ubyte"), ("cifar10", "cifar-10-batches-py/test_batch")]


@pytest.mark.parametrize("name, part", UNPACKED)
def test_an_unpacking_that_was_cut_short_is_done_again(name, part, web):
    fl.load(name)
    (files.cache_folder() / "data" / f"{name}.safetensors").unlink()
    unpacked = files.cache_folder() / "downloads" / part
    unpacked.write_bytes(unpacked.read_bytes()[:1000])
    holds(name, web.held[name])


def test_a_file_put_there_that_is_not_the_right_one_is_no_dataset(web):
    web.off()
    path = files.cache_folder() / "downloads" / "cifar-10-python.tar.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(ConnectionError, match=r"cifar-10-python.tar.gz"):
        fl.load("cifar10")


def test_sixty_thousand_images_load_in_well_under_a_second():
    """Full Fashion-MNIST in size."""
    splits = {f"{s}_images": torch.zeros(n, 1, 28, 28, dtype=torch.uint8) for s, n in (("train", 60_000), ("test", 10_000))}
    splits |= {f"{s}_labels": torch.zeros(n, dtype=torch.uint8) for s, n in (("train", 60_000), ("test", 10_000))}
    files.write_tensors(files.cache_folder() / "data" / "fashion-mnist-full.safetensors", splits, "fashion-mnist-full")
    begun = time.process_time()
    train, _ = fl.load("fashion-mnist-full", device="cpu")
    assert time.process_time() - begun < 0.7 and len(train) == 60_000


# from a folder


def save(path: Path, colour, size=(8, 8), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


def test_a_folder_with_train_and_test(tmp_path):
    for split, n in (("train", 3), ("test", 2)):
        for c, name in enumerate(("ant", "bee")):
            for i in range(n):
                save(tmp_path / split / name / f"{i}.png", (10 * i, 100 * c, 255))
    train, test = fl.load(tmp_path)
    assert (len(train), len(test)) == (6, 4) and train.classes == test.classes == ("ant", "bee")
    assert train.labels.tolist() == [0, 0, 0, 1, 1, 1] and train.images.dtype == torch.uint8
    assert train.images[:, :, 0, 0].tolist() == [[10 * i, 100 * c, 255] for c in (0, 1) for i in (0, 1, 2)]


def test_a_folder_without_a_test_folder_keeps_every_sixth_image_for_testing(tmp_path):
    for name in ("ant", "bee"):
        for i in range(12):
            save(tmp_path / name / f"{i:02d}.png", i, mode="L")
    train, test = fl.load(str(tmp_path))
    assert (len(train), len(test)) == (20, 4)
    assert test.images[:, 0, 0, 0].tolist() == [5, 11, 5, 11] and torch.bincount(test.labels).tolist() == [2, 2]
    assert not set(train.images[:, 0, 0, 0].tolist()) & {5, 11} and train.images.shape[1] == 1


def test_grey_and_colour_images_together_are_colour(tmp_path):
    save(tmp_path / "train" / "ant" / "grey.png", 7, mode="L")
    save(tmp_path / "train" / "bee" / "grey.png", 9, mode="L")
    for name in ("ant", "bee"):
        save(tmp_path / "test" / name / "colour.png", (1, 2, 3))
    train, test = fl.load(tmp_path)
    assert train.images[:, :, 0, 0].tolist() == [[7, 7, 7], [9, 9, 9]]
    assert test.images[:, :, 0, 0].tolist() == [[1, 2, 3]] * 2


@pytest.mark.parametrize("where", ["train", "test"])
def test_images_of_different_sizes_are_refused_unless_a_size_is_given(where, tmp_path):
    for split in ("train", "test"):
        for i in range(2):
            save(tmp_path / split / "ant" / f"{i}.png", (0, 0, 0))
    save(tmp_path / where / "ant" / "large.png", (255, 255, 255), size=(20, 10))
    with pytest.raises(ValueError, match=r"differ in size.*load\(folder, size=32\)"):
        fl.load(tmp_path)
    train, test = fl.load(tmp_path, size=6)
    assert train.images.shape[1:] == test.images.shape[1:] == (3, 6, 6)
    assert sorted(torch.cat([train.images, test.images]).amax((1, 2, 3)).tolist()) == [0] * 4 + [255]


def test_a_class_of_the_test_folder_that_the_training_folder_lacks_is_refused(tmp_path):
    for split, name in (("train", "ant"), ("test", "ant"), ("test", "wasp")):
        save(tmp_path / split / name / "0.png", (0, 0, 0))
    with pytest.raises(ValueError, match="wasp"):
        fl.load(tmp_path)


def test_hidden_folders_and_other_files_are_passed_over(tmp_path):
    for split in ("train", "test"):
        save(tmp_path / split / "ant" / "0.png", (0, 0, 0))
        (tmp_path / split / "ant" / "notes.txt").write_text("none")
        (tmp_path / split / ".cache").mkdir()
    assert fl.load(tmp_path)[0].classes == ("ant",)


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: (folder / "ant").mkdir()])
def test_a_folder_without_images_says_what_was_expected(make, tmp_path):
    make(tmp_path)
    with pytest.raises(ValueError, match=r"no images: expected .*/CLASS/IMAGE"):
        fl.load(tmp_path)


def test_too_few_images_to_keep_any_for_testing_are_refused(tmp_path):
    save(tmp_path / "ant" / "0.png", (0, 0, 0))
    with pytest.raises(ValueError, match="for testing"):
        fl.load(tmp_path)


def test_a_broken_image_is_named(tmp_path):
    for i in range(6):
        save(tmp_path / "ant" / f"{i}.png", (0, 0, 0))
    (tmp_path / "ant" / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"1.png cannot be read as an image"):
        fl.load(tmp_path)
