"""The network: Llama as llama.cpp runs it (RMSNorm, RoPE, SwiGLU, tied embeddings), with heads of 64.

RoPE turns neighbouring pairs (2i, 2i+1), which is the layout of llama.cpp's "llama" architecture: the exporter writes Q and K as they are.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

# Smaller ones are many times slower: llama.cpp computes attention on a processor 64 values at a time, and what is left one by one.
HEAD = 64


def attention(q, k, v, seen=None):
    """Attention to all that stands before, or to what is seen (B, T, T); PyTorch 1.13, which Debian 12 has, lacks the fused one."""
    seen = None if seen is None else seen[:, None]
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=seen, is_causal=seen is None)
    if seen is None:
        seen = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool, device=q.device).tril()
    a = (torch.matmul(q, k.transpose(-1, -2)).float() * HEAD ** -.5).masked_fill(~seen, -1e9)
    return torch.matmul(a.softmax(-1).to(v.dtype), v)


class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Layer(nn.Module):
    def __init__(self, dim, ffn):
        super().__init__()
        lin = lambda a, b: nn.Linear(a, b, bias=False)
        self.attn_norm, self.ffn_norm = Norm(dim), Norm(dim)
        self.attn_q, self.attn_k, self.attn_v, self.attn_output = (lin(dim, dim) for _ in range(4))
        self.ffn_gate, self.ffn_up, self.ffn_down = lin(dim, ffn), lin(dim, ffn), lin(ffn, dim)

    def forward(self, x, cos, sin, seen=None):
        B, T, D = x.shape
        h = self.attn_norm(x)
        split = lambda y: y.view(B, T, D // HEAD, HEAD).transpose(1, 2)
        q, k, v = split(self.attn_q(h)), split(self.attn_k(h)), split(self.attn_v(h))
        a = attention(rope(q, cos, sin), rope(k, cos, sin), v, seen)
        x = x + self.attn_output(a.transpose(1, 2).reshape(B, T, D))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


def rope(x, cos, sin):
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).to(x.dtype)


class Llama(nn.Module):
    def __init__(self, vocab, dim, layers, ffn, ctx=512):
        super().__init__()
        self.config = dict(vocab=vocab, dim=dim, layers=layers, ffn=ffn, ctx=ctx)
        self.token_embd, self.output_norm = nn.Embedding(vocab, dim), Norm(dim)
        self.blk = nn.ModuleList(Layer(dim, ffn) for _ in range(layers))
        nn.init.normal_(self.token_embd.weight, std=.02)
        for b in self.blk:
            nn.init.zeros_(b.attn_output.weight)
            nn.init.zeros_(b.ffn_down.weight)
        ang = torch.outer(torch.arange(ctx).float(), 10000.0 ** (-torch.arange(0, HEAD, 2).float() / HEAD))
        self.register_buffer("cos", ang.cos(), persistent=False)
        self.register_buffer("sin", ang.sin(), persistent=False)

    def hidden(self, ids, at=None, seen=None):
        """What stands for each token: one behind the other, or at positions (B, T) of which each sees some (B, T, T)."""
        if at is None:
            cos, sin = self.cos[:ids.shape[1]], self.sin[:ids.shape[1]]
        else:
            cos, sin = self.cos[at][:, None], self.sin[at][:, None]
        x = self.token_embd(ids).float()
        for b in self.blk:
            x = b(x, cos, sin, seen)
        return self.output_norm(x)

    def logits(self, h):
        return F.linear(h, self.token_embd.weight).float()


def load(path, device="cpu"):
    d = torch.load(path, map_location="cpu")
    m = Llama(**d["config"])
    m.load_state_dict(d["state"])
    return m.to(device).eval()


def save(model, path):
    torch.save(dict(config=model.config, state={k: v.cpu() for k, v in model.state_dict().items()}), path)
