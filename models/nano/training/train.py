"""Trains a model on lines that are made as it goes, so that no line is seen twice.

  python3 train.py NAME DIM LAYERS FFN MINUTES [--seed N] [--rate R] [--hold H] [--teacher OLD.pt] [--resume OLD.pt]
                   [--parallel N] [--device cuda --tokens 32768 --workers 12]

The learning rate follows the clock: it holds for a share of the time and falls to zero. Products in bfloat16. On a processor with one
thread: two trainings on two cores are faster than one with two threads. The loss counts only what stands behind <|out|>. With a teacher,
half of it is the distance (KL) from the teacher's probabilities. With --parallel it learns to guess N tokens at once (parallel.py). NAME.pt is written every four minutes; take another seed to go on from it.
"""
import argparse
import json
import multiprocessing
import os
import time

import torch
import torch.nn.functional as F

from bpe import Tokenizer
from generate import Generator
from model import Llama, load, save
from muon import Muon
from parallel import IGNORED, right, with_masks

HELD_OUT = [os.path.join(os.path.dirname(__file__), "..", f) for f in ("heldout.jsonl", "heldout-changes.jsonl")]
SAVE_SECONDS = 240
WARM_UP_STEPS = 60


def row(tok, line):
    """(ids, labels) of a line: each output token is the label of the position before it."""
    p, o = tok.encode(line["prompt"]), tok.encode(line["out"]) + [tok.end]
    return p + o[:-1], [IGNORED] * (len(p) - 1) + o


def batches(tok, seed, tokens, pool):
    """Endless batches of lines of similar length, of about `tokens` tokens. Yields (ids, labels)."""
    gen, rng = Generator("train", seed), torch.Generator().manual_seed(seed)
    while True:
        rows = sorted((row(tok, gen.line()) for _ in range(pool)), key=lambda r: len(r[0]))
        packs, cur = [], []
        for r in rows:
            if cur and (len(cur) + 1) * len(r[0]) > tokens:
                packs.append(cur)
                cur = []
            cur.append(r)
        for i in torch.randperm(len(packs), generator=rng).tolist():
            yield tuple(t.short() for t in padded(tok, packs[i]))


def produce(queue, seed, tokens, pool):
    torch.set_num_threads(1)
    for ids, labels in batches(Tokenizer.load("tokenizer.json"), seed, tokens, pool):
        queue.put((ids.numpy(), labels.numpy()))


def from_workers(count, seed, tokens, pool):
    """The batches that `count` processes make, as they come."""
    queue = multiprocessing.Queue(4 * count)
    for i in range(count):
        multiprocessing.Process(target=produce, args=(queue, seed * 1000 + i, tokens, pool), daemon=True).start()
    while True:
        yield tuple(map(torch.from_numpy, queue.get()))


def padded(tok, rows):
    """(ids, labels) of rows of different lengths; what stands behind the end of a row counts for nothing."""
    T = max(len(x) for x, _ in rows)
    return (torch.tensor([x + [tok.end] * (T - len(x)) for x, _ in rows]),
            torch.tensor([y + [IGNORED] * (T - len(y)) for _, y in rows]))


@torch.no_grad()
def exact(model, tok, device, parallel=1):
    """
    Share of held-out lines of which every output token is the likeliest one, so that the greedy output is the same; and of the tokens
    guessed for the first mask, the second and so on.
    """
    lines = [("changes" if "changes" in file else x["task"], x) for file in HELD_OUT for x in map(json.loads, open(file))]
    rows = sorted(((row(tok, x), task + "/" + x["lang"]) for task, x in lines), key=lambda r: len(r[0][0]))
    score, guesses = {}, 0
    for i in range(0, len(rows), 32):
        ids, labels = (t.to(device) for t in padded(tok, [r for r, _ in rows[i:i + 32]]))
        whole = ((model.logits(model.hidden(ids)).argmax(-1) == labels) | (labels == IGNORED)).all(-1)
        for (_, name), hit in zip(rows[i:i + 32], whole.tolist()):
            s = score.setdefault(name, [0, 0])
            s[0] += hit
            s[1] += 1
        if parallel > 1:
            guesses += torch.stack(right(model, ids, labels, tok.end, parallel)).cpu()
    score = {k: round(a / n, 3) for k, (a, n) in sorted(score.items())}
    return score if parallel == 1 else score | {"guessed": (guesses[0] / guesses[1]).numpy().round(3).tolist()}


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
    parser.add_argument("--parallel", type=int, default=1, metavar="N", help="tokens to guess at once")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tokens", type=int, default=2560, help="tokens of a step")
    parser.add_argument("--workers", type=int, default=0, help="processes that make lines; 0: none of their own")
    a = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    tok = Tokenizer.load("tokenizer.json")
    model = load(a.resume).train() if a.resume else Llama(len(tok.tokens), *a.shape)
    model.to(a.device)
    teacher = load(a.teacher, a.device) if a.teacher else None
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embd" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() == 1 or "embd" in n]
    muon, adam = Muon(matrices), torch.optim.Adam(others, lr=1, betas=(.9, .95))
    print(a.name, "parameters", sum(p.numel() for p in model.parameters()), flush=True)
    lines = max(2048, a.tokens // 2)
    source = from_workers(a.workers, a.seed, a.tokens, lines) if a.workers else batches(tok, a.seed, a.tokens, lines)
    start = saved = shown = time.time()
    step = seen = 0
    mean = None
    for ids, labels in source:
        done = (time.time() - start) / (a.minutes * 60)
        if done >= 1:
            break
        rate = a.rate * min(1, (step + 1) / WARM_UP_STEPS) * min(1, (1 - done) / (1 - a.hold))
        ids, labels = ids.to(a.device).long(), labels.to(a.device).long()
        at = labels != IGNORED
        wanted = labels[at]
        with torch.autocast(a.device, dtype=torch.bfloat16):
            if a.parallel == 1:
                h = model.hidden(ids)
            else:
                longer, where, sees, guessed = with_masks(ids, labels, tok.end, a.parallel)
                h = model.hidden(longer, where, sees)
            z = model.logits(h[:, :ids.shape[1]][at])
            if teacher is not None:
                with torch.no_grad():
                    soft = teacher.logits(teacher.hidden(ids)[at]).softmax(-1)
            z_guessed = model.logits(h[guessed != IGNORED]) if a.parallel > 1 else None
        loss = F.cross_entropy(z, wanted)
        total = loss if teacher is None else .5 * loss - .5 * (soft * z.log_softmax(-1)).sum(-1).mean()
        if z_guessed is not None:
            total = total + F.cross_entropy(z_guessed, guessed[guessed != IGNORED])
        model.zero_grad(set_to_none=True)
        total.backward()
        for g in adam.param_groups:
            g["lr"] = rate / 5
        adam.step()
        muon.step(rate)
        step, seen = step + 1, seen + ids.numel()
        mean = loss.detach() if mean is None else .98 * mean + .02 * loss.detach()
        now = time.time()
        if now - shown > 10:
            shown = now
            print(f"{(now - start) / 60:.1f} min, step {step}, loss {mean:.4f}, {seen / (now - start):.0f} tokens/s", flush=True)
        if now - saved > SAVE_SECONDS:
            saved = now
            save(model, a.name + ".pt")
            print("held out", exact(model, tok, a.device, a.parallel), flush=True)
    save(model, a.name + ".pt")
    print(f"{step} steps, {seen} tokens, loss {mean:.4f}; held out", exact(model, tok, a.device, a.parallel), flush=True)


if __name__ == "__main__":
    main()
