"""The folder of what is kept: the reader's, else the system's, else one that is said to be temporary."""

import os
import tempfile
import warnings
from pathlib import Path

import pytest

from featlab.engine import places

pwd = pytest.importorskip("pwd")


@pytest.fixture
def environment(monkeypatch):
    """Sets what it is called with, and leaves the rest out."""

    def chosen(**variables: str) -> None:
        for name in ("FEATLAB_CACHE", "XDG_CACHE_HOME", "HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    places._temporary.cache_clear()
    yield chosen
    places._temporary.cache_clear()


@pytest.fixture
def nobody(monkeypatch):
    """A user id that the system has no name for, as in many containers."""

    def unknown(*_):
        raise KeyError("no such user")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwnam", unknown)


@pytest.mark.parametrize("variables, folder", [
    ({"HOME": "/h"}, "/h/.cache/featlab"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/featlab"),
    ({"HOME": "/h", "XDG_CACHE_HOME": ""}, "/h/.cache/featlab"),
    # the standard: a relative one is to be ignored
    ({"HOME": "/h", "XDG_CACHE_HOME": "x"}, "/h/.cache/featlab"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "~/x"}, "/h/.cache/featlab"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "/x", "FEATLAB_CACHE": "/f"}, "/f"),
    ({"HOME": "/h", "XDG_CACHE_HOME": "/x", "FEATLAB_CACHE": ""}, "/x/featlab"),
    ({"HOME": "/h", "FEATLAB_CACHE": "  "}, "/h/.cache/featlab"),
    ({"HOME": "/h", "FEATLAB_CACHE": "~"}, "/h"),
    ({"HOME": "/h", "FEATLAB_CACHE": "~/my cache/é"}, "/h/my cache/é"),
    ({"FEATLAB_CACHE": "/f"}, "/f"),
    ({"XDG_CACHE_HOME": "/x"}, "/x/featlab"),
], ids=str)  # fmt: skip
def test_the_readers_folder_comes_before_the_systems_and_the_home(variables, folder, environment):
    environment(**variables)
    assert places.cache_folder() == Path(folder)


def test_without_home_the_systems_list_of_users_knows_it(environment, monkeypatch):
    environment()
    home = pwd.getpwuid(os.getuid()).pw_dir
    assert places.cache_folder() == Path(home) / ".cache" / "featlab"


def test_a_user_without_a_home_keeps_things_in_a_temporary_folder_and_it_is_said_once(environment, nobody):
    environment()
    with pytest.warns(UserWarning, match=r"no home folder.*set the environment variable FEATLAB_CACHE"):
        folder = places.cache_folder()
    assert folder.parent == Path(tempfile.gettempdir()) and folder.name == f"featlab-{os.getuid()}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert places.cache_folder() == folder


@pytest.mark.parametrize(
    "variables, folder", [({"FEATLAB_CACHE": "/f"}, "/f"), ({"XDG_CACHE_HOME": "/x"}, "/x/featlab")], ids=str
)
def test_who_has_no_home_but_said_a_folder_is_not_warned(variables, folder, environment, nobody):
    environment(**variables)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert places.cache_folder() == Path(folder)


@pytest.mark.parametrize("path", ["~/cache", "~nobody-here/cache"])
def test_a_home_that_there_is_not_stays_as_it_was_written(path, environment, nobody):
    environment(FEATLAB_CACHE=path)
    assert places.cache_folder() == Path(path)
