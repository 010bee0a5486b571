"""What the further probes of an audit found."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from goldstone.auditing.data_symmetry import DataSymmetry
from goldstone.auditing.equivariance_error import EquivarianceErrors
from goldstone.auditing.layer_coherence import LayerCoherence
from goldstone.auditing.lie_derivative import LieDerivative
from goldstone.auditing.lie_derivative_by_layer import LieDerivativeByLayer
from goldstone.auditing.loss_landscape import LossLandscape
from goldstone.auditing.orbit_metrics import OrbitMetric
from goldstone.auditing.orbit_spectrum import OrbitSpectrum
from goldstone.auditing.stiffness import Stiffness
from goldstone.auditing.teach_once_results import TaughtOnce
from goldstone.auditing.unrolled import UnrolledCoherence


@dataclass(frozen=True)
class ProbeResults:
    """One entry for each probe that was asked for; None, or empty, for the others.

    ``layer_coherence`` is by element, ``lie_derivative_by_layer`` by direction of the Lie algebra's
    basis, ``unrolled`` by number of steps. ``left_out`` says why a probe does not apply here, or
    why it failed.
    """

    equivariance: EquivarianceErrors | None = None
    orbit_metric: OrbitMetric | None = None
    lie_derivative: LieDerivative | None = None
    lie_derivative_by_layer: tuple[LieDerivativeByLayer, ...] = ()
    layer_coherence: Mapping[str, LayerCoherence] = field(default_factory=dict)
    stiffness: Stiffness | None = None
    orbit_spectrum: OrbitSpectrum | None = None
    unrolled: tuple[UnrolledCoherence, ...] = ()
    landscape: LossLandscape | None = None
    data_symmetry: DataSymmetry | None = None
    teach_once: TaughtOnce | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
