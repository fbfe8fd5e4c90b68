"""More everyday language for training alone: it is added to the training part of the lists of lexicon.py and never held out.

The held-out lines keep openings, small talk and questions that are in no training line; the single words of those may occur here, as they
occur in everyday language ("pues" in "pues mira, "): a model cannot guess what a word that it never saw means.
"""
PRE = {"es": ["pues mira, ", "pues nada, ", "pues sí, ", "pues bien, ", "pues verás, ", "pues resulta que ", "pues ahora ", "pues también ", "ahora ", "además ",
              "también ", "hoy ", "entonces ", "total que ", "o sea que ", "así que ", "y ", "es que ", "porque ", "encima ", "al final ", "de hecho ",
              "mira que ", "bueno pues ", "bien, ", "vale, ", "sí, ", "claro, ", "eh, ", "hombre, ", "venga, ", "verás, ", "escucha, ", "atención: ",
              "hola otra vez, ", "buenos días, ", "buenas tardes, ", "resultó que ", "me acabo de enterar de que ", "ya sabes que ", "te informo de que ",
              "quería decirte que ", "se me olvidó decirte que ", "importante: ", "nota: ", "apunta: ", "recuerda: ", "un detalle: ", "por si acaso, ",
              "por lo visto ", "según parece, ", "está claro que ", "es verdad que ", "es cierto que ", "y además ", "pero ", "pero bueno, ", "en fin, "],
       "en": ["so then ", "so yes, ", "and so ", "also ", "and ", "but ", "now ", "well then, ", "oh well, ", "oh yes, ", "hello there, ", "hello again, ", "yes, ",
              "ok, ", "right, ", "sure, ", "listen, ", "you see, ", "see, ", "good morning, ", "good evening, ", "as it happens, ", "as you know, ",
              "for your information, ", "important: ", "note: ", "remember: ", "write down: ", "take a note: ", "please note: ", "one more thing: ", "in case you ask, ",
              "I just heard that ", "I forgot to say that ", "I wanted to tell you that ", "let me tell you that ", "it is true that ", "it is clear that ",
              "apparently ", "apparently, ", "in fact, ", "today ", "these days ", "finally, ", "because ", "plus, ", "besides, ", "anyway, ", "you know, "]}
SUF = {"es": [", de verdad", ", te lo aseguro", ", muchas gracias", ", que no se te olvide", " desde siempre", " desde el año pasado", " de momento", " por lo que sé", ", ¿entiendes?", ", ¿verdad?", ", eh", ", según dice"],
       "en": [", really", ", I promise", ", thank you", ", mark my words", " since last year", " at the moment", " these days", ", you know", ", ok then", ", all right?", ", as you know", ", to be clear"]}
QPRE = {"es": ["por favor, ", "por favor, recuérdame ", "por favor, cuéntame ", "dime, por favor, ", "dime por favor ", "dime otra vez ", "quiero que me digas ", "quisiera saber ", "quería saber ",
               "quiero recordar ", "me gustaría saber ", "no recuerdo ", "he olvidado ", "se me olvidó ", "puedes decirme ", "puedes recordarme ", "oye, dime ", "hola, dime ", "a ver si sabes ",
               "bueno pues, ", "y ", "entonces, ", "vamos a ver, ", "una pregunta: ", "pregunta: ", "me pregunto ", "tú sabes ", "sabrías decirme ", "recuerdas ", "disculpa, ", "ah, "],
        "en": ["please, ", "please remind me ", "please say ", "tell me please, ", "tell me again ", "can you say ", "can you remind me ", "can you remember ", "could you remind me ", "would you tell me ",
               "do you recall ", "do you happen to know ", "you remember ", "remember ", "I would like to know ", "I forgot ", "I don't remember ", "I can't remember ", "I wonder ",
               "a question: ", "question: ", "well, ", "ok, ", "now, ", "then ", "but ", "excuse me, ", "let me ask, ", "I'd like to ask "]}
