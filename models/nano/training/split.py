"""What training may show and what is held out, decided by hashes: the same on every machine and in every run."""
from zlib import crc32

HELD_OUT_PERCENT = 15


def held(s):
    """Whether a string (an invented word, a template with its wrappers) is held out."""
    return crc32(s.lower().encode()) % 100 < HELD_OUT_PERCENT


def part(items, split):
    """The items of a short list that belong to a split: the 15% with the lowest hashes are held out."""
    order = sorted(items, key=lambda s: crc32(s.encode()))
    cut = max(1, round(len(order) * HELD_OUT_PERCENT / 100))
    return order[:cut] if split == "eval" else order[cut:]
