"""Folders of images as people have them: how they are laid out, what is passed over,
and what is said about it.
"""

import os
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from picture_folders import fill, quietly, save, table
from PIL import Image

import featlab as fl
from featlab.inputs import options


def test_colour_and_order_are_kept(tmp_path):
    for split, n in (("train", 3), ("test", 2)):
        for c, name in enumerate(("ant", "bee")):
            for i in range(n):
                save(tmp_path / split / name / f"{i}.png", (10 * i, 100 * c, 255))
    train, test = quietly(tmp_path)
    assert (len(train), len(test)) == (6, 4) and train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert train.images[:, :, 0, 0].tolist() == [[10 * i, 100 * c, 255] for c in (0, 1) for i in (0, 1, 2)]


def test_a_folder_without_a_test_folder_keeps_every_sixth_image_for_testing(tmp_path):
    for name in ("ant", "bee"):
        for i in range(12):
            save(tmp_path / name / f"{i:02d}.png", i, mode="L")
    train, test = quietly(str(tmp_path))
    assert (len(train), len(test)) == (20, 4)
    assert test.images[:, 0, 0, 0].tolist() == [5, 11, 5, 11] and torch.bincount(test.labels).tolist() == [
        2,
        2,
    ]
    assert not set(train.images[:, 0, 0, 0].tolist()) & {5, 11} and train.images.shape[1] == 1


def flat(root: Path) -> None:
    save(root / "0.png", 0)


def flat_parts(root: Path) -> None:
    for part in ("train", "test"):
        save(root / part / "cat.0.png", 0)


def parts_within_classes(root: Path) -> None:
    fill(root, "ant", "bee", classes=("train", "test"))


def wrapped(root: Path) -> None:
    fill(root / "pets", "train", "test")


def wrapped_classes(root: Path) -> None:
    fill(root, "train/images", "test/images")


def no_training(root: Path) -> None:
    fill(root, "test", "val")


def two_of_a_kind(root: Path) -> None:
    fill(root, "train", "val", "valid")


def empty_part(root: Path) -> None:
    fill(root, "train")
    (root / "test").mkdir()


def empty_class(root: Path) -> None:
    fill(root, "train", "test")
    (root / "train" / "cat").mkdir()


def unread_class(root: Path) -> None:
    fill(root, "train", "test")
    (root / "train" / "cat").mkdir()
    (root / "train" / "cat" / "0.HEIC").touch()


def unknown_class(root: Path) -> None:
    fill(root, "train")
    fill(root, "test", classes=("ant", "wasp"))


def few(root: Path) -> None:
    fill(root, "", n=2)


def nothing(root: Path) -> None:
    pass


def other_files(root: Path) -> None:
    (root / "ant").mkdir()
    (root / "ant" / "0.tfrecord").touch()


def released(root: Path) -> None:
    (root / "CIFAR_ims").touch()
    (root / "CIFAR_lab").touch()


