"""Several tokens in one evaluation (PARD, An et al., 2025, arXiv 2504.18583): masks behind the last token, each of which stands for one
that is not known yet, and is read as if it were. The mask is the token that ends a text: nothing else ever follows it.
"""
import torch

IGNORED = -100  # the label that cross_entropy leaves out
CUTS = 6  # places of a row from where tokens are to be guessed


def with_masks(ids, labels, mask, count):
    """
    Rows with `count` - 1 masks for each of some places, behind all tokens: (ids, positions, seen, labels), where the masks of a place see
    what stands up to it, and one another in turn. Labels are those of the masks; the tokens have none.
    """
    B, T = ids.shape
    device, masks = ids.device, count - 1
    cuts = torch.multinomial((labels != IGNORED).float(), CUTS, replacement=True)  # B, CUTS
    at = (cuts[:, :, None] + torch.arange(1, count, device=device)).flatten(1)  # B, CUTS * masks
    place = torch.arange(CUTS, device=device).repeat_interleave(masks)
    among = (place[:, None] == place) & torch.ones(len(place), len(place), dtype=torch.bool, device=device).tril()
    tokens = torch.arange(T, device=device)
    before = tokens <= cuts.repeat_interleave(masks, 1)[:, :, None]
    top = torch.cat((tokens <= tokens[:, None], torch.zeros(T, len(place), dtype=torch.bool, device=device)), 1)
    seen = torch.cat((top.expand(B, -1, -1), torch.cat((before, among.expand(B, -1, -1)), 2)), 1)
    wanted = torch.where(at < T, labels.gather(1, at.clamp(max=T - 1)), IGNORED)
    return (torch.cat((ids, torch.full_like(at, mask)), 1), torch.cat((tokens.expand(B, -1), at), 1), seen,
            torch.cat((torch.full_like(labels, IGNORED), wanted), 1))


@torch.no_grad()
def right(model, ids, labels, mask, count):
    """Of the tokens for the first mask, the second and so on: how many are right, and how many there are."""
    ids, at, seen, wanted = with_masks(ids, labels, mask, count)
    T = labels.shape[1]
    wanted = wanted[:, T:].unflatten(1, (CUTS, count - 1))
    guessed = model.logits(model.hidden(ids, at, seen)[:, T:]).argmax(-1).unflatten(1, (CUTS, count - 1))
    return ((guessed == wanted) & (wanted != IGNORED)).sum((0, 1)), (wanted != IGNORED).sum((0, 1))
