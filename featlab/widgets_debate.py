"""The debate's slider: features of a pair of classes, and what D_det says about them."""

import ipywidgets as w
import plotly.graph_objects as go

from featlab.debate.ensembles import Pair
from featlab.plots_debate import PairView, pair_figure, pair_steps
from featlab.types import Dataset
from featlab.widgets import Live, guarded


class FeatureExplorer(Live):
    """How much of a robust feature a non-robust one contains (alpha), and the radius that robust is meant at (eps).

    train, test  where the two classes' images come from
    classes      (minus, plus)
    push         l2 radius of the D_det that is made with each feature
    """

    def __init__(self, train: Dataset, test: Dataset, classes: tuple[int, int], *, push: float, alpha: float = 0.5, eps: float = 0.5):
        points = Pair.of(train, classes)
        self.view = PairView(points, Pair.of(test, classes, points.centre), push)
        wide = {"style": {"description_width": "70px"}, "layout": w.Layout(width="330px")}
        self.alpha = w.FloatSlider(alpha, min=0, max=1, step=0.05, description="alpha", **wide)
        self.eps = w.FloatSlider(eps, min=0.1, max=1.5, step=0.1, description="eps (l2)", **wide)
        self.figure = go.FigureWidget(pair_figure(self.view, alpha, eps))
        self.message, self.verdict = w.HTML(), w.HTML()
        twin = pair_steps(self.view, eps, [i / 5 for i in range(6)])
        super().__init__([w.HBox([self.alpha, self.eps]), self.figure, self.verdict, self.message], twin, "feature explorer")
        for knob in (self.alpha, self.eps):
            knob.observe(guarded(self.draw, self.message), "value")
        self.draw()

    def draw(self) -> None:
        """Show what the knobs say."""
        alpha, eps = self.alpha.value, self.eps.value
        made = self.view.features(alpha, eps)
        points, shares = [self.view.point(a) for a in made.values()], [self.view.shares(a) for a in made.values()]
        with self.figure.batch_update():
            for trace, (x, y) in zip(self.figure.data[1:3], points, strict=True):
                trace.x, trace.y = [x], [y]
            self.figure.data[3].x = [eps, eps]
            for i, trace in enumerate(self.figure.data[4:6]):
                trace.y, trace.text = [pair[i] for pair in shares], [f"{pair[i]:.0f}" for pair in shares]
        (x, y), (own, student) = points[1], shares[1]
        kind = "robustly useful" if x > eps else "useful and not robust" if y > 0.05 else "hardly useful, and not robust"
        self.verdict.value = (
            f"The containment at alpha {alpha:.2f} is <b>{kind}</b>: usefulness {y:.2f}, broken at radius {x:.3f}. It is right on "
            f"{own:.0f} % of real test images; the student of the D_det made with it, on <b>{student:.0f} %</b>."
        )
