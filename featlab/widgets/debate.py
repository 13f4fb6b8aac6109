"""The debate's slider: features of a pair of classes, and what D_det says about them."""

import ipywidgets as w
import plotly.graph_objects as go

from featlab.debate.ensembles import Pair
from featlab.inputs.checks import between
from featlab.plots.debate import PairView, pair_figure, pair_steps
from featlab.types import Dataset
from featlab.widgets.knobs import look
from featlab.widgets.live import Live
from featlab.widgets.pictures import trace

BARS = ("the feature itself", "student of its D_det")  # who is right on real images, as the figure names them


class FeatureExplorer(Live):
    """How much of a robust feature a non-robust one contains (alpha), and the radius that robust is meant at
    (eps).

    train, test  where the two classes' images come from
    classes      (minus, plus)
    push         l2 radius of the D_det that is made with each feature
    shares       feature -> % of real test images right, by itself and by the student of its D_det
    """

    says = "feature explorer"

    def __init__(
        self,
        train: Dataset,
        test: Dataset,
        classes: tuple[int, int],
        *,
        push: float,
        alpha: float = 0.5,
        eps: float = 0.5,
    ):
        push, alpha = between(push, "push", 0), between(alpha, "alpha", 0, 1)
        eps = between(eps, "eps", 0.1, 1.5)
        points = Pair.of(train, classes)
        self.view = PairView(points, Pair.of(test, classes, points.centre), push)
        super().__init__()
        self.figure = go.FigureWidget(pair_figure(self.view, alpha, eps))
        twin = pair_steps(self.view, eps, [fifth / 5 for fifth in range(6)])
        self.assemble(self._knobs(alpha, eps), [self.figure, self.verdict], twin)

    def _knobs(self, alpha: float, eps: float) -> list[w.Widget]:
        size = look(70, 330)
        self.alpha = w.FloatSlider(alpha, min=0, max=1, step=0.05, description="alpha", **size)
        self.eps = w.FloatSlider(eps, min=0.1, max=1.5, step=0.1, description="eps (l2)", **size)
        return [self.alpha, self.eps]

    def draw(self) -> None:
        """Show what the knobs say."""
        alpha, eps = self.alpha.value, self.eps.value
        features = self.view.features(alpha, eps)
        points = {name: self.view.point(a) for name, a in features.items()}
        self.shares = {name: self.view.shares(a) for name, a in features.items()}
        with self.figure.batch_update():
            for name, (x, y) in points.items():
                point = trace(self.figure, name)
                point.x, point.y = [x], [y]
            trace(self.figure, "eps").x = [eps, eps]
            for name, right in zip(BARS, zip(*self.shares.values(), strict=True), strict=True):
                bars = trace(self.figure, name)
                bars.y, bars.text = right, [f"{share:.0f}" for share in right]
        (x, y), (own, student) = points["containment"], self.shares["containment"]
        self.verdict.value = (
            f"The containment at alpha {alpha:.2f} is <b>{feature_kind(x, y, eps)}</b>: usefulness {y:.2f}, "
            f"broken at radius {x:.3f}. It is right on "
            f"{own:.0f} % of real test images; the student of the D_det made with it, on "
            f"<b>{student:.0f} %</b>."
        )


def feature_kind(radius: float, usefulness: float, eps: float) -> str:
    """What a feature that breaks at a radius is called if robust means at eps: l2 in pixels of [0, 1]."""
    if radius > eps:
        return "robustly useful"
    return "useful and not robust" if usefulness > 0.05 else "hardly useful, and not robust"
