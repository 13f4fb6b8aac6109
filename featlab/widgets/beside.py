"""Networks attacked side by side in the page itself: no message to the kernel at a move, no kernel needed."""

import html
from collections.abc import Mapping
from typing import Any

import anywidget
from traitlets import Dict

from featlab.inputs.checks import between, known, whole
from featlab.models import Classifier
from featlab.portable import pages, program
from featlab.types import Dataset

HEIGHT = 860  # of the frame in which a saved notebook shows it, in pixels


class SideBySide(anywidget.AnyWidget):
    """One image, attacked now, and what each of several networks believes of it; gradients are computed in
    the browser, by the same program as that of fl.export_page.

        both = SideBySide({"standard": standard, "robust": robust}, test[:100])
        both.move(eps=1.0, image=3)             # as the sliders do; both.state says where they are

    models   Classifiers by their names, of the layers of fl.cnn()
    images   a Dataset of at most 200
    largest  the slider's end, l2 in pixels of [0, 1]

    A saved notebook and an exported page show the same as a file of its own in a frame, which needs no
    kernel. What fl.export_page refuses is refused here, with a ValueError or TypeError.
    """

    _esm = program.bundle("cell", "export default { render: of_cell.render };")
    _css = program.style("explorer")
    world = Dict().tag(sync=True)
    state = Dict().tag(sync=True)

    def __init__(
        self,
        models: Mapping[str, Classifier],
        images: Dataset,
        *,
        steps: int = 10,
        largest: float = 2.0,
    ):
        named = {str(name): model for name, model in models.items()}
        self.contents = pages.contents(named, images, steps=steps, largest=largest)
        super().__init__(world=self.contents, state=self.contents["begin"])

    def move(self, **knobs: Any) -> None:
        """Set knobs, as a reader does: eps (l2 in pixels of [0, 1]), image (its number), goal (a class, or
        -1: away from its own), against (a network's name, or "": each by itself).

        An unknown knob, and a value that its slider does not reach, are refused with a ValueError.
        """
        for name, value in knobs.items():
            known(name, self.state, "knob")
            if name == "eps":
                between(value, name, 0, self.contents["largest"])
            elif name == "against":
                known(value, ["", *(one["name"] for one in self.contents["networks"])], name)
            else:
                most = len(self.contents["labels" if name == "image" else "classes"]) - 1
                between(whole(value, name, least=None), name, -int(name == "goal"), most)
        self.state = {**self.state, **knobs}

    def page(self) -> str:
        """The widget as it stands now, as one html page."""
        return pages.whole_page("Attack it", {**self.contents, "begin": dict(self.state)})

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        shown = super()._repr_mimebundle_(**options)
        data, about = shown if isinstance(shown, tuple) else (shown or {}, {})
        frame = f'<iframe title="networks side by side" srcdoc="{html.escape(self.page())}" '
        frame += f'style="width: 100%; height: {HEIGHT}px; border: 0"></iframe>'
        return {**data, "text/html": frame, "text/plain": "networks side by side"}, about
