"""Small questions about integers."""

from numbers import Integral


def is_count(n: object, least: int = 1) -> bool:
    """Whether n is an integer, of Python or NumPy, and at least ``least``."""
    return isinstance(n, Integral) and int(n) >= least


def prime_factors(n: int) -> dict[int, int]:
    """The exponents of the primes that divide n ≥ 1, primes ascending."""
    found: dict[int, int] = {}
    prime = 2
    while prime * prime <= n:
        while n % prime == 0:
            found[prime] = found.get(prime, 0) + 1
            n //= prime
        prime += 1
    if n > 1:
        found[n] = 1
    return found


def is_prime(n: int) -> bool:
    """Whether n is prime, by trial division."""
    return n > 1 and prime_factors(n) == {n: 1}


def divisors(n: int) -> list[int]:
    """The positive divisors of n ≥ 1, ascending."""
    return [d for d in range(1, n + 1) if n % d == 0]
