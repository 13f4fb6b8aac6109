"""Tests and notebooks under test keep what they make in a folder of their own, so that every run makes it
from nothing.
"""

import os
import tempfile

if "FEATLAB_TEST_CACHE" in os.environ:
    os.environ["FEATLAB_CACHE"] = os.environ["FEATLAB_TEST_CACHE"]
else:
    _folder = tempfile.TemporaryDirectory(prefix="featlab-test-")
    os.environ["FEATLAB_CACHE"] = _folder.name

# for the kernels of notebooks under test: see the Makefile
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
