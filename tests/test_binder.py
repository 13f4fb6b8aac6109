"""repo2docker, which Binder runs, reads the folder binder/ as it is meant. Needs jupyter-repo2docker:
make test-binder.
"""

from pathlib import Path

import pytest

buildpacks = pytest.importorskip(
    "repo2docker.buildpacks", reason="needs jupyter-repo2docker: make test-binder"
)
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def conda(monkeypatch):
    monkeypatch.chdir(ROOT)
    pack = buildpacks.CondaBuildPack("docker.io/library/buildpack-deps:jammy")
    pack.platform = "linux/amd64"
    return pack


def test_it_takes_the_binder_folder_as_a_conda_environment(conda):
    assert conda.detect() and conda.binder_dir == "binder"
    assert conda.python_version == "3.12"
    assert conda.binder_path("environment.yml") == "binder/environment.yml"


def test_nothing_but_conda_claims_the_folder(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert not buildpacks.DockerBuildPack("any").detect()


def test_the_dockerfile_installs_the_environment_and_runs_the_script(conda):
    dockerfile = conda.render()
    assert "binder/environment.yml" in dockerfile
    assert "./binder/postBuild" in dockerfile
    assert not [script for _, script in conda.get_env_scripts() if "pip install" in script]
