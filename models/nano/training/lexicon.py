"""Closed lists of everyday words and the relation tables of both languages.

Pattern notation, used for statements, questions and answers alike:
  {a|b|c}  form for 3rd person | 1st person (the user speaks) | 2nd person (the assistant answers); c defaults to b
  {S}      subject phrase ("mi hermana", "Ana"; empty for a Spanish "yo", "I"/"you" in English)
  {aS} {dS} {Ss}   "a S", "de S" (empty for the user), "S's" / "my" / "your"
  {O} {uO} {eO} {aO}   bare object, with un/una or a/an, with el/la, with al/a la
Triples always hold the bare object; articles are put back by rule when answering.
"""
W = str.split

NAMES = W("""Ana Luis María Pedro Lucía Carlos Elena Javier Marta Sergio Laura Pablo Carmen Diego Sofía Raúl Irene Andrés
Paula Jorge Nuria Alberto Beatriz Hugo Clara Óscar Rosa Iván Sara Manuel Julia Tomás Alicia Fernando Teresa Rubén Eva
Ramón Inés Gonzalo Pilar Marcos Silvia Adrián Noelia Ignacio Lola Víctor Aitana Mateo Valeria Leo Martina Bruno Olivia
Álvaro Daniela Nico Emma Joaquín Berta Félix Gloria Emilio Rocío Darío Mónica Esteban Yolanda Gabriel Natalia Samuel
John Mary Peter Susan James Linda Robert Emily Michael Jessica David Karen Thomas Nancy Paul Betty Mark Helen George
Sandra Kevin Donna Brian Carol Edward Ruth Jason Sharon Ryan Michelle Jacob Amy Nicholas Anna Eric Rebecca Stephen
Virginia Larry Kathleen Justin Pamela Scott Martha Brandon Debra Frank Amanda Raymond Janet Gregory Rachel Alice Oliver
Grace Henry Chloe Jack Sophie Harry Lily Oscar Mia Noah Ella Liam Zoe Ethan Ivy Lucas Ruby Mason Isla Logan Freya""")
SURNAMES = W("""García López Pérez Sánchez Romero Torres Ruiz Ramos Molina Ortega Delgado Castro Rubio Marín Iglesias Smith
Jones Brown Taylor Wilson Davies Evans Walker Wright Green Hall Wood Clarke Turner Hill Cooper Morris Ward""")
PLACES = W("""Madrid Barcelona Sevilla Valencia Bilbao Granada Zaragoza Málaga Murcia Salamanca Toledo Burgos Cádiz León
Oviedo Vigo Lugo Huesca Teruel Soria Ávila Jaén Córdoba Almería Alicante Girona Lisboa Oporto París Lyon Roma Milán
Nápoles Turín Londres Dublín Berlín Múnich Hamburgo Viena Praga Varsovia Atenas Estocolmo Oslo Helsinki Bogotá Lima
Quito Caracas Santiago Montevideo Asunción Rosario Mendoza Cusco Arequipa Guadalajara Monterrey Puebla Cancún Habana
London Paris Rome Boston Chicago Dallas Denver Seattle Portland Austin Miami Houston Phoenix Toronto Ottawa Montreal
Vancouver Sydney Melbourne Perth Brisbane Tokyo Osaka Kyoto Seoul Delhi Mumbai Cairo Nairobi Leeds York Bristol Cardiff
Glasgow Oxford Cambridge Bath Manchester Liverpool Brighton Berlin Munich Vienna Prague Lisbon Spain Italy Japan Chile
México Perú Francia Italia Japón Canadá Grecia Suecia Noruega Brazil Kenya Iceland""") + [
    "Nueva York", "Los Ángeles", "Buenos Aires", "La Coruña", "San Sebastián", "Las Palmas", "New York", "Los Angeles",
    "San Francisco", "New Orleans", "Costa Rica", "Palo Alto", "Cape Town", "El Cairo", "La Paz", "Santa Cruz"]
