"""What the tests of several widgets explore."""

import pytest
import torch
from PIL import Image
from small import tiny


@pytest.fixture
def nan_model():
    """A network that diverged."""
    model = tiny()
    with torch.no_grad():
        model.head.weight.fill_(float("nan"))
    return model


@pytest.fixture
def encodings(monkeypatch):
    """Grows by the format of each picture that is encoded."""
    found, save = [], Image.Image.save

    def counted(image, file, form, **options):
        found.append(form)
        save(image, file, form, **options)

    monkeypatch.setattr(Image.Image, "save", counted)
    return found
