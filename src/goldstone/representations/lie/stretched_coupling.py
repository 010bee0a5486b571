"""The couplings by which irreps grow: of the smallest one with another to the highest component.

Closed forms for :func:`goldstone.representations.lie.angular_momentum.coupling` and
``real_coupling``, cheap enough to be computed whenever matrices are.
"""

from math import sqrt

import numpy as np

from goldstone.representations.lie.angular_momentum import Real


def stretched_coupling(twice_j: int) -> Real:
    """The coupling of spin ½ and j − ½ to j ≥ ½, (2, 2j, 2j+1): √((j ± m)/2j)."""
    result = np.zeros((2, twice_j, twice_j + 1))
    q = np.arange(twice_j)
    result[0, q, q] = np.sqrt((twice_j - q) / twice_j)
    result[1, q, q + 1] = np.sqrt((q + 1) / twice_j)
    return result


def stretched_real_coupling(degree: int) -> Real:
    """The coupling of degrees 1 and l − 1 to l ≥ 1 in the real basis, (3, 2l−1, 2l+1).

    With C_m, S_m the components m and −m of degree l − 1, those of the product with (y, z, x) are
    z C_m √(l² − m²) + ½ √((l+m)(l+m−1)) (x C_(m−1) − y S_(m−1))
    − ½ √((l−m)(l−m−1)) (x C_(m+1) + y S_(m+1)), over √(l(2l−1)), and likewise for S_m; where C_0
    and another component meet, ½ is 1/√2.
    """
    y, z, x = range(3)
    result = np.zeros((3, 2 * degree - 1, 2 * degree + 1))
    before, after = degree - 1, degree  # where m = 0 is
    m = np.arange(1 - degree, degree)
    result[z, before + m, after + m] = np.sqrt(degree**2 - m**2)

    m = np.arange(1, degree + 1)
    up = np.sqrt((degree + m) * (degree + m - 1)) / 2
    up[:1] *= sqrt(2)
    result[x, before + m - 1, after + m] = up
    result[y, before + m - 1, after - m] = up
    m, up = m[1:], up[1:]  # there is no S_0
    result[y, before - m + 1, after + m] = -up
    result[x, before - m + 1, after - m] = up

    m = np.arange(degree - 1)
    down = np.sqrt((degree - m) * (degree - m - 1)) / 2
    down[:1] *= sqrt(2)
    result[x, before + m + 1, after + m] = -down
    result[y, before - m - 1, after + m] = -down
    m, down = m[1:], down[1:]
    result[x, before - m - 1, after - m] = -down
    result[y, before + m + 1, after - m] = down
    return result / sqrt(degree * (2 * degree - 1))
