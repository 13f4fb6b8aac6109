"""Sections 1 and 2: adversarial examples, features, useful and robust."""

from featlab.experiments.ledger.rules import Statement

SECTION_2 = (
    Statement(
        "1",
        "A change that is small in l2 (1, in pixels of [0, 1]) turns most predictions of a standard "
        "network wrong.",
        "attacks.PGD",
        "00: fl.PGD(fl.L2(eps), steps=10)",
        "fashion-mnist-laptop: rows/D/attacked/1",
        0.5,
        less=True,
    ),
    Statement(
        "1",
        "Random changes as long as the attack do not: they fool the attacked network far less often.",
        "transfer.craft",
        "00: def noise(eps)",
        "fashion-mnist-laptop-figure3: source/transfer/noise/1",
        "fashion-mnist-laptop-figure3: source/transfer/untargeted/1",
        less=True,
    ),
    Statement(
        "2, eq. (1)",
        "Most of the weight of a standard network rests on useful features, those with rho > 0.",
        "features.usefulness",
        "01: fl.usefulness(",
        "fashion-mnist-laptop-spectra: rows/standard/kinds/0/weight/robustly useful",
        0.5,
    ),
    Statement(
        "2, eq. (2)",
        "At l2 0.5 most of the weight of a standard network rests on useful, non-robust features.",
        "features.robust_usefulness",
        "01: shares(0.5)[1]",
        "fashion-mnist-laptop-spectra: rows/standard/kinds/0.5/weight/useful, non-robust",
        0.5,
    ),
    Statement(
        "2",
        "A robust network rests less of its weight on useful, non-robust features than a standard network.",
        "features.spectrum.parts_of_spectrum",
        "01: share of the weight on useful, non-robust features",
        "fashion-mnist-laptop-spectra: rows/robust/kinds/0.5/weight/useful, non-robust",
        "fashion-mnist-laptop-spectra: rows/standard/kinds/0.5/weight/useful, non-robust",
        less=True,
    ),
    Statement(
        "2",
        "A robust network has a larger share of robustly useful features than a standard network.",
        "features.spectrum.parts_of_spectrum",
        "01: run.spectrum(name)",
        "fashion-mnist-laptop-spectra: rows/robust/kinds/0.5/points/robustly useful",
        "fashion-mnist-laptop-spectra: rows/standard/kinds/0.5/points/robustly useful",
    ),
    Statement(
        "2, eq. (3)",
        "Adversarial training makes a network accurate under attack where standard training does not.",
        "training.train",
        '03: lab.model("robust")',
        "fashion-mnist-laptop: rows/robust/attacked/1",
        "fashion-mnist-laptop: rows/D/attacked/1",
    ),
    Statement(
        "2",
        "Robustness costs accuracy: the robust network is less accurate on clean images.",
        "evaluation.accuracy",
        "03: teacher in {",
        "fashion-mnist-laptop: rows/robust/clean",
        "fashion-mnist-laptop: rows/D/clean",
        less=True,
    ),
    Statement(
        "2, eq. (2)",
        "An adversary can turn useful features anti-correlated with the label: gamma < 0 at l2 1 for "
        "most of the weight.",
        "features.robust_usefulness",
        '01: fl.measured("spectra")',
        "fashion-mnist-laptop-spectra: rows/standard/kinds/1/weight/useful, non-robust",
        0.5,
    ),
    Statement(
        "1, 4",
        "Gradients of robust networks look more like what people see than those of standard networks.",
        "attacks.pixel_gradient",
        "02: still.induced_metrics",
        pending="the gradients of real networks are still to be compared with differences of class means",
    ),
)
