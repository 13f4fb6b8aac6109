"""The compiled product is what its source gives: it is built anew and compared."""

import shutil
import subprocess

import pytest

from featlab.portable import program
from tools.notebook import ROOT


def test_the_compiled_product_is_built_of_its_source(tmp_path):
    if not shutil.which("npm"):
        pytest.skip("no npm here: install node to build the product")
    made = tmp_path / "product.wasm"
    built = subprocess.run(["make", "product", f"WASM={made}"], cwd=ROOT, capture_output=True, text=True)
    if "npm" in built.stderr and not made.exists():
        pytest.skip(f"npm could not fetch the compiler: {built.stderr[-200:]}")
    assert built.returncode == 0, built.stderr
    assert made.read_bytes() == (program.HERE / "compiled" / "product.wasm").read_bytes()
