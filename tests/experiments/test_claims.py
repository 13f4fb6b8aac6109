"""The claims of the paper follow the numbers."""

from featlab.experiments import claims, entries


def row(clean, attacked):
    cell = lambda v: entries.Entry(v, v - 0.02, v + 0.02, 2000)  # noqa: E731
    return {"clean": cell(clean), "attacked": {"0.5": cell(attacked)}}


def test_claims_follow_the_numbers():
    paper = {
        "D": row(0.95, 0.04),
        "D_R": row(0.84, 0.48),
        "D_NR": row(0.88, 0.01),
        "D_rand": row(0.63, 0),
        "D_det": row(0.44, 0),
    }
    paper |= {"D_rand control": row(0.1, 0), "D_det control": row(0.0, 0)}
    assert all(ok for _, ok in claims.verdicts(paper, "0.5"))
    failed = {
        **paper,
        "D_R": row(0.84, 0.05),
        "D_rand": row(0.11, 0),
        "D_det": row(0.09, 0),
        "D_NR": row(0.88, 0.3),
    }
    assert not any(ok for _, ok in claims.verdicts(failed, "0.5"))
