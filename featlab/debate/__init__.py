"""The debate about the paper as experiments: what critics objected, what later work found, each as a short
function.

leakage       robust features leak into D_rand (Goh 2019)
wrong_labels  learning from wrong labels alone (Wallace 2019), and sets with the labels' accidental signal
              only
bugs          adversarial examples that are bugs after all (Nakkiran 2019)
ensembles     two useful, non-robust features in closed form (Goh 2019)
beyond        other shifts than small perturbations (Gilmer and Hendrycks 2019)
stronger      stronger attacks than the one used to evaluate (Croce and Hein 2020)

The comments of 2019 and the authors' replies are in Distill, doi 10.23915/distill.00019.
"""
