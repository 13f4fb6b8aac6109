"""Datasets from the network once, played by a server of this machine;
and what is said when that cannot be.
"""

import gzip
import hashlib
import http.client
import http.server
import io
import multiprocessing
import os
import pickle
import re
import shutil
import socket
import struct
import tarfile
import tempfile
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

import featlab as fl
from featlab import data
from featlab.data import downloads
from featlab.engine import files

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
            add(
                name,
                {"data": held[f"{split}_images"].reshape(n, -1), "labels": held[f"{split}_labels"].tolist()},
            )
        add("batches.meta", {"label_names": list(data.CIFAR)})
    return held


def md5(raw: bytes) -> str:
    return hashlib.md5(raw).hexdigest()


DOWNLOADS = {"fashion-mnist-full": fashion, "cifar10": cifar}


class Web:
    """A server of this machine that holds the archives,
    and torchvision made to take them for the originals.
    """

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

        self.handler = Handler
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(Handler, directory=str(folder))
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.pretend(patch, f"http://127.0.0.1:{self.server.server_port}/")

    def pretend(self, patch: pytest.MonkeyPatch, url: str) -> None:
        archives = {path.name: md5(path.read_bytes()) for path in self.folder.iterdir()}
        patch.setenv("no_proxy", "127.0.0.1")
        patch.setattr(datasets.FashionMNIST, "mirrors", [url])
        patch.setattr(
            datasets.FashionMNIST,
            "resources",
            [(name, sum_) for name, sum_ in archives.items() if name.endswith("ubyte.gz")],
        )
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
    assert sorted(path.name for path in named) == sorted(
        p.name for p in web.folder.iterdir() if ("cifar" in p.name) == ("cifar" in name)
    )
    for path in named:  # do as it says
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(web.folder / path.name, path)
    holds(name, web.held[name])


UNPACKED = [
    ("fashion-mnist-full", "FashionMNIST/raw/train-images-idx3-ubyte"),
    ("cifar10", "cifar-10-batches-py/test_batch"),
]


@pytest.mark.parametrize("archives", ["kept", "lost"])
@pytest.mark.parametrize("name, part", UNPACKED)
def test_what_lies_unpacked_is_not_believed(name, part, archives, web):
    """Cut short or altered: nothing says so, for only archives have a published checksum."""
    fl.load(name)
    (files.cache_folder() / "data" / f"{name}.safetensors").unlink()
    if archives == "lost":
        shutil.rmtree(files.cache_folder() / "downloads")
    unpacked = files.cache_folder() / "downloads" / part
    unpacked.parent.mkdir(parents=True, exist_ok=True)
    unpacked.write_bytes(bytes(1000))
    holds(name, web.held[name])


def test_a_file_put_there_that_is_not_the_right_one_is_no_dataset(web):
    web.off()
    path = files.cache_folder() / "downloads" / "cifar-10-python.tar.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(ConnectionError, match=r"cifar-10-python.tar.gz is not the archive"):
        fl.load("cifar10")
    assert path.read_bytes() == b"<html>not found</html>"


def test_a_wrong_archive_is_replaced_when_there_is_a_network(web):
    path = files.cache_folder() / "downloads" / "cifar-10-python.tar.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes((web.folder / path.name).read_bytes()[:-9])
    holds("cifar10", web.held["cifar10"])
    assert path.read_bytes() == (web.folder / path.name).read_bytes()


def page(handler) -> None:
    """A hotel's network answers everything with its own page."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"<!DOCTYPE html><html>please log in</html>")


def missing(handler) -> None:
    handler.send_error(404)


def short(handler) -> None:
    """The connection ends before the length that was announced."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(bytes(1000))


