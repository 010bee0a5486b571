"""What ``goldstone align --help`` says before its options."""

HELP = """Move network B along its symmetries to network A, and merge the two.

A and B are weights, safetensors or a .pt that holds a state_dict alone, of
one architecture, which --model names: MODULE:NAME or FILE.py:NAME, a class
or function that returns a torch.nn.Module and takes the arguments of --set.
Naming it runs its code. DATA are pairs, an .npz with the arrays inputs and
targets, sample axis first; several files are put together.

Two networks trained apart differ by the order of their hidden units,
channels and heads, by factors, signs and bases that no output shows. The
symmetries are found from the graph of the model and tested on the data: one
that changes the outputs is refused, with how much. Then B is moved to where
it is nearest to A (--method weights), where its units correlate with those
of A (activations), or where the loss half-way is small (learned): the same
function in other weights.

\b
Examples:
  goldstone align a.safetensors b.safetensors --model nets.py:MLP \\
      --data test.npz --out aligned
  goldstone align a.pt b.pt --model nets.py:GPT --set depth=4 \\
      --train train.npz --data test.npz --method learned --out out
  goldstone align a.pt b.pt --model nets.py:MLP --data test.npz \\
      --kinds permutation --json
  goldstone align a.pt b.pt --model nets.py:CNN --data test.npz --curve 500

The barrier is max over t of L(t) − (1−t)·L(0) − t·L(1) along the straight
line between the weights, B as given and B moved; with --curve also along a
trained quadratic Bézier curve. Its interval is a 95 % bootstrap over
samples. Running statistics of BatchNorm are reset at every point with the
training inputs.

\b
--out DIR receives
  align.json            all that --json prints
  barrier.svg           the loss along the paths
  aligned.safetensors   B moved: put it in place of B
  merged.safetensors    (1−t)·A + t·B moved, t from --merge-at
  learning.pt           while --method learned runs: the same command goes on
                        from it if it was stopped

\b
Exit codes: 0 done, and with --fail-over the barrier after moving is surely at
most that; 1 it is surely above; 3 undetermined, its interval holds the limit;
2 bad input: two architectures, weights that are not numbers, a model that
cannot be traced, a symmetry that changes the function.
"""
