"""Sentences that look like facts and are none: somebody who is not named, what was or will be, what others say, what is only imagined."""
import re

NOBODY = {"es": ["ella", "él", "alguien", "nadie", "todo el mundo", "mucha gente", "esa chica", "ese señor", "uno de ellos", "cualquiera"],
          "en": ["she", "he", "somebody", "someone", "nobody", "everybody", "that girl", "one of them", "anyone", "that man"]}
WHO_ASKED = {"es": ["ella", "él", "esa chica", "ese señor"], "en": ["she", "he", "that girl", "that man"]}
# Openings that take the fact back, or give it to somebody else.
OPENINGS = {"es": ["si {c}, me alegraría", "si {c}, avísame", "{N} dice que {c}", "me preguntan si {c}", "no sé si {c}", "ojalá {c}", "imagina que {c}",
                   "dicen que {c}", "sueño que {c}", "{N} cree que {c}", "es mentira que {c}", "a lo mejor {c}", "puede que {c}", "no creo que {c}"],
            "en": ["if {c}, I would be glad", "if {c}, tell me", "{N} says that {c}", "they ask whether {c}", "I don't know if {c}", "I wish {c}", "imagine that {c}",
                   "people say that {c}", "I dreamt that {c}", "{N} thinks that {c}", "it is a lie that {c}", "it may be that {c}", "I doubt that {c}"]}
IDIOMS = {"es": ["tengo {x}", "tengo un poco de {x}", "mi {K} tiene {x}", "{N} tiene {x}", "tengo que irme", "tengo que llamar a {N}", "hay que ir a {P}"],
          "en": ["I have to go", "I have to call {N}", "I have a question", "my {K} has to work", "I have no idea", "{N} has no time", "we have to go to {P}"]}
STATES = ["hambre", "sed", "sueño", "frío", "calor", "miedo", "prisa", "razón", "suerte", "ganas de salir", "ganas de llorar", "dolor de cabeza"]
WHY = {"es": ["por qué {c}", "para qué {c}", "desde cuándo {c}", "cuánto gana {S}"], "en": ["why is it that {c}", "how come {c}", "since when is it that {c}", "how much does {S} earn"]}
ENGLISH_TIMES = ("used to", "will", "would", "might", "is going to")
# Third person of what was, will be and would be.
SPANISH_TIMES = {"vive": "vivía vivirá viviría", "reside": "residía residirá residiría", "trabaja": "trabajaba trabajará trabajaría", "es": "era será sería",
                 "tiene": "tenía tendrá tendría", "habla": "hablaba hablará hablaría", "estudia": "estudiaba estudiará estudiaría", "está": "estaba estará estaría",
                 "conduce": "conducía conducirá conduciría", "juega": "jugaba jugará jugaría", "toca": "tocaba tocará tocaría", "usa": "usaba usará usaría",
                 "colecciona": "coleccionaba coleccionará coleccionaría", "cocina": "cocinaba cocinará cocinaría", "necesita": "necesitaba necesitará necesitaría",
                 "escucha": "escuchaba escuchará escucharía", "odia": "odiaba odiará odiaría", "prefiere": "prefería preferirá preferiría"}


def other_time(r, pattern, lang):
    """A statement pattern in another tense for the third person; None when there is no way."""
    if lang == "es":
        m = re.match(r"^\{S\} \{(\w+)\|\w+\|\w+\} (.*)", pattern)
        return "{S} " + r.choice(SPANISH_TIMES[m[1]].split()) + " " + m[2] if m and m[1] in SPANISH_TIMES else None
    m = re.match(r"^\{S\} \{(\w+)\|(\w+)(?:\|\w+)?\} (.*)", pattern)
    if not m or m[1] == "was":
        return None
    base = {"am": "be"}.get(m[2], m[2])
    return "{S} " + r.choice(ENGLISH_TIMES) + " " + base + " " + m[3]


class Beyond:
    """Needs the generator's words and wording."""

    def beyond(self):
        """(text, key of the template) of a sentence that tells nothing to remember; None when the draw gives none."""
        r, lang = self.rng, self.lang
        f = self.fact()
        pat, x = r.choice(f["pats"]), r.random()
        clause = self.render(pat, lang, f["s"], f["o"])
        if x < .25:
            if not pat.startswith("{S} "):
                return None
            return self.render(pat, lang, None, f["o"], who=r.choice(NOBODY[lang])), "nobody" + f["v"] + pat
        if x < .5:
            other = f["s"][0] != "me" and other_time(r, pat, lang)
            return (self.render(other, lang, f["s"], f["o"]), "time" + f["v"] + other) if other else None
        if x < .6:
            two = {"es": " o ", "en": " or "}[lang]
            if f["s"][0] != "name" or not pat.startswith("{S} "):
                return None
            return clause.replace("\2", "\2" + two + self.name(), 1), "or" + f["v"] + pat
        if x < .85:
            opening = self.pick(OPENINGS[lang]).replace("{N}", self.name())
            return opening.replace("{c}", clause), "opening" + f["v"] + pat
        idiom = self.pick(IDIOMS[lang]).replace("{K}", self.subject_noun()).replace("{x}", self.pick(STATES))
        return self.filler(idiom), "idiom" + idiom

    def unanswerable(self):
        """A question that names nobody, or asks for what is not remembered."""
        r, lang = self.rng, self.lang
        f = self.fact()
        if r.random() < .5:
            who = r.choice(WHO_ASKED[lang])
            return self.render(r.choice(f["qs"]), lang, ("name", who), None)
        asked = r.choice(WHY[lang]).replace("{c}", self.render(r.choice(f["pats"]), lang, f["s"], f["o"]))
        return asked.replace("{S}", self.render("{S}", lang, f["s"] if f["s"][0] != "me" else ("name", self.name())))
