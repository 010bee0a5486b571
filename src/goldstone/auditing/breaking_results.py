"""Why models are asymmetric: what is measured of each element, and the reading."""

from dataclasses import dataclass
from typing import Literal

from goldstone.core import Statistic

Kind = Literal["symmetric", "explicit", "spontaneous", "built in", "undetermined"]
"""Why a model is, or is not, symmetric under an element:

``symmetric``     the models are equivariant, to the tolerance, whatever the data are;
``explicit``      the data or the task break the symmetry, and the models do;
``spontaneous``   no asymmetry of the data is seen, every model breaks the symmetry, and each in its
                  own way, so that their mean is nearer to symmetry than they are;
``built in``      no asymmetry of the data is seen, and all models break the symmetry in the same
                  way: the architecture, the loss or the training does it, or an asymmetry of the
                  data that the test did not find;
``undetermined``  the intervals do not decide, or there is one model only.
"""

_UNKNOWN = Statistic(None)


@dataclass(frozen=True)
class ElementBreaking:
    """Why the models are asymmetric under one element.

    With Δ_s = f_s(gx) − g f_s(x) of the models s = 1 … S:

    Attributes:
        name: of the element.
        data_is_broken: the answer of the data test.
        single: E_s ‖Δ_s‖/‖f_s(x)‖, the mean error of a single model.
        ensemble: ‖mean_s Δ_s‖/‖mean_s f_s(x)‖, the error of the mean prediction.
        shared: E⟨Δ_s, Δ_t⟩/E‖Δ_s‖² over pairs s ≠ t: the share of the asymmetry that the models
            have in common. 0: each breaks the symmetry in its own way, and the ensemble's squared
            error falls as 1/S; 1: all in the same way. Its interval is for these models, by
            resampling trajectories. None for one model.
        untrained: ``single`` of the untrained models, if they were given.
        kind: see :data:`Kind`.
        reason: in words.
        growth: E log of ``single`` over ``untrained``, paired by sample: the control for what the
            initialisation brought. Below 0: training has reduced the asymmetry; above 0: it has
            made more of it. None without the untrained models.
    """

    name: str
    data_is_broken: bool
    single: Statistic
    ensemble: Statistic
    shared: Statistic
    untrained: Statistic
    kind: Kind
    reason: str
    growth: Statistic = _UNKNOWN


@dataclass(frozen=True)
class BreakingKinds:
    """Explicit against spontaneous breaking, element by element.

    Attributes:
        symmetry: its name.
        models: how many.
        tolerance: relative error up to which a model counts as symmetric.
        elements: the results.
        confounds: what could fool this reading, and whether it was controlled.
    """

    symmetry: str
    models: int
    tolerance: float
    elements: tuple[ElementBreaking, ...]
    confounds: tuple[str, ...]
