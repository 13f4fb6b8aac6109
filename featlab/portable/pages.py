"""Pages that attack by themselves: networks, images and program in one file, which asks for nothing."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from featlab.doors import dataset
from featlab.engine import files
from featlab.inputs.checks import instance, positive, whole
from featlab.inputs.markup import escaped
from featlab.models import Classifier
from featlab.portable import packing, program
from featlab.types import Dataset, check_labels

_MOST = 200  # images in a page: a picker shows no more at a glance


def contents(
    models: Mapping[str, Classifier],
    images: Dataset,
    *,
    steps: int = 15,
    largest: float = 2.0,
    gain: float = 5.0,
    begin: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a page holds of models and images, ready for json.

    steps, largest  of the attack: gradient steps, and the slider's end, l2 in pixels of [0, 1]
    gain            how many times as strong a change is shown
    begin           what is shown first: image, eps, goal (a class, or -1: away from its own), against
    """
    images = dataset(images)
    if len(images) > _MOST:
        raise ValueError(f"a page shows at most {_MOST} images, these are {len(images)}: take images[:100]")
    channels, height, width = images.images.shape[1:]
    if channels not in (1, 3):
        raise ValueError(f"a page shows grey or coloured images, these have {channels} channels")
    networks = packing.packed_all(models, (channels, height, width))
    classes = max(network["classes"] for network in networks)
    check_labels(images.labels, images.images, min(network["classes"] for network in networks))
    names = [str(name) for name in images.classes]
    pixels = (255 * images.pixels).round().byte().cpu().numpy()
    return {
        "networks": networks,
        "images": packing.base64_of(pixels),
        "labels": images.labels.tolist(),
        "classes": [*names, *(str(i) for i in range(len(names), classes))],
        "program": program.product(),
        "steps": whole(steps, "steps", least=1),
        "largest": positive(largest, "largest"),
        "gain": positive(gain, "gain"),
        "begin": {"image": 0, "eps": 0.0, "goal": -1, "against": "", **(begin or {})},
    }


def as_script(data: Mapping[str, Any]) -> str:
    """Data for the page's program; no text in it can end the script."""
    text = json.dumps(data).replace("<", "\\u003c")
    return f'<script type="application/json" id="featlab-data">{text}</script>'


def as_module(name: str, ending: str) -> str:
    """A module of featlab.portable, with all that it needs, as the page's program."""
    return f'<script type="module" id="featlab-program">\n{program.bundle(name, ending)}</script>'


def export_page(
    model: Classifier | Mapping[str, Classifier],
    images: Dataset,
    path: str | os.PathLike[str],
    *,
    title: str = "Attack it",
    steps: int = 15,
    largest: float = 2.0,
) -> Path:
    """A trained network, or several by their names, with images in one html file that attacks by itself:
    offline, from any folder, with gradients computed in the browser. Gives the path.

        fl.export_page(model, test[:100], "mine.html")

    model    a featlab Classifier of the layers of fl.cnn(), for images of one or three channels
    images   a Dataset of at most 200
    largest  the end of the slider, l2 in pixels of [0, 1]

    Weights are rounded to 24 bits, so the page's gradients are float32's. A layer that a page cannot compute,
    weights that are not finite, and more images are refused with a ValueError, what is no Classifier with a
    TypeError.
    """
    models = dict(model) if isinstance(model, Mapping) else {"your": model}
    if not models:
        raise ValueError("give a model, or several by their names: {'mine': model}")
    for one in models.values():
        instance(one, Classifier, "a page can hold a featlab Classifier, such as fl.cnn()")
    named = {str(name): one for name, one in models.items()}
    data = contents(named, images, steps=steps, largest=largest)
    with files.replacing(Path(path)) as temporary:
        temporary.write_text(whole_page(title, data), encoding="utf-8")
    return Path(path)


def whole_page(title: str, data: Mapping[str, Any]) -> str:
    """The page of `contents`, whole: it needs no other file."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escaped(title)}</title><link rel="icon" href="data:,">
<style>{program.style("page")}{program.style("explorer")}</style></head>
<body><main><h1>{escaped(title)}</h1>
<p>Move ε: the network's own gradient says where to push every pixel, within that distance. Everything is
computed here, in this file.</p>
<div id="explorer" class="explorer"></div>
<noscript>This page computes in JavaScript, which is switched off.</noscript></main>
{as_script(data)}
{as_module("page", "of_page.start();")}
</body></html>
"""
