"""Finite fields GF(q) for prime powers q, as tables of whole numbers.

An element is a number from 0 to q - 1: its digits in base p are the coefficients of a polynomial over GF(p), lowest first.
Sums add the digits; products are taken modulo the first irreducible polynomial of degree m (Lidl and Niederreiter 1997, chapter 2).
0 and 1 are the field's own zero and one, so GF(p) is arithmetic modulo p.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np

#: Larger fields are not needed: an array over them has more rows than anybody renders.
MAX_ORDER = 1024


@dataclass(frozen=True)
class Field:
    """The tables of one field.

    Attributes:
        order: q.
        add: sums [shape=(q, q)].
        multiply: products [shape=(q, q)].
        primitive: an element whose powers are all elements but 0.
    """

    order: int
    add: np.ndarray
    multiply: np.ndarray
    primitive: int

    def powers(self, count: int) -> np.ndarray:
        """Return the first `count` powers of the primitive element, from its 0th on [shape=(count,)]."""
        found = [1]
        while len(found) < count:
            found.append(int(self.multiply[found[-1], self.primitive]))
        return np.array(found, dtype=np.int64)


def prime_power(order: int) -> tuple[int, int] | None:
    """Return (p, m) with p^m = order for a prime p, or None where there is no such pair.

    >>> prime_power(9), prime_power(8), prime_power(6)
    ((3, 2), (2, 3), None)
    """
    if order < 2:
        return None
    prime = next(p for p in range(2, order + 1) if order % p == 0)
    exponent, rest = 0, order
    while rest % prime == 0:
        rest //= prime
        exponent += 1
    return (prime, exponent) if rest == 1 else None


@functools.lru_cache(maxsize=32)
def field(order: int) -> Field:
    """Return GF(order).

    Raises:
        ValueError: the order is no prime power, or beyond `MAX_ORDER`.

    >>> gf4 = field(4)
    >>> int(gf4.multiply[2, 2]), int(gf4.add[2, 3])
    (3, 1)
    """
    parts = prime_power(order)
    if parts is None or order > MAX_ORDER:
        raise ValueError(f"there is no field of order {order} here")
    prime, degree = parts
    digits = np.array([_digits(n, prime, degree) for n in range(order)], dtype=np.int64)
    weights = prime ** np.arange(degree, dtype=np.int64)
    add = (digits[:, None, :] + digits[None, :, :]) % prime @ weights
    modulus = _irreducible(prime, degree)
    multiply = _reduced(_polynomial_products(digits), modulus, prime, degree) @ weights
    return Field(order, add, multiply, _primitive(multiply, order))


def _digits(number: int, base: int, length: int) -> list[int]:
    found = []
    for _ in range(length):
        found.append(number % base)
        number //= base
    return found


def _irreducible(prime: int, degree: int) -> list[int]:
    """Return the coefficients, lowest first, of the first monic polynomial that no smaller one divides."""
    for low in itertools.product(range(prime), repeat=degree):
        polynomial = [*low[::-1], 1]
        if not any(_divides(d, polynomial, prime) for d in _monic(prime, degree // 2)):
            return polynomial
    raise AssertionError("there is an irreducible polynomial of every degree")


def _monic(prime: int, most: int) -> list[list[int]]:
    return [[*low, 1] for degree in range(1, most + 1) for low in itertools.product(range(prime), repeat=degree)]


def _divides(divisor: list[int], polynomial: list[int], prime: int) -> bool:
    rest = list(polynomial)
    for top in range(len(rest) - 1, len(divisor) - 2, -1):
        factor = rest[top]  # the divisor is monic
        for i, coefficient in enumerate(divisor):
            rest[top - len(divisor) + 1 + i] = (rest[top - len(divisor) + 1 + i] - factor * coefficient) % prime
    return not any(rest)


def _polynomial_products(digits: np.ndarray) -> np.ndarray:
    """Return the coefficients of all products before reduction [shape=(q, q, 2 m - 1)]."""
    order, degree = digits.shape
    products = np.zeros((order, order, 2 * degree - 1), dtype=np.int64)
    for i, j in itertools.product(range(degree), repeat=2):
        products[:, :, i + j] += digits[:, None, i] * digits[None, :, j]
    return products


def _reduced(products: np.ndarray, modulus: list[int], prime: int, degree: int) -> np.ndarray:
    rest = products % prime
    for top in range(rest.shape[2] - 1, degree - 1, -1):
        for i in range(degree):
            rest[:, :, top - degree + i] -= rest[:, :, top] * modulus[i]
        rest[:, :, top] = 0
        rest %= prime
    return rest[:, :, :degree]


def _primitive(multiply: np.ndarray, order: int) -> int:
    """Return the first element whose powers run through all q - 1 elements but 0."""
    for element in range(1, order):
        power, steps = element, 1
        while power != 1:
            power = int(multiply[power, element])
            steps += 1
        if steps == order - 1:
            return element
    raise AssertionError("the multiplicative group of a field is cyclic")