CHAT = {"es": ["gracias", "gracias por todo", "muchas gracias por la ayuda", "te agradezco la ayuda", "gracias por tu tiempo", "gracias a ti, {N}", "hace calor en {P}", "hace mucho viento en {P}", "hoy hace frío", "hace buen tiempo",
                "hace un día estupendo en {P}", "qué frío", "llueve mucho en {P}", "está lloviendo en {P}", "ojalá", "ojalá pueda ir a {P}", "ojalá gane mi equipo", "ojalá deje de llover", "ojalá nieve pronto", "espero que llueva", "que llueva en {P}",
                "cuéntame una historia", "cuéntame otra cosa", "cuenta algo divertido", "dime algo bonito", "ayúdame", "ayúdame a pensar", "necesito ayuda con esto", "ayuda, por favor", "buenas tardes", "buenos días, {N}",
                "hasta mañana", "adiós, {N}", "nos vemos luego", "nos vemos en {P}", "vuelvo en {X} minutos", "estoy aquí", "estoy de acuerdo", "estoy bien, gracias", "no pasa nada", "no importa", "da igual",
                "qué bien", "qué pena", "qué raro", "qué aburrido es esto", "me aburro", "esto es muy interesante", "esto está bien", "eso es todo", "me alegro mucho", "lo siento, {N}", "perdón", "un momento, por favor",
                "ya está", "ya lo sé", "no lo sé", "no sé", "sí", "no", "vale", "de acuerdo", "genial", "felicidades, {N}", "buen trabajo", "bien hecho", "para la música", "sube el volumen", "abre la ventana",
                "cierra la puerta", "pon una alarma en {X} minutos", "recuérdame comprar {F}", "compra {F}", "busca vuelos a {P}", "manda un mensaje a {N}", "llama a {N}", "escribe un poema", "haz una lista", "traduce esto",
                "vamos", "tengo que pensarlo", "me voy a dormir", "es tarde", "son las {X}", "quiero descansar", "prefiero callar", "trabajo mucho hoy", "hoy es un buen día", "mañana será otro día"],
        "en": ["thanks", "thanks a lot", "thank you for everything", "thanks for the help, {N}", "I appreciate your help", "it is warm in {P}", "it is very windy in {P}", "it is cold today", "the weather is nice",
               "it rains a lot in {P}", "it is raining in {P}", "I hope to see {P} again", "I hope my team wins", "I hope it stops raining", "tell me a story", "tell me something else", "say something funny",
               "help me", "help me think", "I need help with this", "please help", "good afternoon", "good morning to you, {N}", "good evening, {N}", "see you tomorrow", "see you soon, {N}", "goodbye, {N}", "see you in {P}", "talk to you later",
               "I will be back in {X} minutes", "I am here", "I am fine, thanks", "I am tired", "I am listening", "I was thinking about {P}", "never mind", "no problem", "it does not matter", "whatever", "how nice", "what a pity", "how strange",
               "this is very interesting", "this is fun", "this is fine", "that is boring", "that is all", "I am bored", "I am so glad", "I am sorry, {N}", "excuse me", "one moment, please", "I know", "I don't know", "I have no words",
               "I don't know what to do", "yes", "no", "ok", "all right", "great", "congratulations, {N}", "good job", "well done", "stop the music", "turn up the volume", "open the window", "close the door",
               "set an alarm in {X} minutes", "remind me to buy {F}", "buy {F}", "find flights to {P}", "send a message to {N}", "call {N}", "write a poem", "make a list", "translate this", "let's go",
               "I have to think about it", "I am going to bed", "it is late", "it is {X} o'clock", "I need a rest", "today is a good day", "tomorrow is another day"]}
OTHERQ = {"es": ["cómo se cocina {F}", "cómo se hace {F}", "cómo preparo {F}", "cómo puedo preparar {F}", "cómo se come {F}", "cómo se escribe {F}", "cuánto vale {F}", "cuánto dura el viaje a {P}", "dónde se compra {F}", "dónde hay {F}",
                 "quién ganó la carrera", "quién ganó ayer", "quién perdió el partido", "quién marcó el gol", "a qué hora es el partido", "qué película ponen mañana", "qué películas me recomiendas", "qué hay hoy en la tele", "qué hay de comer",
                 "quién inventó la radio", "quién pintó ese cuadro", "quién manda en {P}", "qué idioma se habla en {P}", "qué tal", "qué tal el tiempo en {P}", "cómo está el tráfico en {P}", "llueve en {P}", "nieva en {P}",
                 "cuándo es la fiesta", "cuándo sale el tren a {P}", "cuántos días tiene un año", "cuántos años tiene la tierra", "cuánto mide una jirafa", "cuánto pesa {F}", "cuál es el sentido de la vida", "cuál es tu nombre", "cómo te llamas",
                 "quién te hizo", "eres una persona", "dónde estás", "me puedes ayudar", "puedes hacer eso otra vez", "qué haces", "qué dices", "qué opinas de {P}", "qué me recomiendas", "por qué el cielo es azul", "es lunes hoy", "cuánto es {X} por {X}"],
          "en": ["how do you cook {F}", "how is {F} made", "how can I make {F}", "how do you eat {F}", "how do you spell {F}", "how much is {F}", "what does {F} cost", "how much does a ticket to {P} cost", "how long is the trip to {P}", "where can I buy {F}", "where is the nearest shop",
                 "who won the race", "who won yesterday", "who lost the game", "who scored", "what time is the game", "what movie is on tomorrow", "which movies do you recommend", "what is on tv today", "what is for dinner",
                 "who invented the radio", "who painted that picture", "who made you", "who rules {P}", "which language do people speak in {P}", "how is the weather in {P}", "is the weather good in {P}", "what is the weather forecast", "will the weather be nice",
                 "what is the traffic like in {P}", "what is life like in {P}", "what are people like in {P}", "is it cold in {P}", "is it raining in {P}", "does it snow in {P}", "when is the party", "when does the train to {P} leave", "how many days are in a year", "how old is the earth",
                 "how tall is a giraffe", "how heavy is {F}", "what is the meaning of life", "what is your name", "what are you", "are you a person", "where are you", "can you help me", "can you do that again", "what are you doing",
                 "what do you think of {P}", "what do you recommend", "why is the sky blue", "is it monday today", "how much is {X} times {X}"]}
ABOUT = {"es": ["qué me dices de {S}", "cuéntame algo de {S}", "qué se sabe de {S}", "dime todo de {S}", "qué más sabes de {S}"],
         "en": ["what is known about {S}", "tell me everything about {S}", "what else do you know about {S}", "tell me more about {S}", "anything about {S}"]}
KIN = {"es": ["mejor amigo", "mejor amiga", "amigo de la infancia", "amiga del alma", "antiguo jefe", "hermano mayor", "hermana pequeña", "primo segundo", "tutor", "casera", "compañera de piso", "compañero de trabajo"],
       "en": ["best friend", "old friend", "former boss", "big brother", "little sister", "second cousin", "tutor", "flatmate", "classmate", "pen friend"]}
