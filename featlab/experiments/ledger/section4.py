"""Section 4: the two-Gaussian model; exact numbers of gaussian, each with a bound that its claim asks for."""

from featlab.experiments.ledger.rules import Statement

SECTION_4 = (
    Statement(
        "4, Theorem 1",
        "The adversary's gain is tr[(I + (C Sigma - I)^-1)^2] - d, for the quadratic loss: relative "
        "error below 1e-9.",
        "gaussian.vulnerability",
        "02: g.vulnerability(three",
        "theory: Theorem 1, error of the formula",
        1e-09,
        less=True,
    ),
    Statement(
        "4, Theorem 1",
        "The formula is that of the negative log-likelihood with penalty C, as printed: relative "
        "error below 1 %.",
        "gaussian.nll",
        "02: loss = g.nll(",
        "theory: Theorem 1, error of the print to the letter",
        0.01,
        less=True,
    ),
    Statement(
        "4, Theorem 1",
        "Of all covariances with a given trace the round one is least vulnerable.",
        "gaussian.least_vulnerable",
        "02: g.vulnerability(three, C)",
        "theory: vulnerability, round",
        "theory: vulnerability, stretched",
        less=True,
    ),
    Statement(
        "4, Theorem 2",
        "Robust training learns Sigma_r, the covariance of the attacked data: error below 1e-9.",
        "gaussian.robust_covariance",
        "02: g.robust_covariance(three, radius)",
        "theory: Theorem 2, error of the fixed point",
        1e-09,
        less=True,
    ),
    Statement(
        "4, E.3.4",
        "Adversarial training finds Sigma_r: after ten epochs within 0.01.",
        "gaussian.adversarial_training",
        "02: g.adversarial_training(",
        "theory: Theorem 2, error of adversarial training",
        0.01,
        less=True,
    ),
    Statement(
        "4, Theorem 2",
        "The multiplier lambda lies between the theorem's bounds, with eps the squared budget: at "
        "more than 99.9 % of 1,000 radii.",
        "gaussian.multiplier_bounds",
        "02: still.multiplier_and_bounds(",
        "theory: Theorem 2, share within the bounds",
        0.999,
    ),
    Statement(
        "4, Theorem 2",
        "The bounds hold with eps the radius: lambda does not outgrow the upper one (ratio below 2 "
        "from 1e-3 to 1e-5).",
        "gaussian.multiplier",
        "02: misread = lam",
        "theory: Theorem 2, growth past the misread bound",
        2.0,
        less=True,
    ),
    Statement(
        "4, eq. (11)",
        "Theorem 2 approaches a ball for every sample as dimensions grow: the gap in 8 dimensions is "
        "less than in 2.",
        "gaussian.exact_robust_covariance",
        "02: still.exact_against_relaxed(",
        "theory: relaxation gap in 8 dimensions",
        "theory: relaxation gap in 2 dimensions",
        less=True,
    ),
    Statement(
        "4, E.2",
        "The relaxation becomes exact exponentially fast in the parameters: the gap in 8 dimensions "
        "is below 0.01.",
        "gaussian.exact_robust_covariance",
        "02: still.exact_against_relaxed(",
        "theory: relaxation gap in 8 dimensions",
        0.01,
        less=True,
    ),
    Statement(
        "4, Theorem 3",
        "The worst cosine of the gradient and the mean is 2 sqrt(k) / (1 + k): error below 1e-6.",
        "gaussian.worst_alignment",
        "02: for variance in (9, 25)",
        "theory: Theorem 3, error of the worst cosine",
        1e-06,
        less=True,
    ),
    Statement(
        "4, Theorem 3",
        "Robust training raises the worst cosine.",
        "gaussian.worst_alignment",
        "02: for variance in (9, 25)",
        "theory: worst cosine, robust",
        "theory: worst cosine, standard",
    ),
    Statement(
        "4, beyond Theorem 3",
        "Robust training aligns the gradient of every mean better, in any dimension: more than 99.9 %"
        " of 1,000 draws.",
        "gaussian.alignment",
        "02: rng, gains",
        "theory: share of means better aligned",
        0.999,
    ),
    Statement(
        "4, Figure 4",
        "As the adversary's budget grows the gradient turns towards the difference of the means.",
        "gaussian.alignment",
        "02: squared, plain",
        "theory: cosine at radius 3.16",
        "theory: cosine, standard",
    ),
    Statement(
        "4",
        "Robust training makes the linear rule more accurate under attack, at radius 1 in the plane "
        "of Figure 4.",
        "gaussian.robust_accuracy",
        "02: every_rule",
        "theory: plane at radius 1, robust",
        "theory: plane at radius 1, standard",
    ),
    Statement(
        "D.10, Figure 14",
        "Standard training (maximum likelihood) loses more than a tenth at radius 1 where a rule that"
        " loses nothing exists.",
        "gaussian.sample_separable",
        "02: g.sample_separable(4000)",
        "theory: Figure 14, likelihood at radius 1",
        0.9,
        less=True,
    ),
    Statement(
        "D.10, Figure 14",
        "Standard training is accurate on these data: more than 99 %.",
        "gaussian.maximum_likelihood",
        "02: g.sample_separable(4000)",
        "theory: Figure 14, likelihood, clean",
        0.99,
    ),
    Statement(
        "D.10, Figure 14",
        "Any standard loss is vulnerable there: logistic regression loses more than a tenth at radius 1.",
        "gaussian.logistic_regression",
        "02: g.sample_separable(4000)",
        "theory: Figure 14, logistic at radius 1",
        0.9,
        less=True,
    ),
)
