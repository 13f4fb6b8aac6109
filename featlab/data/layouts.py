"""How people lay out folders of images: which is for training, which for testing, and what is passed over.

    FOLDER holds                        is read as
    train/CLASS/ and test/CLASS/        images for training and for testing
    train/CLASS/ and val/CLASS/         the same: val/ is for testing
    train/, val/ and test/              test/ is for testing and val/ is not read, which is said; where test/
                                        has no folders of classes (its labels are secret), val/ is for testing
    train/CLASS/ alone                  every sixth image of it is kept for testing, which is said
    CLASS/                              every sixth image is kept for testing
    CLASS/ with a class named valid/    classes, if valid/ holds images itself and there are others beside it
    test/ or val/ without train/        refused
    images without folders of classes   refused
    CLASS/train/ and CLASS/test/        refused: train/CLASS/ is needed
    one folder that holds the classes   refused, with the path to say

train/ may also be called training/, test/ testing/, and val/ valid/ or validation/; each in any case and with
"set" or "data" behind it (Train_Set/). An image may lie at any depth below its class. A linked file or class
is followed; a linked folder within a class is not, for it may lead in a circle. Names that begin with a dot
(.ipynb_checkpoints, ._1.png) and what systems leave behind (__MACOSX, @eaDir, Thumbs.db) are passed over.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROLES = {
    "train": "training",
    "training": "training",
    "test": "testing",
    "testing": "testing",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}
LITTER = {"__MACOSX", "@eaDir", "__pycache__", "$RECYCLE.BIN", "System Volume Information", "lost+found"}


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, in order, without what is hidden or a system's."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        words = f"{folder} cannot be listed ({error.strerror}): mend its permissions"
        raise OSError(error.errno, words) from error
    return [folder / name for name in names if not name.startswith(".") and name not in LITTER]


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, and the links to folders, but for those that lead back to where they lie."""
    return [path for path in entries(folder) if path.is_dir() and not _leads_back(path)]


def _leads_back(path: Path) -> bool:
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def files(folder: Path) -> Iterator[Path]:
    """All files at or below a folder."""
    for path in entries(folder):
        if not path.is_dir():
            yield path
        elif not path.is_symlink():
            yield from files(path)


def roots(path: Path) -> tuple[Path, Path | None, list[str]]:
    """The folder of classes for training, the one for testing or None, and what the reader should know."""
    roles = _roles(path)
    others = [f for f in subfolders(path) if roles and _role(f) is None and any(files(f))]
    if not roles or (others and not any(subfolders(f) for f in roles.values())):
        return path, None, []
    if "training" not in roles:
        held = " and ".join(f"{folder.name}/" for folder in roles.values())
        way = f"call the folder of training images train/, or rename {held} if it is a class"
        raise ValueError(f"{path} holds {held} but no train/: {way}")
    testing, remarks = _testing(roles)
    if others:
        remarks.append(f"not read are {_named(others)}: classes belong into {roles['training']}")
    return roles["training"], testing, remarks


def _role(folder: Path) -> str | None:
    return ROLES.get(re.sub(r"[ _-]?(set|data)$", "", folder.name.lower()))


def _roles(path: Path) -> dict[str, Path]:
    """The folders of PATH that are called as parts of a dataset are, by what they are for."""
    roles: dict[str, Path] = {}
    for folder in subfolders(path):
        if (role := _role(folder)) is None:
            continue
        if role in roles:
            both = f"{roles[role].name}/ and {folder.name}/"
            raise ValueError(f"{path} holds {both}, which both mean {role}: merge, move or rename one")
        roles[role] = folder
    return roles


def _testing(roles: dict[str, Path]) -> tuple[Path | None, list[str]]:
    """The folder for testing beside the one for training, or None; said where there was a choice."""
    offered = [roles[role] for role in ("testing", "validation") if role in roles]
    if not offered:
        alone = roles["training"]
        return None, [f"there is no test/ beside {alone}: every sixth image of it is kept for testing"]
    labelled = [folder for folder in offered if subfolders(folder)]
    chosen = (labelled or offered)[0]
    left = [folder for folder in offered if folder != chosen]
    return chosen, [f"{chosen} is used for testing; {_named(left)} is not read"] if left else []


def _named(folders: list[Path]) -> str:
    return ", ".join(map(str, folders))


def refuse_displaced(root: Path) -> None:
    """Refuse a folder whose classes lie one level deeper, or whose parts lie within its classes."""
    held = [folder for folder in subfolders(root) if any(files(folder))]
    if len(held) == 1 and subfolders(held[0]) and not any(not path.is_dir() for path in entries(held[0])):
        raise ValueError(
            f"{root} holds one folder, {held[0].name}/, with folders in it: "
            f"if those are the classes, say load({str(held[0])!r}), or move them up"
        )
    for folder in held:
        parts = {_role(part): part.name for part in subfolders(folder)}
        if "training" in parts and len(parts.keys() & set(ROLES.values())) > 1:
            raise ValueError(
                f"{folder} holds {' and '.join(sorted(filter(None, parts.values())))}: "
                f"lay it out as {root / 'train' / folder.name} and {root / 'test' / folder.name}, parts first"
            )
