"""Small perturbations: a ball Delta(x), a goal, and the one loop that follows gradients with respect to
pixels (section 2).

A ball (featlab.balls) knows its norm, how to project onto itself and its steepest direction. A goal is a loss
an image. `descend` joins them; PGD is `descend` with the cross-entropy for a goal. All radii and steps are in
pixels of [0, 1].
"""

from featlab.attacks.descent import (
    Goal,
    check_ball,
    check_reach,
    check_steps,
    descend,
    descend_outwards,
    follow,
    pixel_gradient,
)
from featlab.attacks.pgd import PGD, GradientAttack, away
from featlab.balls import L2, Ball, Linf, check_inside

__all__ = [
    "L2",
    "PGD",
    "Ball",
    "Goal",
    "GradientAttack",
    "Linf",
    "away",
    "check_ball",
    "check_inside",
    "check_reach",
    "check_steps",
    "descend",
    "descend_outwards",
    "follow",
    "pixel_gradient",
]