REFUSED = {
    flat: "1 images but no folders of classes",
    flat_parts: "train holds 1 images but no folders of classes",
    parts_within_classes: r"ant holds test and train: lay it out as .*train/ant",
    wrapped: r"one folder, pets/.*say load\('.*pets'\)",
    wrapped_classes: r"train holds one folder, images/",
    no_training: "test/ and val/ but no train/",
    two_of_a_kind: "val/ and valid/, which both mean validation",
    empty_part: "test holds no images: expected .*/CLASS/IMAGE",
    empty_class: "classes without images: cat",
    unread_class: r"classes without images: cat \(there are files, 1 with .heic\)",
    unknown_class: "classes that .*train lacks: wasp",
    few: "too few images to keep every sixth for testing",
    nothing: "no images: expected .*/CLASS/IMAGE",
    other_files: r"no images: expected .*/CLASS/IMAGE.*1 with \.tfrecord",
    released: r"torch\.load\(.*CIFAR_ims",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_what_is_no_dataset_is_refused_with_what_to_do(make, tmp_path):
    make(tmp_path)
    with pytest.raises(ValueError, match=REFUSED[make]) as caught:
        fl.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


# classes


def test_a_class_that_is_not_tested_or_not_trained_is_said(tmp_path):
    fill(tmp_path / "a", "train")
    fill(tmp_path / "a", "test", classes=("ant",))
    with pytest.warns(UserWarning, match="none is for testing of bee"):
        assert table(fl.load(tmp_path / "a"))[2] == [6, 0]
    with pytest.warns(UserWarning, match="none is for testing of a, b, d, e, g, h, j"):
        fl.load(fill(tmp_path / "b", "", classes=tuple("abcdefghij"), n=2))
    fill(tmp_path / "c", "", classes=("ant",), n=11)
    with pytest.warns(UserWarning, match="none is for training of bee"):
        fl.load(fill(tmp_path / "c", "", classes=("bee",), n=1))


def test_a_single_class_is_said(tmp_path):
    with pytest.warns(UserWarning, match="one class, ant: .*100 %"):
        fl.load(fill(tmp_path, "train", "test", classes=("ant",)))


@pytest.mark.parametrize(
    "names", [("0", "1", "2", "10", "11"), ("007", "8", "100"), ("1a", "2a", "10a"), ("B", "a", "é")]
)
def test_classes_are_sorted_by_name_and_whole_numbers_by_value(names, tmp_path):
    shuffled = random.Random(1).sample(names, len(names))
    wanted = (
        tuple(sorted(names, key=int)) if all(name.isdecimal() for name in names) else tuple(sorted(names))
    )
    train, test = quietly(fill(tmp_path, "train", "test", classes=shuffled))
    assert train.classes == test.classes == wanted
    assert [int(train.images[train.labels == c][1, 0, 0, 0]) for c in range(len(names))] == [
        2 * shuffled.index(n) for n in wanted
    ]


def test_accents_are_the_same_however_they_are_put_together(tmp_path):
    for part, form in (("train", "NFC"), ("test", "NFD")):
        fill(tmp_path, part, classes=(unicodedata.normalize(form, "café"), "b"))
    assert quietly(tmp_path)[1].classes == ("b", "café")


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_names_are_the_same_in_every_locale(locale, tmp_path):
    """Without its own repairs (PYTHONUTF8, coercion) Python reads names in a C locale byte by byte."""
    fill(tmp_path, "train", "test", classes=("собака", "🐶 x"))
    code = f"import featlab as fl; print(ascii(fl.load({str(tmp_path)!r})[0].classes))"
    repairs = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(Path(fl.__file__).parents[1])}
    said = subprocess.check_output(
        [sys.executable, "-c", code], env={**os.environ, **repairs, "LC_ALL": locale}, text=True
    )
    assert said.strip() == ascii(("собака", "🐶 x"))


def test_images_that_are_not_read_are_said(tmp_path):
    fill(tmp_path, "train", "test")
    save(tmp_path / "train" / "loose.png", 0)
    (tmp_path / "test" / "bee" / "0.heic").touch()
    with pytest.warns(UserWarning) as said:
        assert table(fl.load(tmp_path)) == (("ant", "bee"), [6, 6], [6, 6])
    words = " ".join(str(warning.message) for warning in said)
    assert "1 images lie in" in words and "1 with .heic" in words
    assert {warning.filename for warning in said} == {__file__}  # where the reader called


def test_images_lie_at_any_depth_and_may_end_in_capitals(tmp_path):
    fill(tmp_path, "train", "test")
    save(tmp_path / "train" / "ant" / "2019" / "may" / "x.PNG", 7, mode="L")
    assert table(quietly(tmp_path))[1] == [7, 6]


# paths


def test_paths_are_taken_as_people_write_them(tmp_path, monkeypatch):
    fill(tmp_path / "my pets", "train", "test")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cifar10").symlink_to("my pets")
    for name in (
        "~/my pets",
        "my pets",
        "./my pets/",
        "my pets/../my pets//",
        tmp_path / "my pets",
        "./cifar10",
    ):
        assert quietly(name)[0].classes == ("ant", "bee")


