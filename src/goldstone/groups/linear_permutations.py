"""Linear groups over prime fields, as permutations of vectors or lines."""

from goldstone.groups.permutation_group import PermutationGroup

Rows = tuple[tuple[int, int], tuple[int, int]]


def special_linear_permutations(prime: int) -> PermutationGroup:
    """SL(2, p), on the non-zero vectors of 𝔽_p²."""
    return _on_vectors(f"SL(2,{prime})", prime, _SHEARS)


def general_linear_permutations(prime: int, primitive_root: int) -> PermutationGroup:
    """GL(2, p), on the non-zero vectors; ``primitive_root`` generates the units of 𝔽_p."""
    stretch = ((primitive_root, 0), (0, 1))
    return _on_vectors(f"GL(2,{prime})", prime, (*_SHEARS, stretch))


def projective_linear_permutations(prime: int) -> PermutationGroup:
    """PSL(2, p), on the p + 1 lines of 𝔽_p²."""
    lines = [(1, slope) for slope in range(prime)] + [(0, 1)]
    number = {line: i for i, line in enumerate(lines)}

    def line_of(x: int, y: int) -> tuple[int, int]:
        return (1, y * pow(x, -1, prime) % prime) if x else (0, 1)

    images = [
        [number[line_of(*_apply(matrix, line, prime))] for line in lines] for matrix in _SHEARS
    ]
    return PermutationGroup(images, f"PSL(2,{prime})")


_SHEARS: tuple[Rows, ...] = (((1, 1), (0, 1)), ((1, 0), (1, 1)))  # they generate SL(2, p)


def _on_vectors(name: str, prime: int, matrices: tuple[Rows, ...]) -> PermutationGroup:
    vectors = [(x, y) for x in range(prime) for y in range(prime) if x or y]
    number = {v: i for i, v in enumerate(vectors)}
    images = [[number[_apply(matrix, v, prime)] for v in vectors] for matrix in matrices]
    return PermutationGroup(images, name)


def _apply(matrix: Rows, v: tuple[int, int], prime: int) -> tuple[int, int]:
    (a, b), (c, d) = matrix
    return ((a * v[0] + b * v[1]) % prime, (c * v[0] + d * v[1]) % prime)
