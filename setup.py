"""What pyproject.toml cannot say: a wheel carries the measured tables and the notebooks inside the package.

A mapping of folders to packages (`package-dir`) could say it too, but then an editable installation needs a
finder, and Python asks it last: a script beside the clone would import the
clone's own folder, in which there is nothing of it.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = {"results/*.json": "featlab/measured", "notebooks/*.ipynb": "featlab/notebooks"}


class BuildWithTables(build_py):
    """Copies what is carried beside the code; an editable installation reads it where it is."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for target, source in self.carried().items():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def carried(self) -> dict[Path, Path]:
        """What is carried: where it goes -> where it is."""
        return {
            Path(self.build_lib, folder, path.name): path
            for pattern, folder in CARRIED.items()
            for path in sorted(Path().glob(pattern))
        }

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *map(str, self.carried())]


setup(cmdclass={"build_py": BuildWithTables})
