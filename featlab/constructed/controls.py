"""What the paper's sets are compared with: images in which there is nothing, and mixtures of two images."""

from dataclasses import replace

import torch
from torch import Tensor

from featlab import doors
from featlab.attacks import L2
from featlab.inputs.checks import instance, whole
from featlab.types import Dataset, check_images, pixels


def static(n: int, *, like: Dataset, seed: int = 0) -> Dataset:
    """Images of uniform noise, of the shape and with the classes of others: they hold no feature of anything.

    n     how many
    like  whose shape (c, h, w), classes and device they have
    seed  draws all pixels and labels, each pixel and each label independently and uniformly

    Their labels mean nothing. `mislabel` makes of them a set whose only signal is the perturbation (Kumano et
    al. 2024). A number of images below 1 is refused with a ValueError.
    """
    shape, classes = doors.dataset(like).images.shape[1:], like.num_classes
    n, generator = whole(n, "n", least=1), torch.Generator().manual_seed(whole(seed, "seed", least=None))
    images = torch.randint(256, (n, *shape), generator=generator, dtype=torch.uint8)
    labels = torch.randint(classes, (n,), generator=generator)
    return Dataset(images, labels, like.classes).to(like.device)


def blended(data: Dataset, others: Tensor, distance: Tensor) -> Dataset:
    """Each image moved straight towards another one, as far as is asked, or to it if it is nearer.

    Is D_R more than a mixture of x and x_0?

    others    (n, c, h, w) images, one for each of the data
    distance  (n,) l2 lengths in pixels of [0, 1]

    Other images of another shape than those of the data are refused with a ValueError.
    """
    x, other = pixels(doors.dataset(data).images), pixels(check_images(others)).to(data.device)
    distance = instance(distance, Tensor, "distance must be a tensor (n,)")
    if other.shape != x.shape or distance.shape != (len(x),):
        shapes = f"{tuple(other.shape)} and {tuple(distance.shape)}"
        raise ValueError(f"there must be one image and one distance for each of {len(x)}, got {shapes}")
    share = (distance.to(x) / L2.norm(other - x).clamp_min(1e-12)).clamp(max=1).view(-1, 1, 1, 1)
    return replace(data, images=(x + share * (other - x)).clamp(0, 1), report={})