# sizes


def test_grey_and_colour_images_together_are_colour(tmp_path):
    save(tmp_path / "train" / "ant" / "grey.png", 7, mode="L")
    save(tmp_path / "train" / "bee" / "grey.png", 9, mode="L")
    for name in ("ant", "bee"):
        save(tmp_path / "test" / name / "colour.png", (1, 2, 3))
    train, test = quietly(tmp_path)
    assert train.images[:, :, 0, 0].tolist() == [[7, 7, 7], [9, 9, 9]]
    assert test.images[:, :, 0, 0].tolist() == [[1, 2, 3]] * 2


@pytest.mark.parametrize("where", ["train", "test"])
def test_images_of_different_sizes_are_refused_unless_a_size_is_given(where, tmp_path):
    fill(tmp_path, "train", "test")
    save(tmp_path / where / "ant" / "large.png", 255, size=(20, 10), mode="L")
    with pytest.raises(
        ValueError, match=r"differ in size .*24 of 8x8, 1 of 10x20.*load\(folder, size=32\).*--size 32"
    ):
        fl.load(tmp_path)
    train, test = quietly(tmp_path, size=6)
    assert train.images.shape[1:] == test.images.shape[1:] == (1, 6, 6)
    assert (torch.cat([train.images, test.images]) == 255).flatten(1).all(1).sum() == 1


def test_rectangles_of_one_size_stay_rectangles(tmp_path):
    for part in ("train", "test"):
        for name in ("ant", "bee"):
            save(tmp_path / part / name / "0.png", 9, size=(12, 8), mode="L")
    assert quietly(tmp_path)[0].images.shape == (2, 1, 8, 12)


def test_a_size_may_be_height_and_width_and_keeps_the_middle(tmp_path):
    image = np.zeros((20, 40), np.uint8)
    image[:, 10:30] = 200  # the middle half, 20 x 20
    for name in ("ant", "bee"):
        (tmp_path / "train" / name).mkdir(parents=True)
        for i in range(6):
            Image.fromarray(image).save(tmp_path / "train" / name / f"{i}.png")
    with pytest.warns(UserWarning, match="every sixth"):
        wide, tall, square = (fl.load(tmp_path, size=size)[0].images[0, 0] for size in ((5, 10), (10, 4), 8))
    assert wide.shape == (5, 10) and bool((wide[:, [0, 9]] == 0).all()) and bool((wide[:, 4:6] == 200).all())
    assert tall.shape == (10, 4) and bool((tall == 200).all())
    assert square.shape == (8, 8) and bool((square > 180).all())  # the edge is interpolated


def test_the_command_line_resizes_a_folder_of_photographs(tmp_path, monkeypatch, capsys):
    from featlab.__main__ import main

    for c, name in enumerate(("ant", "bee")):
        for i in range(6):
            for part in ("train", "test"):
                save(tmp_path / "pets" / part / name / f"{i}.png", 100 * c + i, size=(12 + i, 9), mode="L")
    monkeypatch.setenv("FEATLAB_DEVICE", "cpu")
    words = [
        "reproduce",
        "--data",
        str(tmp_path / "pets"),
        "--preset",
        "quick",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(words) == 1 and "--size 32" in capsys.readouterr().err
    assert fl.Lab("quick", size=9).size == 9 and main([*words, "--size", "0"]) == 2
    assert options.size("32") == 32 and options.size("28x40") == (28, 40)
    assert "a size is a whole number" in capsys.readouterr().err


def test_every_broken_file_of_both_parts_is_named(tmp_path):
    fill(tmp_path, "train", "test")
    broken = [tmp_path / "train" / "ant" / "1.png", tmp_path / "test" / "bee" / "3.png"]
    for path in broken:
        path.write_bytes(b"no image")
    with pytest.raises(ValueError, match="2 files cannot be read as images") as caught:
        fl.load(tmp_path)
    assert all(str(path) in str(caught.value) for path in broken)
