"""Which folder is for training and which for testing, and what is passed over."""

import os
from pathlib import Path

import pytest
import torch
from picture_folders import fill, quietly, save, table

import featlab as fl

PAIRS = [("train", "test"), ("Train", "Test"), ("TRAIN", "VAL"), ("training", "testing"), ("train", "valid")]
PAIRS += [("Training_Set", "validation"), ("train-data", "test data"), ("training", "Validation")]


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_the_names_of_the_two_parts_are_understood(pair, tmp_path):
    train, test = parts = quietly(fill(tmp_path, *pair))
    assert table(parts) == (("ant", "bee"), [6, 6], [6, 6]) and test.classes == train.classes
    assert train.images[1::6].flatten(1)[:, 0].tolist() == [0, 2] and test.images[1::6].flatten(1)[
        :, 0
    ].tolist() == [20, 22]
    assert train.labels.tolist() == [0] * 6 + [1] * 6 and train.images.dtype == torch.uint8


def test_of_a_lone_training_folder_every_sixth_image_is_kept_and_that_is_said(tmp_path):
    with pytest.warns(UserWarning, match="no test/ beside .*every sixth image"):
        parts = fl.load(fill(tmp_path, "train", n=12))
    assert table(parts) == (("ant", "bee"), [10, 10], [2, 2])


@pytest.mark.parametrize("held", ["val", "valid", "Validation"])
def test_of_three_parts_it_is_said_which_one_is_not_read(held, tmp_path):
    with pytest.warns(UserWarning, match=rf"test is used for testing; .*{held} is not read"):
        _, test = fl.load(fill(tmp_path, "train", held, "test"))
    assert test.images[1, 0, 0, 0] == 40


def test_a_test_folder_of_secret_labels_leaves_testing_to_val(tmp_path):
    """As of ImageNet and Kaggle: images, no classes."""
    fill(tmp_path, "train", "val")
    save(tmp_path / "test" / "0001.png", 9, mode="L")
    with pytest.warns(UserWarning, match="val is used for testing; .*test is not read"):
        _, test = fl.load(tmp_path)
    assert test.images[1, 0, 0, 0] == 20


def test_words_of_parts_are_names_of_classes_among_others(tmp_path):
    assert quietly(fill(tmp_path / "a", "", classes=("invalid", "valid")))[0].classes == ("invalid", "valid")
    assert quietly(fill(tmp_path / "b", "", classes=("car", "plane", "train")))[0].classes == (
        "car",
        "plane",
        "train",
    )


def test_folders_beside_the_parts_are_said(tmp_path):
    fill(tmp_path, "train", "test", "extra")
    with pytest.warns(UserWarning, match="not read are .*extra"):
        assert table(fl.load(tmp_path)) == (("ant", "bee"), [6, 6], [6, 6])


def test_hidden_files_and_what_systems_leave_behind_are_passed_over(tmp_path):
    fill(tmp_path, "train", "test")
    before = [part.images for part in quietly(tmp_path)]
    left = [
        ".ipynb_checkpoints/0-checkpoint.png",
        "._0.png",
        ".hidden.png",
        "@eaDir/0.png",
        "__MACOSX/ant/._0.png",
    ]
    for root in (tmp_path, tmp_path / "train", tmp_path / "train" / "ant"):
        for name in left:
            save(root / name, 255, mode="L")
        for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "notes.txt", "labels.csv"):
            (root / name).write_bytes(b"x")
    assert all(
        torch.equal(part.images, images) for part, images in zip(quietly(tmp_path), before, strict=True)
    )


def test_links_to_files_and_classes_are_followed_and_circles_are_not(tmp_path):
    fill(tmp_path / "real", "train", "test")
    shop = tmp_path / "shop"
    for part in ("train", "test"):
        (shop / part).mkdir(parents=True)
        for name in ("ant", "bee"):
            (shop / part / name).symlink_to(tmp_path / "real" / part / name)
    assert table(quietly(shop)) == (("ant", "bee"), [6, 6], [6, 6])
    root = tmp_path / "real"
    for circle in (root / "train" / "ant" / "again", root / "train" / "again", root / "again"):
        circle.symlink_to(root, target_is_directory=True)
    (root / "train" / "ant" / "self").symlink_to("self")
    assert table(quietly(root)) == (("ant", "bee"), [6, 6], [6, 6])
    (root / "train" / "ant" / "link.png").symlink_to(root / "train" / "bee" / "0.png")
    assert table(quietly(root))[1] == [7, 6]


def test_a_folder_that_cannot_be_listed_is_named_and_not_passed_over(tmp_path, monkeypatch):
    fill(tmp_path, "train", "test")
    listdir = os.listdir

    def refusing(path):
        if Path(path).name == "bee":
            raise PermissionError(13, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refusing)
    with pytest.raises(PermissionError, match=r"bee cannot be listed.*mend its permissions"):
        fl.load(tmp_path)
