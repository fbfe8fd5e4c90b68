"""Synthetic corpus of the three memory tasks (extract, query, answer) in Spanish and English.

  python3 generate.py N train|eval|changes SEED > lines.jsonl      one {"task","lang","prompt","out"} per line

15% of the lexicon items, of the wrappers and of the template strings are held out, by hash of the string:
the "train" split never shows them, the "eval" split draws every entity (and a template or wrapper) from them.
"""
import json
import random
import re
import sys

import everyday
import lexicon
from beyond import Beyond
from invent import invent
from lexicon import ABOUT, BRANDS, CHAT, COMPANIES, KIN, LEX, NAMES, OTHERQ, PLACES, PRE, QPRE, REL, SUF, SURNAMES, TOOLS
from negation import CORRECTION, NOW, negations
from split import held, part
from wording import Wording, cap

TASKS = ("extract", "query", "answer")
UNKNOWN = {"es": "No lo sé todavía.", "en": "I don't know that yet."}
ME = {"es": "usuario", "en": "user"}
AND = {"es": " y ", "en": " and "}
QPRE_YESNO = {k: [p for p in v if p.endswith(", ")] for k, v in QPRE.items()}
# What training has beside its part of a list.
MORE = {id(getattr(lexicon, name)[lang]): getattr(everyday, name)[lang] for name in ("PRE", "SUF", "QPRE", "CHAT", "OTHERQ", "ABOUT", "KIN") for lang in ME}
MORE |= {id(QPRE_YESNO[lang]): [p for p in everyday.QPRE[lang] if p.endswith(", ")] for lang in ME}
dumps = lambda x: json.dumps(x, ensure_ascii=False, separators=(",", ":"))


