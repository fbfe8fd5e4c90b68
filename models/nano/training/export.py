"""Writes a trained model as GGUF v3.

  python3 export.py NAME {q8_0|q4_0|f16} OUT.gguf [--extra-layers N] [--title TEXT] [--parallel N]

Extra layers have output projections of zero: the same tokens at the cost of a larger model (for benchmarks).
"""
import argparse
import struct

import numpy as np
import torch

from bpe import CONTROL, Tokenizer
from model import HEAD

TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8}
FILE_TYPES = {"f16": 1, "q4_0": 2, "q8_0": 7}
BLOCK = 32  # values that share one scale
ALIGNMENT = 32


def text(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


class Metadata:
    """Key-value pairs of the header."""

    def __init__(self):
        self.pairs = []

    def put(self, key, kind, value):
        self.pairs.append(text(key) + struct.pack("<I", kind) + value)

    def u32(self, key, value):
        self.put(key, 4, struct.pack("<I", value))

    def f32(self, key, value):
        self.put(key, 6, struct.pack("<f", value))

    def flag(self, key, value):
        self.put(key, 7, struct.pack("<?", value))

    def string(self, key, value):
        self.put(key, 8, text(value))

    def strings(self, key, values):
        self.put(key, 9, struct.pack("<IQ", 8, len(values)) + b"".join(map(text, values)))

    def i32s(self, key, values):
        self.put(key, 9, struct.pack("<IQ", 5, len(values)) + np.array(values, "<i4").tobytes())


def metadata(title, config, layers, tok, quant, parallel):
    m = Metadata()
    m.string("general.architecture", "llama")
    m.string("general.name", title)
    m.string("general.license", "apache-2.0")
    m.u32("general.file_type", FILE_TYPES[quant])
    heads = config["dim"] // HEAD
    for key, value in {"context_length": config["ctx"], "embedding_length": config["dim"], "block_count": layers,
                       "feed_forward_length": config["ffn"], "attention.head_count": heads, "attention.head_count_kv": heads,
                       "rope.dimension_count": HEAD, "vocab_size": len(tok.tokens)}.items():
        m.u32("llama." + key, value)
    m.f32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    m.f32("llama.rope.freq_base", 10000.0)
    m.string("tokenizer.ggml.model", "gpt2")
    m.string("tokenizer.ggml.pre", "gpt-2")
    m.strings("tokenizer.ggml.tokens", tok.tokens)
    m.i32s("tokenizer.ggml.token_type", [3 if t in CONTROL else 1 for t in tok.tokens])
    m.strings("tokenizer.ggml.merges", [a + " " + b for a, b in tok.merges])
    m.u32("tokenizer.ggml.eos_token_id", tok.end)
    m.u32("tokenizer.ggml.bos_token_id", tok.end)
    m.flag("tokenizer.ggml.add_bos_token", False)
    if parallel > 1:
        m.u32("phoenix.draft.mask_token_id", tok.end)
        m.u32("phoenix.draft.parallel_tokens", parallel)
    return m.pairs


def encode(a, kind):
    """The bytes of a tensor; quantised as ggml does it, in blocks of 32 along a row."""
    a = np.ascontiguousarray(a, np.float32)
    if kind == "f32":
        return a.tobytes()
    if kind == "f16":
        return a.astype("<f2").tobytes()
    b = a.reshape(-1, BLOCK)
    if kind == "q8_0":
        d = np.abs(b).max(1) / 127
        q = np.round(b / np.where(d == 0, 1, d)[:, None]).astype(np.int8).view(np.uint8)
    else:
        d = np.take_along_axis(b, np.abs(b).argmax(1)[:, None], 1)[:, 0] / -8
        q = np.clip(np.trunc(b / np.where(d == 0, 1, d)[:, None] + 8.5), 0, 15).astype(np.uint8)
        q = q[:, :16] | (q[:, 16:] << 4)
    return np.hstack([d.astype("<f2").view(np.uint8).reshape(-1, 2), q]).tobytes()


def whole_blocks(state):
    """Units of the feed-forward networks that write nothing are added until rows are whole blocks: the model says the same."""
    def padded(name, w):
        rest = -w.shape["ffn_down" in name] % BLOCK if ".ffn_" in name and w.ndim == 2 else 0
        if rest == 0:
            return w
        return torch.nn.functional.pad(w, (0, rest) if "ffn_down" in name else (0, 0, 0, rest))

    return {name: padded(name, w) for name, w in state.items()}


def tensors(state, layers, total, quant):
    """(name, shape, type, bytes) of all tensors, those of the extra layers included."""
    def tensor(name, w, kind=quant):
        return name, w.shape[::-1], TYPES[kind], encode(w, kind)

    yield tensor("token_embd.weight", state["token_embd.weight"].numpy())
    for i in range(total):
        prefix = f"blk.{min(i, layers - 1)}."
        for key in (k for k in state if k.startswith(prefix)):
            part, w = key[len(prefix):], state[key].numpy()
            silent = i >= layers and part in ("attn_output.weight", "ffn_down.weight")
            yield tensor(f"blk.{i}.{part}", w * 0 if silent else w, "f32" if w.ndim == 1 else quant)
    yield tensor("output_norm.weight", state["output_norm.weight"].numpy(), "f32")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("quant", choices=FILE_TYPES)
    parser.add_argument("out")
    parser.add_argument("--extra-layers", type=int, default=0)
    parser.add_argument("--title")
    parser.add_argument("--parallel", type=int, default=1, metavar="N", help="tokens that it guesses at once (parallel.py)")
    a = parser.parse_args()
    tok, saved = Tokenizer.load("tokenizer.json"), torch.load(a.name + ".pt")
    config, state = saved["config"], whole_blocks(saved["state"])
    config["ffn"] = state["blk.0.ffn_up.weight"].shape[0]
    total = config["layers"] + a.extra_layers
    pairs = metadata(a.title or "phoenix-nano-" + a.name, config, total, tok, a.quant, a.parallel)
    parts = list(tensors(state, config["layers"], total, a.quant))
    info, offset = b"", 0
    for name, shape, kind, data in parts:
        info += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", s) for s in shape)
        info += struct.pack("<IQ", kind, offset)
        offset += -(-len(data) // ALIGNMENT) * ALIGNMENT
    with open(a.out, "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, len(parts), len(pairs)) + b"".join(pairs) + info)
        f.write(b"\0" * (-f.tell() % ALIGNMENT))
        for *_, data in parts:
            f.write(data + b"\0" * (-len(data) % ALIGNMENT))
    print(a.out, f"{offset / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
