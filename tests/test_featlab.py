"""The door of the package: the public names, each loaded from its room when it is first used."""

from importlib import import_module
from pathlib import Path

import pytest

import featlab


def test_every_public_name_exists_and_an_unknown_one_is_refused_with_the_known():
    for name in featlab.__all__:
        assert getattr(featlab, name) is not None and name in dir(featlab)
    with pytest.raises(AttributeError, match=r"no 'pgd'.*PGD"):
        featlab.pgd  # noqa: B018


@pytest.mark.parametrize("name", featlab.__all__)
def test_a_public_name_is_that_of_its_room(name):
    rooms = [room for room, names in featlab._ROOMS.items() if name in names]
    assert len(rooms) == 1
    assert getattr(featlab, name) is getattr(import_module(f"featlab.{rooms[0]}"), name)


def test_every_room_is_an_attribute_and_listed_beside_the_names():
    listed = featlab.__dir__()
    for room in ("gaussian", "engine", "course", "debate"):
        assert getattr(featlab, room) is import_module(f"featlab.{room}")
    rooms = {path.stem for path in Path(featlab.__file__).parent.iterdir() if path.suffix in ("", ".py")}
    assert {room for room in rooms if not room.startswith("_")} <= set(listed) and listed == sorted(listed)