class Generator(Wording, Beyond):
    def __init__(self, split, seed):
        self.split, self.rng, self.cache = split, random.Random(seed), {}

    # ---- entities ------------------------------------------------------------------------------------------------
    def ok(self, s):
        return held(s) == (self.split == "eval")

    def pick(self, items):
        if id(items) not in self.cache:
            more = MORE.get(id(items), []) if self.split == "train" else []
            self.cache[id(items)] = (items, part(list(dict.fromkeys(items)), self.split) + more)
        return self.rng.choice(self.cache[id(items)][1])

    def until(self, make):
        while True:
            s = make()
            if self.ok(s):
                return s

    def proper(self, items, share, before=(), after=()):
        """A proper noun: listed, or invented with probability `share` and perhaps dressed with another word."""
        r = self.rng
        if r.random() > share:
            return self.pick(items)
        s = self.until(lambda: cap(invent(r)))
        if before and r.random() < .15:
            s = r.choice(before) + " " + s
        elif after and r.random() < .25:
            s += " " + r.choice(after)
        return s

    def noun(self, items, share):
        """A common noun: listed, or invented with probability `share`, sometimes followed by a second word."""
        r = self.rng
        word = self.until(lambda: invent(r)) if r.random() < share else self.pick(items)
        return word + " " + self.until(lambda: invent(r)) if r.random() < .06 else word

    def name(self):
        s = self.proper(NAMES, .7)
        return s + " " + self.proper(SURNAMES, .6) if self.rng.random() < .12 else s

    def obj(self, kind, lang):
        r, kind = self.rng, self.rng.choice(kind.split("/"))
        if kind == "name":
            return self.name()
        if kind == "place":
            return self.proper(PLACES, .7, ("San", "New", "Villa", "Port"))
        if kind == "company":
            return self.proper(COMPANIES, .7, ("Grupo", "Banco"), ("Labs", "Group", "Systems", "Motors"))
        if kind == "brand":
            return self.proper(BRANDS, .6)
        if kind == "tool":
            return self.proper(TOOLS, .6)
        if kind == "age":
            return self.until(lambda: str(r.randint(1, 99)))
        if kind == "phone":
            return self.until(lambda: str(r.randint(10 ** 8, 10 ** 9 - 1)))
        if kind == "date":
            month = LEX[lang]["month"]
            return self.until(lambda: f"{r.randint(1, 31)} de {r.choice(month)}" if lang == "es" else f"{r.choice(month)} {r.randint(1, 31)}")
        return self.noun(LEX[lang][kind], .7)

    def subject_noun(self):
        return self.noun(KIN[self.lang], .55)

    def subject(self, lang):
        """(kind, canonical name of the subject in a triple)"""
        x = self.rng.random()
        if x < .22:
            return "me", ME[lang]
        if x < .62:
            return "kin", self.subject_noun()
        if x < .94:
            return "name", self.name()
        kin, name = self.subject_noun(), self.name()
        return "gen", f"{kin} de {name}" if lang == "es" else f"{name}'s {kin}"

    # ---- the three tasks -----------------------------------------------------------------------------------------
    def fact(self, subj=None):
        verb, kind, pats, qs = self.rng.choice(REL[self.lang])
        return dict(s=subj or self.subject(self.lang), v=verb, o=self.obj(kind, self.lang), pats=pats, qs=qs, kind=kind)

    def filler(self, pat):
        r = self.rng
        pat = re.sub(r"\{X\}", lambda m: str(r.randint(2, 99)), pat)
        return pat.replace("{N}", self.name()).replace("{P}", self.obj("place", self.lang)).replace("{F}", self.obj("food", self.lang))

    def extract(self):
        r, lang = self.rng, self.lang
        x = r.random()
        if x < .12:  # nothing to remember: small talk, questions, things which are not so
            y = r.random()
            if y < .5:
                return self.noise(self.filler(self.pick(CHAT[lang])), r.choice((".", "!", "")))[0], "[]"
            if y < .65:
                return self.noise(self.filler(self.pick(OTHERQ[lang])), "?")[0], "[]"
            return self.question_text(self.fact())[0], "[]"
        if x < .26:
            found = self.beyond()
            if not found:
                return None
            text, allowed = self.wrap(found[0], PRE[lang], SUF[lang], found[1])
            return (self.noise(text, r.choice((".", "!", "")))[0], "[]") if allowed else None
        if x < .42:
            return self.changed()
        facts = [self.fact()]
        while len(facts) < 4 and r.random() < (.38 if len(facts) == 1 else .25):
            same = r.random() < .6
            facts.append(self.fact(facts[-1]["s"] if same else None))
        text, key, gold, last = "", "", [], None
        for f in facts:
            pat = r.choice(f["pats"])
            same = last == f["s"]
            elide = same and pat.startswith(("{S}", "{aS}")) and f["s"][0] != "me" or (same and lang == "es" and f["s"][0] == "me")
            clause = self.render(pat.replace("{aS} ", "") if elide and f["s"][0] != "me" else pat, lang, f["s"], f["o"], elide=elide)
            join = "" if not text else r.choice((AND[lang],) * 3 + ((", ", " y además ", ". ") if lang == "es" else (", ", " and also ", ". ")))
            if join == ". ":
                clause = cap(clause)
            if not text and f["s"][0] in ("kin",) and r.random() < .1 and pat.startswith("{S}"):  # "my sister Ana lives..."
                n = self.name()
                clause = clause.replace(f"\1{f['s'][1]}\2", f"\1{f['s'][1]}\2 \1{n}\2", 1)
                gold.append((f["s"][1], "se_llama" if lang == "es" else "named", n))
            text, key, last = text + join + clause, key + "|" + f["v"] + pat + join, f["s"]
            gold.append((f["s"][1], f["v"], f["o"]))
        return self.statement(text, PRE[lang], SUF[lang], key, gold)

    def statement(self, text, pre, suf, key, gold):
        """Dresses a statement; `gold` holds (subject, verb, object) or (subject, verb, object, "negated")."""
        text, allowed = self.wrap(text, pre, suf, key)
        if not allowed:
            return None
        text, fix = self.noise(text, self.rng.choice((".", ".", ".", "!")))
        me = ME[self.lang]
        return text, dumps([dict(subject=s if s == me else fix(s), verb=v, object=fix(o), **{n: True for n in negated})
                            for s, v, o, *negated in gold])

    def changed(self):
        """Something that is not so, or not so any more, perhaps with what is so instead."""
        r, lang = self.rng, self.lang
        f = self.fact()
        pat = r.choice(f["pats"])
        if r.random() < .25:
            text = self.render(pat, lang, f["s"], f["o"])
            return self.statement(text, CORRECTION[lang], SUF[lang], "correction" + f["v"] + pat, [(f["s"][1], f["v"], f["o"])])
        forms = negations(pat, lang)
        if not forms:
            return None
        form = r.choice(forms)
        text = self.render(form, lang, f["s"], f["o"])
        gold, key = [(f["s"][1], f["v"], f["o"], "negated")], "not" + f["v"] + form
        now = dict(f, o=self.obj(f["kind"], lang))
        if r.random() < .45 and now["o"] != f["o"] and pat.startswith("{S} "):
            pat, join = r.choice(f["pats"]), r.choice(NOW[lang])
            elide = pat.startswith("{S} ") and lang == "es" or f["s"][0] != "me" and pat.startswith("{S} ") and r.random() < .5
            clause = self.render(pat, lang, f["s"], now["o"], elide=elide)
            if lang == "en" and elide:
                clause = r.choice(("he ", "she ", "it ")) + clause
            text, key = text + join + clause, key + join + pat
            gold.append((f["s"][1], f["v"], now["o"]))
        return self.statement(text, PRE[lang], SUF[lang], key, gold)

    def question_text(self, f, form=None):
        """A question about a fact -> (text, fields asked with, form, fix) or None when the template is not of this split."""
        r, lang = self.rng, self.lang
        form = form or r.choices(("what", "who", "yesno", "about"), (50, 20, 14, 16))[0]
        pat = r.choice(f["pats"])
        if form == "who" and not (pat.startswith(("{S} ", "{aS} ")) and "color" not in pat):
            form = "what"
        if form == "yesno":
            pat = f["pats"][0]
            if lang == "en":
                new = re.sub(r"^\{S\} \{(is|was)\|(.*?)\} (.*)", r"{\1|\2} {S} \3", pat)
                if new == pat:
                    new = re.sub(r"^\{S\} \{\w+\|(\w+)\} (.*)", r"{does|do} {S} \1 \2", pat)
                if new == pat:
                    new = re.sub(r"^\{Ss\} (.*?) is (.*)", r"is {Ss} \1 \2", pat)
                if new == pat:
                    return self.question_text(f, "what")
                pat = new
            text = self.render(pat, lang, f["s"], f["o"])
        elif form == "who":
            text = self.render(pat, lang, None, f["o"], who={"es": "quién", "en": "who"}[lang])
        elif form == "what":
            pat = r.choice(f["qs"])
            text = self.render(pat, lang, f["s"])
        else:
            pat = r.choice(ABOUT[lang])
            if f["s"][0] == "me":
                text = pat.replace("{S}", {"es": "mí", "en": "me"}[lang])
            else:
                text = re.sub(r"\bde el ", "del ", self.render(pat, lang, f["s"]))
        text, allowed = self.wrap(text, QPRE_YESNO[lang] if form == "yesno" else QPRE[lang], None, form + f["v"] + pat)
        text, fix = self.noise(text, "?")
        return text, form, fix, allowed

    def query(self):
        lang = self.lang
        x = self.rng.random()
        if x < .08:
            return self.noise(self.unanswerable(), "?")[0], "{}"
        if x < .20:
            pool = OTHERQ[lang] if self.rng.random() < .75 else CHAT[lang]
            return self.noise(self.filler(self.pick(pool)), "?" if pool is OTHERQ[lang] else ".")[0], "{}"
        f = self.fact()
        text, form, fix, allowed = self.question_text(f)
        if not allowed:
            return None
        me, out = ME[lang], {}
        if form != "who":
            out["subject"] = me if f["s"][0] == "me" else fix(f["s"][1])
        if form != "about":
            out["verb"] = f["v"]
        if form in ("who", "yesno"):
            out["object"] = fix(f["o"])
        return text, dumps(out)

    def sentence(self, facts):
        """One sentence telling facts of one subject (the subject is said once)."""
        parts = []
        for i, f in enumerate(facts):
            pat = f["pats"][0]
            elide = i > 0 and pat.startswith(("{S}", "{aS}"))
            parts.append(self.render(pat.replace("{aS} ", "") if elide and f["s"][0] != "me" else pat, self.lang, f["s"], f["o"], True, elide))
        return AND[self.lang].join(parts).replace("\1", "").replace("\2", "")

    def answer(self):
        r, lang = self.rng, self.lang
        f = self.fact()
        text, form, fix, allowed = self.question_text(f)
        if not allowed:
            return None
        known = r.random() > .2
        differs = form == "yesno" and r.random() < .4
        others = []  # subjects other than the one asked for
        while len(others) < 2:
            s = self.subject(lang)
            if s[1] != f["s"][1] and s not in others:
                others.append(s)
        facts = [f] if known else []
        if known and differs:
            o = self.obj(f["kind"], lang)
            facts = [dict(f, o=o)]
            differs = o != f["o"]
        for _ in range(r.choices((0, 1, 2, 3), (30, 30, 25, 15))[0]):
            g = self.fact(r.choice(others))
            x = r.random()
            if x < .35:  # same relation, another subject
                g = dict(f, s=g["s"], o=self.obj(f["kind"], lang))
                if g["o"] == f["o"]:
                    continue
            elif x < .65 and not (form == "about" and not known):  # same subject, another relation
                g = dict(g, s=f["s"])
                if g["v"] == f["v"] and (form != "what" or not known):
                    continue
            if form == "who" and g["v"] == f["v"] and g["o"] == f["o"]:
                continue
            facts.append(g)
        if not known:
            facts = [g for g in facts if not (g["s"] == f["s"] and (g["v"] == f["v"] or form == "about"))]
        facts = facts[:4]
        r.shuffle(facts)
        if r.random() < .06:  # facts which were remembered from a lower-case message
            facts = [dict(g, s=(g["s"][0], g["s"][1].lower()), o=g["o"].lower()) for g in facts]
            f = dict(f, s=(f["s"][0], f["s"][1].lower()), o=f["o"].lower())
        if form == "who":
            hits = [g for g in facts if g["v"] == f["v"] and g["o"] == f["o"]][:1]
        else:
            hits = [g for g in facts if g["s"][1] == f["s"][1] and (form == "about" or g["v"] == f["v"])]
        out = cap(self.sentence(hits)) + "." if hits else UNKNOWN[lang]
        if form == "yesno" and hits:
            yes = any(g["o"] == f["o"] for g in hits)
            hits = [g for g in hits if g["o"] == f["o"]] if yes else hits
            out = ({"es": "Sí", "en": "Yes"}[lang] if yes else "No") + ", " + self.sentence(hits) + "."
        said = "; ".join(" ".join((g["s"][1], g["v"], g["o"])) for g in facts)
        return text + "<|facts|>" + said, out

    def line(self, task=None, lang=None):
        while True:
            t = task or self.rng.choices(TASKS, (38, 24, 38))[0]
            self.lang = lang or self.rng.choice(("es", "en"))
            got = getattr(self, t)()
            if got and len(got[0]) + len(got[1]) < 420:
                return dict(task=t, lang=self.lang, prompt=f"<|{t}|>{got[0]}<|out|>", out=got[1])


def heldout(n, split, seed):
    """n different held-out lines: a third of each task ("eval"), or statements of what is not so any more ("changes")."""
    g, seen, out = Generator("eval", seed), set(), []
    while len(out) < n:
        x = g.line("extract" if split == "changes" else TASKS[len(out) % 3])
        if x["prompt"] not in seen and (split == "eval" or '"negated"' in x["out"]):
            seen.add(x["prompt"])
            out.append(x)
    return out


if __name__ == "__main__":
    n, split, seed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    if split == "train":
        g = Generator(split, seed)
        rows = (g.line() for _ in range(n))
    else:
        rows = heldout(n, split, seed)
    for x in rows:
        print(dumps(x))
