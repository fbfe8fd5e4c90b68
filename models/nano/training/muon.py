"""The optimiser of the matrices: Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon/)."""
import torch


class Muon:
    """Momentum followed by orthogonalisation of each matrix update (Newton-Schulz); same-shape matrices go together."""

    def __init__(self, params, momentum=.95):
        self.groups, self.beta = {}, momentum
        for p in params:
            self.groups.setdefault(tuple(p.shape), []).append(p)
        self.buf = {s: torch.zeros(len(ps), *s, device=ps[0].device) for s, ps in self.groups.items()}

    @torch.no_grad()
    def step(self, lr):
        for shape, ps in self.groups.items():
            g = torch.stack([p.grad for p in ps])
            m = self.buf[shape].mul_(self.beta).add_(g, alpha=1 - self.beta)
            x = g.lerp(m, self.beta).bfloat16()
            tall = shape[0] > shape[1]
            x = x.transpose(1, 2) if tall else x
            x = x / (x.float().flatten(1).norm(dim=1).view(-1, 1, 1) + 1e-7).bfloat16()
            for _ in range(5):
                a = x @ x.transpose(1, 2)
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
            x = (x.transpose(1, 2) if tall else x).float()
            for p, u in zip(ps, x):
                p.add_(u, alpha=-lr * max(1, shape[0] / shape[1]) ** .5)
