#!/usr/bin/env python3
"""Known answers for RandomStream, from an independent implementation: hashlib, Python's integers and its math library.

Prints what Tests/TensorCoreTests/RandomStreamTests.swift expects. Python 3.9 or later; no packages.
"""
import hashlib
import math
import struct

MASK = (1 << 64) - 1


class Stream:
    """xoshiro256** with the SHA-256 of (seed, length of name, name) as its state."""

    def __init__(self, seed, name):
        text = name.encode()
        digest = hashlib.sha256(struct.pack("<QQ", seed, len(text)) + text).digest()
        self.s = list(struct.unpack(">4Q", digest))

    def next(self):
        s = self.s
        rotate = lambda x, k: ((x << k) | (x >> (64 - k))) & MASK
        result = (rotate((s[1] * 5) & MASK, 7) * 9) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
        return result

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53

    def below(self, bound):
        if bound < 2:
            return 0
        while True:
            product = self.next() * bound
            if (product & MASK) >= (1 << 64) % bound:
                return product >> 64

    def normal(self):
        while True:
            u, v = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            s = u * u + v * v
            if 0 < s < 1:
                return u * math.sqrt(-2 * math.log(s) / s)

    def shuffle(self, items):
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]


def main():
    stream = Stream(42, "trial/abc/0/weights")
    print("next    ", [hex(stream.next()) for _ in range(4)])
    stream = Stream(42, "trial/abc/0/weights")
    print("uniform ", [stream.uniform() for _ in range(4)])
    stream = Stream(7, "größe")
    print("below   ", [stream.below(bound) for bound in (1, 2, 10, 1000, 3 << 61, 3 << 61, 3 << 61)])
    stream = Stream(0, "")
    print("normal  ", [stream.normal() for _ in range(5)])
    items = list(range(12))
    Stream(1, "order").shuffle(items)
    print("shuffle ", items)


if __name__ == "__main__":
    main()
