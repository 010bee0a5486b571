"""What ``goldstone audit --help`` says before its options."""

from textwrap import fill

from goldstone.actions import FLOW_SYMMETRIES
from goldstone.cli.pair_symmetries import PAIR_SYMMETRIES

_SYMMETRIES = "\n".join(
    f"  {name:<14}{meaning.replace(': no symmetry, a negative', ': a')}"
    for name, meaning in FLOW_SYMMETRIES.items()
)
_PAIRS = "\n".join(
    fill(f"  {name:<28}{meaning}", 78, subsequent_indent=" " * 30)
    for name, meaning in PAIR_SYMMETRIES.items()
)
_FIBRES = ("scalar, pseudoscalar, vector,", "density, momentum, energy")

HELP = f"""Has MODEL learned a symmetry: does it hold, does learning transport?

MODEL is a directory or checkpoint written by goldstone train, or a factory:
MODULE:NAME or FILE.py:NAME, a class or function that returns a
torch.nn.Module and takes the arguments of --set. Naming a factory runs its
code. Its weights come from --weights: safetensors, or a .pt that holds a
state_dict alone.

DATA are held-out, and of one of two kinds. Trajectories of flows, .npz or
.h5, for a model that maps a state (batch, channel, X, Y) to the one a step
later: if goldstone wrote them, they say what their channels are; otherwise
say it by --fields and --dt, or in a symmetry file. Or pairs, an .npz with the
arrays inputs and targets, sample axis first, for any other model: images and
labels, point clouds and energies, sequences and sequences. Several inputs are
arrays inputs.NAME, which the model takes as keyword arguments.

\b
Examples:
  goldstone audit runs/unet --data test.npz --symmetry d4 --out audits/unet
  goldstone audit runs/unet --data test.npz --symmetry shifts --json
  goldstone audit mymodel.py:build --set width=32 --weights w.safetensors \\
      --data test.npz
  goldstone audit neuralop.models:FNO --set "n_modes=[12, 12]" \\
      --set in_channels=2 --set out_channels=2 --set hidden_channels=16 \\
      --weights fno.safetensors --data test.npz --symmetry shifts
  goldstone audit mymodel.py:Net --data plain.npz --dt 0.05 \\
      --fields density:density,momentum:momentum,energy:energy
  goldstone audit mymodel.py:Net --data plain.npz --symmetry symmetry.toml
  goldstone audit runs/unet --data test.npz --fail-under 0.3 --fail-over 1.5
  goldstone audit runs/unet --data test.npz --probes all --out audits/unet
  goldstone audit mynet.py:Classifier --weights w.safetensors \\
      --data images.npz --symmetry images/rotations
  goldstone audit mynet.py:build --data pairs.npz --symmetry mynet.py:symmetry

\b
Symmetries of flows:
{_SYMMETRIES}

\b
Symmetries of pairs; outputs move as inputs do if they have the same shape,
and not at all otherwise, or as --on-output says:
{_PAIRS}
  FILE.py:NAME, MODULE:NAME   a goldstone.actions.Symmetry of your own,
                              or a function that returns one

\b
A symmetry file, for vectors that point elsewhere or for chosen elements:
  [symmetry]
  name = "d4"            # one of the above
  pivot = "cell"         # or "node": the fixed point of turns
  elements = ["r", "s"]  # if not all; for boosts [[0.5, 0.0]]
  [[fields]]
  name = "velocity"
  fibre = "velocity"     # or {_FIBRES[0]}
                         # {_FIBRES[1]}
  axes = [0, 1]          # component k points along signs[k] times
  signs = [1, 1]         # the spatial axis axes[k]
  [data]
  dt = 0.05
  lengths = [1.0, 1.0]
  system = "navier-stokes"     # to verify it against this solver
  parameters = {{viscosity = 0.002}}

\b
Exit codes: 0 it holds, 1 it does not, 3 undetermined, 2 bad input or usage
(a refused symmetry is bad input).
With --fail-under or --fail-over they answer these limits instead: 0 every
tested element keeps them, with its whole 95 % interval; 1 one lies wholly
beyond; 3 undetermined, as of a model without skill.
"""