COMPANIES = W("""Google Amazon Microsoft Apple Netflix Siemens Bosch Toyota Sony Nokia Iberia Renfe Telefónica Mercadona Zara
Inditex Repsol Endesa Santander Mapfre Ikea Lidl Carrefour Decathlon Spotify Intel Nvidia Oracle IBM Airbus Boeing Shell
Nestlé Danone Adidas Nike Pfizer Bayer Philips Samsung Huawei Tesla Ferrari Vodafone Orange Uber Airbnb Visa Deloitte
Accenture Walmart Target Disney Starbucks""") + ["Banco Azul", "Grupo Norte", "Acme Labs", "Blue River", "Correos", "Red Oak"]
BRANDS = W("""Seat Renault Peugeot Ford Toyota Honda Mazda Volvo Audi Fiat Opel Kia Hyundai Nissan Dacia Skoda Citroën Tesla
Jeep Suzuki Subaru Lexus Porsche Mini Smart Cupra""")
TOOLS = W("""Linux Ubuntu Debian Windows Android Firefox Chrome Vim Emacs Excel Word Photoshop Gimp Blender Python Java Rust
Telegram Signal Slack Zoom Notion Obsidian Trello Git Docker""")

KIN = {"es": W("""hermana hermano madre padre mamá papá hija hijo abuela abuelo tía tío prima primo sobrina sobrino suegra
suegro cuñada cuñado nieta nieto jefe jefa vecina vecino amiga amigo novia novio mujer marido compañera compañero profesora
profesor médico dentista perro perra gato gata loro caballo tortuga conejo socio socia madrina padrino ahijada entrenador"""),
       "en": W("""sister brother mother father mom dad daughter son grandmother grandfather aunt uncle cousin niece nephew
wife husband boss neighbor friend girlfriend boyfriend colleague teacher doctor dentist dog cat parrot horse turtle rabbit
partner roommate grandson granddaughter godmother coach landlord manager stepfather stepsister""")}
LEX = {
 "es": {
  "job": W("""médico médica enfermera enfermero abogada abogado ingeniera ingeniero arquitecta arquitecto cocinera cocinero
camarera camarero profesora profesor periodista dentista electricista fontanero carpintero pintora pintor panadera panadero
bombero policía piloto azafata conductor taxista contable economista psicóloga psicólogo fotógrafa fotógrafo músico cantante
bailarina actriz actor escritora escritor programadora programador veterinaria veterinario farmacéutica jardinero mecánico
peluquera secretaria bibliotecaria traductora guía socorrista juez florista soldador"""),
  "thing": W("""perro gato perra gata loro conejo caballo tortuga canario pez hámster coche casa bicicleta guitarra piano
ordenador tablet cámara furgoneta barco huerto jardín piscina consola patinete reloj impresora tienda bar restaurante
apartamento telescopio dron cabra oveja gallina caravana mochila lámpara televisor violín granja cafetera teclado"""),
  "food": W("""pizza pasta paella tortilla ensalada sopa carne pescado marisco pollo jamón queso chocolate café té vino
cerveza leche pan arroz fruta manzana naranja fresa sandía melón plátano piña tomate cebolla ajo pimiento lechuga gazpacho
salmorejo cocido lasaña sushi hamburguesa helado tarta turrón flan miel mantequilla mermelada yogur limonada zumo calabaza
berenjena coliflor espinaca merluza salmón"""),
  "hobby": W("""bailar cantar leer nadar correr pintar cocinar viajar dormir pescar dibujar escribir patinar esquiar escalar
pasear coser tejer remar bucear surfear cazar fotografiar meditar"""),
  "sport": W("""fútbol tenis baloncesto ajedrez pádel golf rugby béisbol voleibol balonmano hockey póker dominó mus billar
bádminton ping-pong parchís"""),
  "instrument": W("""piano guitarra violín flauta trompeta batería saxofón clarinete arpa chelo gaita acordeón ukelele
trombón armónica bandurria órgano laúd"""),
  "language": W("""inglés francés alemán italiano portugués catalán gallego vasco chino japonés coreano ruso árabe griego
sueco noruego danés polaco turco hindi holandés húngaro checo rumano búlgaro hebreo latín swahili quechua guaraní"""),
  "subject": W("""medicina derecho historia biología química física filosofía economía arquitectura enfermería informática
matemáticas psicología periodismo música teatro geología geografía filología ingeniería estadística sociología botánica
veterinaria"""),
  "plural": W("""sellos monedas cromos libros discos muñecas postales relojes conchas minerales vinilos cómics sombreros
llaveros tazas mapas botellas figuritas cuadros lápices"""),
  "music": W("""jazz rock pop flamenco reggae blues salsa tango rap techno ópera soul funk metal bachata cumbia copla folk
indie punk"""),
  "color": W("azul rojo verde amarillo negro blanco morado gris rosa naranja turquesa granate violeta beige dorado plateado"),
  "month": W("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
 },
 "en": {
  "job": W("""doctor nurse lawyer engineer architect cook waiter teacher journalist dentist electrician plumber carpenter
painter baker firefighter policeman pilot driver accountant economist psychologist photographer musician singer dancer actor
writer programmer vet pharmacist gardener mechanic hairdresser secretary librarian translator guide lifeguard judge farmer
fisherman butcher tailor chemist biologist astronaut editor surgeon welder florist barber clerk optician"""),
  "thing": W("""dog cat parrot rabbit horse turtle canary hamster car house bicycle guitar piano computer tablet camera van
boat garden pool console scooter watch printer shop bar restaurant apartment telescope drone goat sheep chicken caravan
backpack lamp violin farm keyboard motorbike tent oven umbrella iguana ferret snake kayak laptop"""),
  "food": W("""pizza pasta paella salad soup meat fish seafood chicken ham cheese chocolate coffee tea wine beer milk bread
rice fruit apples oranges strawberries melon bananas pineapple tomatoes onions garlic pepper lettuce lasagna sushi burgers
pie cake honey butter jam yogurt lemonade juice pumpkin spinach salmon tuna bacon eggs peanuts mushrooms pancakes waffles
noodles curry tacos broccoli"""),
  "hobby": W("""dancing singing reading swimming running painting cooking traveling sleeping fishing drawing writing skating
skiing climbing walking sewing knitting rowing diving surfing hunting hiking gardening camping"""),
  "sport": W("""football tennis basketball chess golf rugby baseball volleyball handball hockey poker domino cricket snooker
badminton squash darts softball"""),
  "instrument": W("""piano guitar violin flute trumpet drums saxophone clarinet harp cello accordion ukulele trombone
harmonica organ banjo lute bagpipes"""),
  "language": W("""English French German Italian Portuguese Catalan Galician Basque Chinese Japanese Korean Russian Arabic
Greek Swedish Norwegian Danish Polish Turkish Hindi Dutch Hungarian Czech Romanian Bulgarian Hebrew Latin Swahili Spanish
Thai"""),
  "subject": W("""medicine law history biology chemistry physics philosophy economics architecture nursing computing
mathematics psychology journalism music theater geology geography philology engineering statistics sociology botany
astronomy"""),
  "plural": W("""stamps coins cards books records dolls postcards watches shells minerals vinyls comics hats keyrings mugs
maps bottles figurines paintings pencils"""),
  "music": W("jazz rock pop flamenco reggae blues salsa tango rap techno opera soul funk metal country folk indie punk disco gospel"),
  "color": W("blue red green yellow black white purple gray pink orange turquoise maroon violet beige gold silver"),
  "month": W("January February March April May June July August September October November December"),
 }}

# (verb, object type, statement patterns [the first one is also the answer], questions for the object)
REL = {"es": [
 ("vive_en", "place", ["{S} {vive|vivo|vives} en {O}", "{S} {reside|resido|resides} en {O}", "{S} {está|estoy|estás} viviendo en {O}", "{S} {tiene|tengo|tienes} la casa en {O}"],
  ["dónde {vive|vivo} {S}", "en qué ciudad {vive|vivo} {S}", "en qué lugar {reside|resido} {S}", "dónde {tiene|tengo} la casa {S}"]),
 ("trabaja_en", "company", ["{S} {trabaja|trabajo|trabajas} en {O}", "{S} {trabaja|trabajo|trabajas} para {O}", "{S} {está|estoy|estás} trabajando en {O}", "{S} {tiene|tengo|tienes} un puesto en {O}"],
  ["dónde {trabaja|trabajo} {S}", "en qué empresa {trabaja|trabajo} {S}", "para quién {trabaja|trabajo} {S}"]),
 ("trabaja_de", "job", ["{S} {trabaja|trabajo|trabajas} de {O}", "{S} {trabaja|trabajo|trabajas} como {O}", "{S} {ejerce|ejerzo|ejerces} de {O}"],
  ["de qué {trabaja|trabajo} {S}", "en qué {trabaja|trabajo} {S}", "a qué se {dedica|dedico} {S}"]),
 ("es", "job", ["{S} {es|soy|eres} {O}"], ["qué {es|soy} {S}", "qué profesión {tiene|tengo} {S}"]),
 ("tiene", "thing", ["{S} {tiene|tengo|tienes} {uO}", "{S} {posee|poseo|posees} {uO}", "{S} ya {tiene|tengo|tienes} {uO}"], ["qué {tiene|tengo} {S}", "qué cosas {tiene|tengo} {S}"]),
 ("le_gusta", "food/hobby", ["{aS} {le|me|te} gusta {eO}", "{aS} {le|me|te} encanta {eO}", "{aS} {le|me|te} gusta mucho {eO}", "{aS} {le|me|te} chifla {eO}"],
  ["qué {le|me} gusta {aS}", "qué {le|me} encanta {aS}", "qué es lo que más {le|me} gusta {aS}"]),
 ("nació_en", "place", ["{S} {nació|nací|naciste} en {O}", "{S} {vino|vine|viniste} al mundo en {O}"], ["dónde {nació|nací} {S}", "en qué ciudad {nació|nací} {S}"]),
 ("es_de", "place", ["{S} {es|soy|eres} de {O}", "{S} {procede|procedo|procedes} de {O}", "{S} {viene|vengo|vienes} de {O}"], ["de dónde {es|soy} {S}", "de dónde {viene|vengo} {S}"]),
 ("habla", "language", ["{S} {habla|hablo|hablas} {O}", "{S} {sabe|sé|sabes} hablar {O}", "{S} {habla|hablo|hablas} muy bien {O}"], ["qué idioma {habla|hablo} {S}", "qué lengua {habla|hablo} {S}", "qué {sabe|sé} hablar {S}"]),
 ("estudia", "subject", ["{S} {estudia|estudio|estudias} {O}", "{S} {está|estoy|estás} estudiando {O}"], ["qué {estudia|estudio} {S}", "qué carrera {estudia|estudio} {S}"]),
 ("estudia_en", "place", ["{S} {estudia|estudio|estudias} en {O}", "{S} {va|voy|vas} a clase en {O}"], ["dónde {estudia|estudio} {S}", "en qué sitio {estudia|estudio} {S}"]),
 ("se_llama", "name", ["{S} se {llama|llamo|llamas} {O}"], ["cómo se {llama|llamo} {S}", "qué nombre {tiene|tengo} {S}"]),
 ("odia", "food", ["{S} {odia|odio|odias} {eO}", "{S} {detesta|detesto|detestas} {eO}", "{S} no {soporta|soporto|soportas} {eO}"], ["qué {odia|odio} {S}", "qué {detesta|detesto} {S}"]),
 ("conduce", "brand", ["{S} {conduce|conduzco|conduces} un {O}", "{S} {lleva|llevo|llevas} un coche {O}"], ["qué coche {conduce|conduzco} {S}", "qué {conduce|conduzco} {S}"]),
 ("juega_a", "sport", ["{S} {juega|juego|juegas} {aO}", "{S} {está|estoy|estás} jugando {aO}"], ["a qué {juega|juego} {S}", "a qué deporte {juega|juego} {S}"]),
 ("toca", "instrument", ["{S} {toca|toco|tocas} {eO}", "{S} {sabe|sé|sabes} tocar {eO}"], ["qué instrumento {toca|toco} {S}", "qué {toca|toco} {S}"]),
 ("colecciona", "plural", ["{S} {colecciona|colecciono|coleccionas} {O}", "{S} {guarda|guardo|guardas} {O}"], ["qué {colecciona|colecciono} {S}", "qué {guarda|guardo} {S}"]),
 ("tiene_alergia_a", "food", ["{S} {tiene|tengo|tienes} alergia {aO}", "{S} {tiene|tengo|tienes} mucha alergia {aO}"], ["a qué {tiene|tengo} alergia {S}", "qué alergia {tiene|tengo} {S}"]),
 ("cumple_años_el", "date", ["{S} {cumple|cumplo|cumples} años el {O}", "{S} {celebra|celebro|celebras} el cumpleaños el {O}"], ["cuándo {cumple|cumplo} años {S}", "qué día {cumple|cumplo} años {S}"]),
 ("tiene_edad", "age", ["{S} {tiene|tengo|tienes} {O} años", "{S} ya {cumplió|cumplí|cumpliste} {O} años"], ["cuántos años {tiene|tengo} {S}", "qué edad {tiene|tengo} {S}"]),
 ("está_casado_con", "name", ["{S} {está|estoy|estás} casado con {O}", "{S} {está|estoy|estás} casada con {O}", "{S} se {casó|casé|casaste} con {O}"], ["con quién {está|estoy} casado {S}", "con quién {está|estoy} casada {S}", "con quién se {casó|casé} {S}"]),
 ("es_amigo_de", "name", ["{S} {es|soy|eres} amigo de {O}", "{S} {es|soy|eres} amiga de {O}", "{S} {es|soy|eres} muy amigo de {O}"], ["de quién {es|soy} amigo {S}", "de quién {es|soy} amiga {S}"]),
 ("viaja_a", "place", ["{S} {viaja|viajo|viajas} a {O}", "{S} {va|voy|vas} de viaje a {O}", "{S} se {va|voy|vas} a {O}"], ["a dónde {viaja|viajo} {S}", "a dónde {va|voy} de viaje {S}"]),
 ("quiere_visitar", "place", ["{S} {quiere|quiero|quieres} visitar {O}", "{S} {quiere|quiero|quieres} conocer {O}"], ["qué {quiere|quiero} visitar {S}", "qué lugar {quiere|quiero} conocer {S}"]),
 ("prefiere", "food", ["{S} {prefiere|prefiero|prefieres} {eO}", "{S} siempre {prefiere|prefiero|prefieres} {eO}"], ["qué {prefiere|prefiero} {S}"]),
 ("cocina", "food", ["{S} {cocina|cocino|cocinas} {O}", "{S} {prepara|preparo|preparas} {O}"], ["qué {cocina|cocino} {S}", "qué {prepara|preparo} {S}"]),
 ("usa", "tool", ["{S} {usa|uso|usas} {O}", "{S} {utiliza|utilizo|utilizas} {O}", "{S} {trabaja|trabajo|trabajas} con {O}"], ["qué {usa|uso} {S}", "qué programa {utiliza|utilizo} {S}"]),
 ("compró", "thing", ["{S} {compró|compré|compraste} {uO}", "{S} se {compró|compré|compraste} {uO}"], ["qué {compró|compré} {S}", "qué se {compró|compré} {S}"]),
 ("necesita", "thing", ["{S} {necesita|necesito|necesitas} {uO}", "{aS} {le|me|te} hace falta {uO}"], ["qué {necesita|necesito} {S}", "qué {le|me} hace falta {aS}"]),
 ("escucha", "music", ["{S} {escucha|escucho|escuchas} {O}", "{S} siempre {escucha|escucho|escuchas} {O}"], ["qué música {escucha|escucho} {S}", "qué {escucha|escucho} {S}"]),
 ("teléfono", "phone", ["{el|mi|tu} teléfono {dS} es el {O}", "{el|mi|tu} número {dS} es {O}"], ["cuál es {el|mi} teléfono {dS}", "qué número de teléfono {tiene|tengo} {S}"]),
 ("color_favorito", "color", ["{el|mi|tu} color favorito {dS} es el {O}", "{el|mi|tu} color preferido {dS} es el {O}"], ["cuál es {el|mi} color favorito {dS}", "cuál es {el|mi} color preferido {dS}"]),
], "en": [
 ("lives_in", "place", ["{S} {lives|live} in {O}", "{S} {resides|reside} in {O}", "{S} {is|am|are} living in {O}", "{S} {has|have} a home in {O}"], ["where {does|do} {S} live", "what city {does|do} {S} live in", "where {is|am} {S} living"]),
 ("works_at", "company", ["{S} {works|work} at {O}", "{S} {works|work} for {O}", "{S} {is|am|are} working at {O}", "{S} {has|have} a job at {O}"], ["where {does|do} {S} work", "what company {does|do} {S} work for", "who {does|do} {S} work for"]),
 ("works_as", "job", ["{S} {works|work} as {uO}", "{S} {is|am|are} working as {uO}", "{S} {earns|earn} a living as {uO}"], ["what {does|do} {S} work as", "what {does|do} {S} do for a living"]),
 ("is", "job", ["{S} {is|am|are} {uO}"], ["what {is|am} {S}", "what is {Ss} profession"]),
 ("has", "thing", ["{S} {has|have} {uO}", "{S} {owns|own} {uO}", "{S} {has|have} got {uO}"], ["what {does|do} {S} have", "what {does|do} {S} own"]),
 ("likes", "food/hobby", ["{S} {likes|like} {O}", "{S} {loves|love} {O}", "{S} really {likes|like} {O}", "{S} {enjoys|enjoy} {O}"], ["what {does|do} {S} like", "what {does|do} {S} love", "what {does|do} {S} enjoy"]),
 ("born_in", "place", ["{S} {was|was|were} born in {O}", "{S} came into the world in {O}"], ["where {was|was} {S} born", "in what city {was|was} {S} born"]),
 ("is_from", "place", ["{S} {is|am|are} from {O}", "{S} {comes|come} from {O}"], ["where {is|am} {S} from", "where {does|do} {S} come from"]),
 ("speaks", "language", ["{S} {speaks|speak} {O}", "{S} can speak {O}", "{S} {speaks|speak} very good {O}"], ["what language {does|do} {S} speak", "which language can {S} speak"]),
 ("studies", "subject", ["{S} {studies|study} {O}", "{S} {is|am|are} studying {O}"], ["what {does|do} {S} study", "what {is|am} {S} studying"]),
 ("studies_at", "place", ["{S} {studies|study} at {O}", "{S} {goes|go} to school in {O}"], ["where {does|do} {S} study", "where {does|do} {S} go to school"]),
 ("named", "name", ["{Ss} name is {O}", "{S} {is|am|are} called {O}", "{S} {is|am|are} named {O}"], ["what is {Ss} name", "what {is|am} {S} called"]),
 ("hates", "food", ["{S} {hates|hate} {O}", "{S} can't stand {O}", "{S} {detests|detest} {O}"], ["what {does|do} {S} hate", "what can't {S} stand"]),
 ("drives", "brand", ["{S} {drives|drive} a {O}", "{S} {has|have} a {O} car"], ["what car {does|do} {S} drive", "what {does|do} {S} drive"]),
 ("plays", "sport/instrument", ["{S} {plays|play} {O}", "{S} can play {O}", "{S} {is|am|are} learning to play {O}"], ["what {does|do} {S} play", "what can {S} play"]),
 ("collects", "plural", ["{S} {collects|collect} {O}", "{S} {keeps|keep} a collection of {O}"], ["what {does|do} {S} collect"]),
 ("allergic_to", "food", ["{S} {is|am|are} allergic to {O}", "{S} {has|have} an allergy to {O}"], ["what {is|am} {S} allergic to", "what allergy {does|do} {S} have"]),
 ("birthday_on", "date", ["{Ss} birthday is on {O}", "{S} {has|have} a birthday on {O}"], ["when is {Ss} birthday", "what day is {Ss} birthday"]),
 ("is_aged", "age", ["{S} {is|am|are} {O} years old", "{S} just turned {O}"], ["how old {is|am} {S}", "what is {Ss} age"]),
 ("married_to", "name", ["{S} {is|am|are} married to {O}", "{S} got married to {O}"], ["who {is|am} {S} married to", "who did {S} get married to"]),
 ("friend_of", "name", ["{S} {is|am|are} a friend of {O}", "{S} {is|am|are} good friends with {O}"], ["who {is|am} {S} a friend of", "who {is|am} {S} good friends with"]),
 ("travels_to", "place", ["{S} {travels|travel} to {O}", "{S} {is|am|are} traveling to {O}", "{S} {is|am|are} going on a trip to {O}"], ["where {does|do} {S} travel to", "where {is|am} {S} traveling to"]),
 ("wants_to_visit", "place", ["{S} {wants|want} to visit {O}", "{S} {wants|want} to see {O}"], ["where {does|do} {S} want to visit", "what {does|do} {S} want to visit"]),
 ("prefers", "food", ["{S} {prefers|prefer} {O}", "{S} always {prefers|prefer} {O}"], ["what {does|do} {S} prefer"]),
 ("cooks", "food", ["{S} {cooks|cook} {O}", "{S} {makes|make} {O} at home"], ["what {does|do} {S} cook"]),
 ("uses", "tool", ["{S} {uses|use} {O}", "{S} {works|work} with {O}", "{S} {is|am|are} using {O}"], ["what {does|do} {S} use", "what software {does|do} {S} use"]),
 ("bought", "thing", ["{S} bought {uO}", "{S} just bought {uO}"], ["what did {S} buy"]),
 ("needs", "thing", ["{S} {needs|need} {uO}", "{S} could use {uO}"], ["what {does|do} {S} need"]),
 ("listens_to", "music", ["{S} {listens|listen} to {O}", "{S} always {listens|listen} to {O}"], ["what music {does|do} {S} listen to", "what {does|do} {S} listen to"]),
 ("phone", "phone", ["{Ss} phone number is {O}", "{Ss} number is {O}"], ["what is {Ss} phone number", "what is {Ss} number"]),
 ("favorite_color", "color", ["{Ss} favorite color is {O}", "the color {S} {likes|like} most is {O}"], ["what is {Ss} favorite color", "which color {does|do} {S} like most"]),
]}
# yes/no questions: Spanish reuses the statement; English turns the first statement around with a regular expression.

PRE = {"es": ["oye, ", "por cierto, ", "que sepas que ", "recuerda que ", "apunta que ", "te cuento que ", "quiero que recuerdes que ",
  "hola, ", "bueno, ", "pues ", "creo que ", "mira, ", "para que lo sepas, ", "no olvides que ", "anota esto: ", "un dato: ",
  "resulta que ", "me dijeron que ", "toma nota: ", "debes saber que ", "guarda esto: ", "ah, ", "buenas, ", "la verdad es que "],
 "en": ["hey, ", "by the way, ", "just so you know, ", "remember that ", "note that ", "I want you to know that ", "hi, ", "well, ",
  "so, ", "I think ", "look, ", "don't forget that ", "please remember that ", "a fact: ", "it turns out that ", "they told me that ",
  "take note: ", "you should know that ", "save this: ", "oh, ", "hello, ", "for the record, ", "actually, ", "guess what, "]}
SUF = {"es": [", gracias", ", ¿vale?", ", para que lo sepas", ", creo", " por ahora", ", apúntalo", ", no lo olvides", ", por favor",
  " desde hace tiempo", ", ya te lo dije", " y estoy seguro", ", ¿ok?"],
 "en": [", thanks", ", ok?", ", just so you know", ", I think", " for now", ", write it down", ", don't forget", ", please",
  " as far as I know", ", I already told you", " and I am sure", ", right?"]}
QPRE = {"es": ["oye, ", "dime ", "sabes ", "me puedes decir ", "recuérdame ", "quiero saber ", "a ver, ", "por favor, dime ", "hola, ",
  "te acuerdas de ", "necesito saber ", "podrías decirme ", "perdona, ", "¿me dices "],
 "en": ["hey, ", "tell me ", "do you know ", "can you tell me ", "remind me ", "I want to know ", "so, ", "please tell me ", "hi, ",
  "do you remember ", "I need to know ", "could you tell me ", "sorry, ", "and "]}
ABOUT = {"es": ["qué sabes de {S}", "qué sabes sobre {S}", "qué me puedes contar de {S}", "háblame de {S}", "qué recuerdas de {S}", "cuéntame cosas de {S}", "qué hay de {S}", "qué información tienes de {S}"],
 "en": ["what do you know about {S}", "what can you tell me about {S}", "tell me about {S}", "what do you remember about {S}", "tell me things about {S}", "what about {S}", "what information do you have on {S}"]}
# sentences without any fact about the people of the user's life ({N} name, {P} place, {X} number, {F} food)
CHAT = {"es": ["hola", "hola, ¿qué tal?", "buenos días", "buenas noches, {N}", "gracias por tu ayuda", "muchas gracias, {N}", "qué calor hace hoy", "hace frío en {P}",
  "no sé qué decir", "vale, perfecto", "hasta luego", "me parece bien", "qué bonito día", "estoy pensando", "espera un momento", "vamos a ver",
  "eso no importa", "no entiendo nada", "perdona, {N}", "repite eso", "qué risa", "claro que sí", "por supuesto", "ya veremos", "ojalá llueva en {P}",
  "ayúdame con esto", "pon música", "apaga la luz", "enciende la radio", "buena idea", "necesito pensar", "cuéntame algo", "qué aburrimiento", "nos vemos en {X} minutos"],
 "en": ["hello", "hi, how are you?", "good morning", "good night, {N}", "thanks for your help", "thank you very much, {N}", "it is so hot today", "it is cold in {P}",
  "I don't know what to say", "ok, perfect", "see you later", "sounds good to me", "what a lovely day", "I am thinking", "wait a moment", "let's see",
  "that doesn't matter", "I don't understand anything", "sorry, {N}", "say that again", "so funny", "of course", "sure thing", "we will see", "I hope it rains in {P}",
  "help me with this", "play some music", "turn off the light", "turn on the radio", "good idea", "I need to think", "tell me something", "this is boring", "see you in {X} minutes"]}
OTHERQ = {"es": ["qué hora es", "qué día es hoy", "cuéntame un chiste", "cuánto es {X} más {X}", "cuál es la capital de {P}", "qué tiempo hace en {P}", "cómo estás",
  "quién eres", "qué puedes hacer", "cómo se prepara {F}", "cuánto cuesta {F}", "cuántos habitantes hay en {P}", "me ayudas con una carta", "qué significa esa palabra",
  "por qué llueve", "cómo llego a {P}", "puedes cantar", "cuánto falta para las {X}", "quién ganó el partido", "qué distancia hay hasta {P}", "va a llover en {P}", "qué películas hay hoy"],
 "en": ["what time is it", "what day is it today", "tell me a joke", "how much is {X} plus {X}", "what is the capital of {P}", "what is the weather like in {P}", "how are you",
  "who are you", "what can you do", "how do you make {F}", "how much does {F} cost", "how many people live around {P}", "can you help me with a letter", "what does that word mean",
  "why does it rain", "how do I get to {P}", "can you sing", "how long until {X}", "who won the game", "how far is {P}", "will it rain in {P}", "what movies are on today"]}
