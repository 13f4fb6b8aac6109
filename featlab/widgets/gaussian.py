"""Section 4 with sliders: Figure 4 and Theorem 3.

What moves comes from plots.gaussian and plots.angles; here it is only passed on to the browser.
"""

import numpy as np

from featlab import gaussian as g
from featlab.plots import angles
from featlab.plots import gaussian as plots
from featlab.widgets.knobs import angle, length
from featlab.widgets.sliders import Sliders


class TwoGaussians(Sliders):
    """Figure 4, live: radius, axis ratio and tilt of Sigma*; mu lies along x_1, and the trace of Sigma* is
    fixed.
    """

    says = "two Gaussians"

    def __init__(self, radius: float = 1.0, ratio: float = 4.0, tilt: int = 35):
        self.mu = np.array([2.0, 0.0])
        self.radius = length(radius, plots.FARTHEST, "radius")
        self.ratio = length(ratio, 8, "axis ratio of Σ*", least=1, step=0.1)
        self.tilt = angle(tilt, "tilt of Σ*, °")
        where = self.mu, g.planar(ratio, tilt)
        knobs = [self.radius, self.ratio, self.tilt]
        super().__init__(knobs, plots.figure4(*where, radius), plots.figure4_twin(*where))

    def state(self) -> tuple[list[dict], str]:
        where = self.mu, g.planar(self.ratio.value, self.tilt.value), self.radius.value
        return plots.figure4_traces(*where), plots.figure4_title(*where)


class GradientAngles(Sliders):
    """Theorem 3, live: direction of mu, axis ratio of Sigma*, radius."""

    says = "gradient angles"

    def __init__(self, heading: int = 30, ratio: float = 3.0, radius: float = 1.0):
        self.heading = angle(heading, "direction of μ, °")
        self.ratio = length(ratio, 8, "axis ratio of Σ*", least=1, step=0.1)
        self.radius = length(radius, 10, "radius")
        knobs = [self.heading, self.ratio, self.radius]
        figure = angles.gradient_angles(heading, ratio, radius)
        super().__init__(knobs, figure, angles.gradient_angles_twin(ratio, radius))

    def state(self) -> tuple[list[dict], str]:
        where = self.heading.value, self.ratio.value, self.radius.value
        return angles.angle_traces(*where), angles.angles_title(*where)
