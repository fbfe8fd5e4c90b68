"""Invented words. Only copying gets them right, so most names and many nouns of the training text are made here.

Four kinds, because a model that has only seen one kind of nonsense learns that kind and not to copy: syllables, random
letters, halves of two real words put together, and a real word with one letter changed.
"""
from lexicon import BRANDS, COMPANIES, KIN, LEX, NAMES, PLACES, SURNAMES, TOOLS, W
from split import part

ONSET = W("b br c ch cl d dr f fl g gr h j k l ll m n ñ p pr qu r s st t tr v w y z sh th pl")
VOWEL = W("a e i o u a e i o u ia ie ei au á é í ó ea oo")
CODA = W("n r s l x m th nd") + [""] * 10
LETTERS = "abcdefghijklmnopqrstuvwxyzaeiouaeiounrstlñáéíóúü"

LISTS = [NAMES, SURNAMES, PLACES, COMPANIES, BRANDS, TOOLS, *KIN.values(), *(x for lex in LEX.values() for x in lex.values())]
REAL = {word.lower() for items in LISTS for word in items}
# Words that training may show; what is held out is not even a source of halves.
SOURCES = sorted({w.lower() for items in LISTS for w in part(items, "train") if w.isalpha() and len(w) > 3})


def syllables(r):
    return "".join(r.choice(ONSET) + r.choice(VOWEL) + r.choice(CODA) for _ in range(r.choice((1, 2, 2, 2, 3, 3))))


def letters(r):
    return "".join(r.choice(LETTERS) for _ in range(r.randint(3, 8)))


def halves(r):
    a, b = r.choice(SOURCES), r.choice(SOURCES)
    return a[:r.randint(2, max(2, len(a) - 2))] + b[r.randint(1, max(1, len(b) - 2)):]


def altered(r):
    a = r.choice(SOURCES)
    i = r.randrange(len(a))
    return r.choice((a[:i] + r.choice(LETTERS) + a[i + 1:], a[:i] + r.choice(LETTERS) + a[i:], a[:i] + a[i + 1:]))


def invent(r):
    """An invented word in small letters that is in none of the lists."""
    while True:
        word = r.choices((syllables, letters, halves, altered), (40, 15, 25, 20))[0](r)
        if r.random() < .02:
            word += str(r.randint(1, 99))
        if len(word) > 1 and word not in REAL:
            return word
