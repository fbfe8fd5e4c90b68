"""How a pattern becomes text: agreement and articles, then what people do to text (typos, small letters, lost accents)."""
import re
import unicodedata

from invent import SOURCES, invent
from split import held, part


def fem(noun):
    return bool(re.search(r"(a|á|ción|dad)$", noun)) or noun.lower() in ("carne", "leche", "miel", "coliflor")


def cap(s):
    """Upper-cases the first letter, also when it stands inside a slot that begins the sentence with a small letter."""
    return s if s.startswith("\1") else s[:1].upper() + s[1:]


def strip_accents(s):
    keep = s.replace("ñ", "\3").replace("Ñ", "\4")
    keep = "".join(c for c in unicodedata.normalize("NFD", keep) if not unicodedata.combining(c))
    return keep.replace("\3", "ñ").replace("\4", "Ñ")


def typo(r, text):
    """One slip of the keyboard in a letter outside the slots."""
    free, inside = [], False
    for i, c in enumerate(text):
        inside = c == "\1" or (inside and c != "\2")
        if c.isalpha() and not inside and 0 < i < len(text) - 1 and text[i + 1].isalpha():
            free.append(i)
    if not free:
        return text
    i = r.choice(free)
    return r.choice((text[:i] + text[i + 1:], text[:i] + text[i] + text[i:], text[:i] + text[i + 1] + text[i] + text[i + 2:]))


class Wording:
    """Needs `rng`, `split`, `lang` and `pick` of the generator."""

    def render(self, pat, lang, subj=None, obj=None, answer=False, elide=False, who=None):
        """Fills a pattern. Slots are wrapped in \\1...\\2 so that the noise and the gold triples can find them."""
        kind, name = subj or ("name", "")
        person = (2 if answer else 1) if kind == "me" else 0
        mark = f"\1{name}\2"
        if who or elide:
            S = who or ""
        elif kind == "me":
            S = "" if lang == "es" else ("you" if answer else "I")
        elif kind == "kin":
            S = {"es": ("mi ", "tu "), "en": ("my ", "your ")}[lang][answer] + mark
        elif kind == "gen" and lang == "es":
            S = ("la " if fem(name.split()[0]) else "el ") + mark
        else:
            S = mark
        aS = "a " + S if S else ""
        dS = "" if kind == "me" else "de " + S
        Ss = ("your" if answer else "my") if kind == "me" else S + "'s"
        O, o = f"\1{obj}\2", obj or ""
        if lang == "es":
            bare = re.search("[aei]r$", o)
            art = {"{uO}": ("una " if fem(o) else "un ") + O,
                   "{eO}": O if bare else ("la " if fem(o) else "el ") + O,
                   "{aO}": ("a la " if fem(o) else "al ") + O}
        else:
            art = {"{uO}": ("an " if re.match("[aeiouáéíóú]", o, re.I) else "a ") + O}
        art.update({"{S}": S, "{aS}": aS, "{dS}": dS.replace("de el ", "del "), "{Ss}": Ss, "{O}": O})
        pat = pat.replace("{aS}", aS.replace("a el ", "al "))
        pat = re.sub(r"\{([^{}|]+\|[^{}]*)\}", lambda m: (m[1].split("|") + [m[1].split("|")[1]])[person], pat)
        for k, v in art.items():
            pat = pat.replace(k, v)
        return re.sub(" +", " ", pat).strip()

    def noise(self, text, end):
        """Capital letter, punctuation, typos, lower case, lost accents. Returns the text and what it did to slots."""
        r = self.rng
        question = end == "?"
        low, plain = r.random() < .15, r.random() < .12
        if not low:
            text = cap(text)
        if end and r.random() < .75:
            text += end
            if question and self.lang == "es" and r.random() < .8:
                text = "¿" + text
        if r.random() < .05:
            text = typo(r, text)
        fix = lambda s: strip_accents(s.lower() if low else s) if plain else (s.lower() if low else s)
        return fix(text).replace("\1", "").replace("\2", ""), fix

    def wrap(self, text, pre, suf, key):
        """Adds an opening and a tail; says whether the resulting template belongs to this split."""
        r = self.rng
        new = self.split == "eval" and r.random() < .5 and (pre or suf)  # wrapper never seen in training
        choose = self.pick if (new or self.split == "train") else (lambda xs: r.choice(part(xs, "train")))
        a = choose(pre) if pre and (new or r.random() < .45) else ""
        if pre and self.split == "train" and r.random() < .2:  # an opening of any words: what it says does not matter
            words = [r.choice((invent, lambda r: r.choice(SOURCES)))(r) for _ in range(r.randint(1, 3))]
            a = " ".join(words) + r.choice((", ", ": ", ", ", " que " if self.lang == "es" else " that "))
        b = choose(suf) if suf and not (new and a) and r.random() < .2 else ""
        allowed = bool(new) or held(key + "|" + a + "|" + b) == (self.split == "eval")
        return a + text + b, allowed
