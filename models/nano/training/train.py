"""Trains a model on lines that are made as it goes, so that no line is seen twice.

  python3 train.py NAME DIM LAYERS FFN MINUTES [--seed N] [--rate R] [--hold H] [--teacher OLD.pt] [--resume OLD.pt]

The learning rate follows the clock: it holds for a share of the time and falls to zero. One thread, bfloat16 products; two trainings on
two cores are faster than one with two threads. The loss counts only what stands behind <|out|>. With a teacher, half of it is the distance (KL) from the
teacher's probabilities. NAME.pt is written every four minutes; take another seed to go on from it.
"""
import argparse
import json
import os
import time

import torch
import torch.nn.functional as F

from bpe import Tokenizer
from generate import Generator
from model import Llama, load, save
from muon import Muon

HELD_OUT = os.path.join(os.path.dirname(__file__), "..", "heldout.jsonl")
IGNORED = -100  # the label that cross_entropy leaves out
TOKENS_PER_STEP = 2560
SAVE_SECONDS = 240
WARM_UP_STEPS = 60


def row(tok, line):
    """(ids, labels) of a line: each output token is the label of the position before it."""
    p, o = tok.encode(line["prompt"]), tok.encode(line["out"]) + [tok.end]
    return p + o[:-1], [IGNORED] * (len(p) - 1) + o


def batches(tok, seed, pool=2048):
    """Endless batches of lines of similar length. Yields (ids, labels)."""
    gen, rng = Generator("train", seed), torch.Generator().manual_seed(seed)
    while True:
        rows = sorted((row(tok, gen.line()) for _ in range(pool)), key=lambda r: len(r[0]))
        packs, cur = [], []
        for r in rows:
            if cur and (len(cur) + 1) * len(r[0]) > TOKENS_PER_STEP:
                packs.append(cur)
                cur = []
            cur.append(r)
        for i in torch.randperm(len(packs), generator=rng).tolist():
            b = packs[i]
            T = len(b[-1][0])
            yield (torch.tensor([x + [tok.end] * (T - len(x)) for x, _ in b]),
                   torch.tensor([y + [IGNORED] * (T - len(y)) for _, y in b]))


@torch.no_grad()
def exact(model, tok):
    """Share of held-out lines of which every output token is the likeliest one, so that the greedy output is the same."""
    score = {}
    for line in open(HELD_OUT):
        x = json.loads(line)
        ids, labels = map(torch.tensor, row(tok, x))
        at = labels != IGNORED
        s = score.setdefault(x["task"] + "/" + x["lang"], [0, 0])
        s[0] += bool((model.logits(model.hidden(ids[None])[0, at]).argmax(-1) == labels[at]).all())
        s[1] += 1
    return {k: round(a / n, 3) for k, (a, n) in sorted(score.items())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("shape", type=int, nargs=3, metavar="DIM|LAYERS|FFN")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=.02, help="learning rate of the matrices; the others have a fifth of it")
    parser.add_argument("--hold", type=float, default=.5, help="share of the time before the learning rate falls")
    parser.add_argument("--teacher")
    parser.add_argument("--resume")
    a = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    tok = Tokenizer.load("tokenizer.json")
    model = load(a.resume).train() if a.resume else Llama(len(tok.tokens), *a.shape)
    teacher = load(a.teacher) if a.teacher else None
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embd" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() == 1 or "embd" in n]
    muon, adam = Muon(matrices), torch.optim.Adam(others, lr=1, betas=(.9, .95))
    print(a.name, "parameters", sum(p.numel() for p in model.parameters()), flush=True)
    start = saved = time.time()
    step = seen = 0
    mean = None
    for ids, labels in batches(tok, a.seed):
        done = (time.time() - start) / (a.minutes * 60)
        if done >= 1:
            break
        rate = a.rate * min(1, (step + 1) / WARM_UP_STEPS) * min(1, (1 - done) / (1 - a.hold))
        at = labels != IGNORED
        with torch.autocast("cpu", dtype=torch.bfloat16):
            z = model.logits(model.hidden(ids)[at])
            if teacher is not None:
                with torch.no_grad():
                    soft = teacher.logits(teacher.hidden(ids)[at]).softmax(-1)
        loss = F.cross_entropy(z, labels[at])
        total = loss if teacher is None else .5 * loss - .5 * (soft * z.log_softmax(-1)).sum(-1).mean()
        model.zero_grad(set_to_none=True)
        total.backward()
        for g in adam.param_groups:
            g["lr"] = rate / 5
        adam.step()
        muon.step(rate)
        step, seen = step + 1, seen + ids.numel()
        mean = loss.item() if mean is None else .98 * mean + .02 * loss.item()
        if step % 25 == 0:
            t = time.time() - start
            print(f"{t / 60:.1f} min, step {step}, loss {mean:.4f}, {seen / t:.0f} tokens/s", flush=True)
        if step % 600 == 0:
            print("held out", exact(model, tok), flush=True)
        if time.time() - saved > SAVE_SECONDS:
            saved = time.time()
            save(model, a.name + ".pt")
    save(model, a.name + ".pt")
    print(f"{step} steps, {seen} tokens, loss {mean:.4f}; held out", exact(model, tok), flush=True)


if __name__ == "__main__":
    main()
