"""Negated and corrected statements: what is no longer, or never was, true."""
import re

# How a statement pattern is negated: (what it looks like, what it becomes), tried in this order.
SPANISH = (
    (r"^(\{S\} |\{aS\} )(?!no |ya |siempre )(.*)", (r"\1no \2", r"\1ya no \2")),
    (r"^(\{el\|mi\|tu\} .*?) es (.*)", (r"\1 no es \2", r"\1 ya no es \2")),
)
ENGLISH = (
    (r"^\{S\} \{(is\|am\|are|was\|was\|were)\} (.*)", (r"{S} {\1} not \2", r"{S} {\1} no longer \2")),
    (r"^\{S\} \{has\|have\} got (.*)", (r"{S} {hasn't|haven't} got \1",)),
    (r"^\{S\} \{(\w+)\|(\w+)\} (.*)", (r"{S} {doesn't|don't} \2 \3", r"{S} {does not|do not} \2 \3", r"{S} no longer {\1|\2} \3")),
    (r"^\{S\} can (.*)", (r"{S} can't \1", r"{S} cannot \1")),
    (r"^\{Ss\} (.*?) is (.*)", (r"{Ss} \1 is not \2", r"{Ss} \1 is no longer \2")),
)
RULES = {"es": SPANISH, "en": ENGLISH}

# Openings of a sentence that puts something right; the statement behind it is an ordinary one.
CORRECTION = {"es": ["no, ", "corrijo: ", "me equivoqué, ", "perdón, ", "mejor dicho, ", "en realidad ", "rectifico: ", "no es así, "],
              "en": ["no, ", "correction: ", "I was wrong, ", "sorry, ", "I mean ", "in fact ", "let me correct that: ", "that's wrong, "]}
# Between what was and what is.
NOW = {"es": [", ahora ", ". Ahora ", ", sino que ", ", pero ahora "], "en": [", now ", ". Now ", ", but now ", "; now "]}


def negations(pattern, lang):
    """All ways to negate a statement pattern; none for those that cannot be ("{S} siempre {prefiere...} {eO}")."""
    for shape, forms in RULES[lang]:
        if re.match(shape, pattern):
            return [re.sub(shape, form, pattern) for form in forms]
    return []
