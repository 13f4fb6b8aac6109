"""Section 3.3: transfer."""

from featlab.experiments.ledger.rules import Statement

STRANGERS = (
    Statement(
        "3.3",
        "Adversarial examples transfer: those of a source fool other architectures more often than "
        "noise as long.",
        "transfer.craft",
        "05: made.rate(model)",
        "fashion-mnist-laptop-figure3: rows/*/transfer/untargeted/1.5",
        "fashion-mnist-laptop-figure3: rows/*/transfer/noise/1.5",
    ),
    Statement(
        "3.3, Figure 3",
        "Architectures that learn more from the source's D_det are fooled more: the correlation over "
        "seven architectures is above 0.",
        "intervals.pearson",
        "05: trend.correlations(",
        "trend: untargeted",
        0.0,
    ),
    Statement(
        "3.3, Figure 3",
        "The trend does not hang on the source's own architecture: without the cnn the correlation is"
        " above 0.",
        "intervals.pearson",
        "05: trend.correlations(",
        "trend: untargeted, without the cnn",
        0.0,
    ),
    Statement(
        "3.3, Figure 3",
        "The source's own architecture learns more from the source's D_det than a fully connected network.",
        "experiments.figure3.Figure3",
        "05: trend.scatter_points(reports)",
        "fashion-mnist-laptop-figure3: rows/cnn/D_det",
        "fashion-mnist-laptop-figure3: rows/mlp/D_det",
    ),
    Statement(
        "3.3, Figure 3",
        "Each architecture learns more from D_det than from the labels of D_det on unperturbed images.",
        "experiments.figure3.Figure3",
        "05: trend.scatter_points(reports)",
        pending="only the cnn has such a control so far",
    ),
    Statement(
        "3.3",
        "Transfer holds between networks trained on independently sampled training sets.",
        "transfer.craft",
        "05: made.rate(model)",
        pending="all networks here learned the same images; disjoint halves are still to be tried",
    ),
)
