"""Wrappers of whole models and what chooses their poses."""

from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from goldstone.actions import PointFeature, image_symmetry, point_cloud_symmetry
from goldstone.nn import (
    Canonicalised,
    FrameAverage,
    GramSchmidtCanonicaliser,
    OrbitAverage,
    PCAFrame,
    PointVectors,
    ScoringCanonicaliser,
)
from tests.nn.contract.entry import Case, Entry, batches, normal, one_more, unbatched

SIZE, POINTS = 4, 4
IMAGES = image_symmetry("turns-and-flips", (SIZE, SIZE), 1, "same")
CLOUDS = point_cloud_symmetry("se3", POINTS, output=(PointFeature("force", "vector"),))
WRONG = (one_more(1), unbatched)


def backbone(**given: Any) -> nn.Sequential:
    """Of images, without any symmetry but shifts."""
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, **given), nn.Tanh(), nn.Conv2d(3, 1, 3, padding=1, **given)
    )


def scorer(**given: Any) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(SIZE**2, 1, bias=False, **given))


class Forces(nn.Module):
    """Every point's force from all coordinates."""

    def __init__(self, **given: Any) -> None:
        super().__init__()
        size = POINTS * 3
        self.layers = nn.Sequential(
            nn.Linear(size, 16, **given), nn.Tanh(), nn.Linear(16, size, **given)
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x.flatten(1)).reshape(x.shape)
        return y


def of_images(make: Any) -> Case:
    return Case(make, batches((1, SIZE, SIZE)), IMAGES, power=None, wrong=WRONG)


def of_clouds(make: Any) -> Case:
    inputs = batches((POINTS, 3))
    return Case(make, inputs, CLOUDS, power=None, wrong=(one_more(-1), unbatched))


def scored(choice: Any) -> Case:
    """On images whose likeliest pose is clear, so that half precision finds the same."""
    return replace(
        of_images(
            lambda **given: Canonicalised(
                backbone(**given), IMAGES, ScoringCanonicaliser(scorer(**given), choice)
            )
        ),
        inputs=lambda batch: (normal(batch, 1, SIZE, SIZE, seed=6),),
    )


def gram_schmidt(**given: Any) -> Canonicalised:
    canonicaliser = GramSchmidtCanonicaliser(PointVectors(CLOUDS, **given))
    return Canonicalised(Forces(**given), CLOUDS, canonicaliser)


POSED = of_clouds(gram_schmidt)
STRAIGHT = "the choice counts as a mixture backwards, by design"
DETERMINANT = "poses take determinants in float64, which onnxruntime does not have"
BY_ELEMENT = (
    "elements of a finite group move inputs in Python: `torch.compile` takes several graphs for "
    "it, and exporters do not follow"
)

ENTRIES = (
    Entry(
        OrbitAverage,
        "any finite group, around any model; sampled for compact ones",
        "those of the model",
        {"D4": of_images(lambda **given: OrbitAverage(backbone(**given), IMAGES))},
        "exact over a whole group; falls as one over the root of the samples",
        unable=dict.fromkeys(("compile", "export", "onnx"), BY_ELEMENT),
    ),
    Entry(
        FrameAverage,
        "any group with a frame, around any model",
        "those of the model",
        {
            "SE(3), unchecked": of_clouds(
                lambda **given: FrameAverage(Forces(**given), CLOUDS, PCAFrame(CLOUDS, check=False))
            ),
            "SE(3)": of_clouds(
                lambda **given: FrameAverage(Forces(**given), CLOUDS, PCAFrame(CLOUDS))
            ),
        },
        unable={"onnx": "`PCAFrame` takes eigenvectors, which ONNX does not have"},
    ),
    Entry(
        Canonicalised,
        "any group with a canonicaliser, around any model",
        "those of the model",
        {"SE(3)": POSED, "D4, soft": scored("soft")},
        "exact where no two poses tie",
        unable={"onnx": DETERMINANT},
    ),
    Entry(
        ScoringCanonicaliser,
        "any finite group, inside `Canonicalised`",
        "as the model",
        {"D4": scored("straight-through")},
        "exact where no two poses tie",
        unable={"gradcheck": STRAIGHT} | dict.fromkeys(("compile", "export", "onnx"), BY_ELEMENT),
    ),
    Entry(
        GramSchmidtCanonicaliser,
        "SO(n), O(n), SE(n), E(n), inside `Canonicalised`",
        "as the model",
        {"SE(3)": POSED},
        "exact where the vectors are independent",
        unable={"onnx": DETERMINANT},
    ),
)
