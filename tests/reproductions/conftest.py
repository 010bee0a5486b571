import pytest

from goldstone.core import Statistic
from goldstone.reproductions import Claim, Comparison, Provenance, Reproduction


@pytest.fixture
def found():
    return Reproduction(
        name="example",
        title="An example",
        source="Nobody et al. 2026",
        setting="Two claims.",
        claims=(
            Claim(
                "Numbers | agree",
                "eq. 1",
                (
                    Comparison("mean", "0.97", Statistic(0.96, 0.95, 0.97, 3), "of three"),
                    Comparison("how", "well", words="quite well"),
                ),
                "reproduced",
                figures=("lines",),
            ),
            Claim("Numbers differ", "fig. 2", (), "not tested", "too large for two cores"),
        ),
        provenance=Provenance({"torch": "2"}, (0, 1), {"grid": 32}, {"training": 61.0}),
        figures={"lines": "Two lines"},
        tables={"curve": [0.5, 1.0]},
        drawings={"lines": "<svg/>"},
    )