def chunk(handler) -> None:
    """The connection ends within a chunk, which Python calls IncompleteRead."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"ffff\r\nonly this")


def silent(handler) -> None:
    """The server says nothing for longer than one waits."""
    time.sleep(1)


def closed(handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


SAYS = {
    page: "a web page",
    missing: "404",
    short: "another checksum",
    chunk: "IncompleteRead",
    silent: "timed out",
    closed: "127.0.0.1",
}


@pytest.mark.parametrize("name", DOWNLOADS)
@pytest.mark.parametrize("answer", SAYS, ids=lambda answer: answer.__name__)
def test_whatever_a_server_does_the_way_out_is_the_same_and_nothing_is_left(answer, name, web, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(downloads, "_PATIENCE", 0.2)
        patch.setattr(web.handler, "do_GET", answer)
        with pytest.raises(ConnectionError, match=SAYS[answer]) as caught:
            fl.load(name)
    assert "put them at" in str(caught.value) and 'load("fashion-mnist")' in str(caught.value)
    assert not [
        path for path in files.cache_folder().rglob("*") if path.is_file() or path.name.startswith(".")
    ]
    holds(name, web.held[name])  # the next call finds nothing in its way


def test_a_mirror_is_asked_when_the_first_address_fails(web, monkeypatch):
    monkeypatch.setattr(
        datasets.FashionMNIST, "mirrors", ["http://127.0.0.1:9/", *datasets.FashionMNIST.mirrors]
    )
    holds("fashion-mnist-full", web.held["fashion-mnist-full"])


@pytest.mark.parametrize("name", DOWNLOADS)
def test_processes_that_download_at_once_do_not_meet(name, web):
    def one(begin):
        begin.wait()
        holds(name, web.held[name])

    context = multiprocessing.get_context("fork")
    begin = context.Event()
    processes = [context.Process(target=one, args=(begin,)) for _ in range(4)]
    for process in processes:
        process.start()
    begin.set()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    holds(name, web.held[name])
    assert not list((files.cache_folder() / "downloads").glob(".*"))


def test_what_a_killed_process_left_is_swept_away_after_a_day(web):
    root = files.cache_folder() / "downloads"
    old, fresh = root / ".unpacking-old", root / ".unpacking-fresh"
    for folder in (old, fresh):
        folder.mkdir(parents=True)
        (folder / "part").touch()
    os.utime(old, (time.time() - 2 * downloads.DAY,) * 2)
    fl.load("cifar10")
    assert not old.exists() and fresh.exists()


def test_a_file_system_without_links_serves_too(web, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *paths: (_ for _ in ()).throw(OSError("no links here")))
    holds("cifar10", web.held["cifar10"])


# where nothing can be kept, and where torchvision says nothing


@pytest.mark.parametrize("name", DOWNLOADS)
def test_where_nothing_can_be_kept_a_dataset_is_given_back_with_a_warning(name, web, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "file" / "cache"))  # cannot be made, whoever runs this
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.warns(
        UserWarning, match=f"could not write .*FEATLAB_CACHE.*[.] {name} is in memory only"
    ) as said:
        holds(name, web.held[name])
    assert said[0].filename == __file__ and not list((tmp_path / "temporary").iterdir())


def test_an_archive_that_lies_where_nothing_can_be_written_is_used(web, monkeypatch):
    fl.load("cifar10")
    (files.cache_folder() / "data" / "cifar10.safetensors").unlink()
    web.off()
    mkdtemp = tempfile.mkdtemp

    def refused(*words, dir=None, **more):
        if dir is not None:
            raise PermissionError(13, "Permission denied")
        return mkdtemp(*words, **more)

    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    holds("cifar10", web.held["cifar10"])


class Bare:
    """A dataset of torchvision that says of its archives nothing that is known,
    and finds half a file where another process unpacks.
    """

    def __init__(self, folder, train, download):
        mark = Path(folder) / "being-unpacked"
        if mark.exists():
            raise RuntimeError("File not found or corrupted.")
        mark.touch()
        time.sleep(0.2)
        mark.unlink()
        self.data, self.targets = (
            np.full((TRAIN if train else TEST, 32, 32, 3), 7, np.uint8),
            [0] * (TRAIN if train else TEST),
        )


def test_a_class_that_does_not_say_its_archives_downloads_for_itself(monkeypatch):
    monkeypatch.setattr(datasets, "CIFAR10", Bare)
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: data._fetch("cifar10"), range(4)))
    assert [len(one["train_images"]) for one in made] == [TRAIN] * 4
    train, test = fl.load("cifar10")
    assert (train.images.shape, len(test)) == ((TRAIN, 3, 32, 32), TEST) and bool((train.images == 7).all())


@pytest.mark.parametrize(
    "error",
    [http.client.IncompleteRead(b""), EOFError(), zlib.error("-3"), OSError(28, "No space left on device")],
    ids=repr,
)
def test_whatever_ends_its_download_the_way_out_is_the_same(error, monkeypatch):
    def ends(*words, **more):
        raise error

    monkeypatch.setattr(datasets, "CIFAR10", ends)
    with pytest.raises(ConnectionError, match=r"(?s)could not be downloaded.*cifar-10-python.tar.gz"):
        fl.load("cifar10")
