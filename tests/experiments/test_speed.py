"""Operations are counted as by hand, and a clock runs forward."""

import time

from torch import nn

from featlab.experiments import speed


def test_the_operations_of_a_convolution_and_a_layer_are_those_counted_by_hand():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(), nn.Linear(8 * 16, 10))
    products = 16 * 8 * 3 * 9 + 8 * 16 * 10
    assert speed.flops(network, (3, 4, 4)) == 2 * products


def test_a_clock_measures_what_it_runs():
    assert 0.01 <= speed.clock(lambda: time.sleep(0.01)) < 5


def test_a_peak_and_a_throughput_are_positive():
    assert speed.peak("cpu", 64) > 0
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    assert speed.throughput(network, (1, 4, 4), images=8) > 0
