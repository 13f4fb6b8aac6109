"""A notebook as one HTML page with its figures, which needs no kernel and no network but for formulas.

    jupyter nbconvert --to html-with-figures NOTEBOOK
    JupyterLab: File, Save and Export Notebook As, Html-with-figures

Jupyter's own HTML shows none: a stored figure is plotly's data alone (with the program that draws it, it
would take megabytes), and of that nbconvert knows nothing. Live widgets are shown by their twins. Needs
nbconvert, which JupyterLab brings.
"""

import copy
import json
from typing import Any, TypeVar

from nbconvert.exporters import HTMLExporter
from plotly.offline import get_plotlyjs

from featlab.course.alt import describe
from featlab.inputs.markup import escaped

_N = TypeVar("_N", bound=dict)  # a notebook, as json holds it
PLOTLY = "application/vnd.plotly.v1+json"
VIEW = "application/vnd.jupyter.widget-view+json"
CONFIG = {"displayModeBar": False, "responsive": False}
# plotly.js is kept apart from the page's require.js, which would take it for a module of its own
APART = "<script>window.ownDefine = window.define; window.define = undefined;</script>"
TOGETHER = "<script>window.define = window.ownDefine;</script>"


def as_picture(figure: dict, name: str) -> str:
    """A plotly figure as HTML that draws itself, with its description for those who do not see it."""
    words = escaped(describe(figure))
    data, layout = (json.dumps(figure.get(part, {})).replace("<", "\\u003c") for part in ("data", "layout"))
    role = "group" if figure.get("layout", {}).get("sliders") else "img"
    return (
        f'<div id="{name}" class="plotly-graph-div" role="{role}" aria-label="{words}"></div>'
        f'<script>Plotly.newPlot("{name}", {data}, {layout}, {json.dumps(CONFIG)})</script>'
    )


def with_figures(notebook: _N) -> _N:
    """The notebook with each figure as HTML beside its data, plotly.js in the first,
    and twins without widgets.
    """
    notebook, program = copy.deepcopy(notebook), f"{APART}<script>{get_plotlyjs()}</script>{TOGETHER}"
    for i, cell in enumerate(notebook["cells"]):
        for j, output in enumerate(cell.get("outputs", [])):
            data = output.get("data", {})
            if PLOTLY in data:
                data["text/html"] = program + as_picture(data[PLOTLY], f"figure-{i}-{j}")
                program = ""
            if "text/html" in data:
                data.pop(VIEW, None)
    return notebook


class Page(HTMLExporter):
    """nbconvert's HTML, with figures."""

    export_from_notebook = "HTML with figures"

    def from_notebook_node(
        self, nb: Any, resources: dict[str, Any] | None = None, **more: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The page of a notebook, and what nbconvert says of it."""
        return super().from_notebook_node(with_figures(nb), resources, **more)
