/** Spanish requests to train with. corpus.ts explains the form. */
export const TRAIN_ES = `
TABLE = clientes|pedidos|facturas|productos|empleados|usuarios|ventas|alumnos|citas|proveedores|reservas|artículos|compras|pagos|contactos|envíos|libros|vehículos|socios|gastos|incidencias|inventario|nóminas|cursos|sesiones|registros|mensajes|habitaciones|pacientes|recetas|partidos|canciones|películas|categorías|sucursales|stock|transacciones|logs
FIELD = nombre|fecha|precio|importe|ciudad|estado|correo|edad|teléfono|cantidad|país|título|nota|saldo|sueldo|categoría|departamento|código|año|hora|peso|descuento|iva|referencia
PERSON = mi hermana|mi padre|Ana|mi jefe|mi vecino|Luis|mi abuela|mi amiga Clara|Marta|mi primo|mi mujer|el profesor de mi hija|mi madre|mi hijo|mi tío|mi tía Rosa|mi novio|mi marido|mi compañero|mis padres|Pedro|Carmen|Javier|la hermana de Luis|mi nieta|mi yerno|mi médico|mi perro|mi gato|Sofía|mi amigo Raúl|mi hermano pequeño|mi dentista|mi abuelo
PLACE = Madrid|Sevilla|Lugo|Bilbao|Roma|París|Valencia|Cádiz|la calle Mayor|Zaragoza|un pueblo de Teruel|Berlín|México|Barcelona|el centro|la sierra|Buenos Aires|un ático|León|Toledo
JOB = médica|carpintero|profesora|en un banco|enfermero|abogada|en el ayuntamiento|cocinero|taxista|bombero|periodista|en una fábrica|farmacéutica|fontanero|arquitecta|camarero|en Correos|dependienta|músico|veterinaria|policía|ingeniero
LIKED = el té|los gatos|la música clásica|el chocolate|nadar|las películas de miedo|cocinar|el fútbol|el queso|los toros|leer|la playa|el rock|bailar|las setas|madrugar|el vino tinto|viajar|los dulces|correr
TOPIC = el mar|el otoño|la amistad|los gatos|un viaje en tren|la lluvia|mi barrio|el café|las estrellas|la vuelta al cole|un dragón|el amor|la luna|un perro perdido|las vacaciones|la montaña|un robot|la primavera|mi infancia|el silencio|la ciudad de noche|un detective|la navidad|los abuelos|el desierto|una bruja|el fútbol|la soledad|un pirata
PIECE = poema|cuento|párrafo|artículo|discurso|relato breve|soneto|eslogan|anuncio|villancico|ensayo|diálogo|texto|guion|rap|monólogo|prólogo|titular|brindis|comentario|pregón|capítulo|romance|post|folleto
MESSAGE = correo|carta|mensaje|respuesta|invitación|felicitación|reclamación|nota de agradecimiento|disculpa|carta de amor|solicitud|queja|aviso|postal|nota|circular|presentación|recomendación|whatsapp|comunicado|despedida
WHO = mi jefa|un cliente|el casero|mi profesor|la vecina|recursos humanos|un proveedor|mi abuela|el banco|mis compañeros|el ayuntamiento|mi pareja|los padres del colegio|un amigo|la empresa|el director|mi equipo|los vecinos|la tienda|mis suegros
WORLD = el Everest|el Amazonas|la Luna|el Sol|un elefante|una jirafa|el oro|el agua|la gravedad|la Torre Eiffel|el ADN|Japón|Australia|Egipto|la Antártida|la Odisea|el imperio romano|la inflación|un volcán|un eclipse|el colesterol|la vitamina C|los dinosaurios|la revolución francesa|un tsunami|la fibra óptica|el queso manchego|una hipoteca|el ajedrez|el flamenco|la Gran Muralla|un agujero negro|la democracia|el cambio climático|la energía solar
FAMOUS = Napoleón|Cleopatra|Einstein|Picasso|Mozart|Frida Kahlo|Cervantes|Marie Curie|Colón|Shakespeare|Maradona|Velázquez|Julio César|Darwin|los Beatles|Goya|Galileo|Gandhi
HOWTO = pelar un mango|hacer pan|cambiar una bombilla|aprender alemán|dejar de fumar|montar una tienda de campaña|cuidar un cactus|afinar una guitarra|formatear un disco|ahorrar dinero|planchar una camisa|cocer un huevo|hacer yoga|bajar la fiebre|llegar al aeropuerto|renovar el pasaporte|abrir un coco|dormir mejor|hacer la declaración de la renta|sacar una mancha
DEVICE = la luz|la tele|la radio|el aire|la calefacción|el horno|la lavadora|la música|el ventilador|la cafetera|el robot aspirador|la alarma|las luces del jardín|el altavoz|el riego
ABOUTME = juego al baloncesto|toco el piano|hablo alemán|uso gafas|necesito un bastón|prefiero el té|bebo poca agua|tengo un gato|llevo barba|conduzco un Seat|estudio derecho|trabajo de noche|vivo con mis padres|nací en martes|odio el ruido|colecciono discos|madrugo mucho|voy al gimnasio|soy zurdo|soy de Galicia|soy vegano|estoy divorciado|no como cerdo|no tengo carnet|canto en un coro|pinto acuarelas|crio palomas|peso setenta kilos|mido un metro ochenta|calzo un 41
BELONGING = mi coche|mi moto|mi casa|mi oficina|nuestro perro|mi bicicleta|mi pueblo|el colegio de los niños|la casa de la playa|mi mochila|mi despacho|el trastero|la oficina|mi cuenta|mi equipo
STATE = está en PLACE|es de color verde|tiene tres plantas|se llama Trueno|está estropeado|cumple diez años|queda cerca del río|es alquilado|cuesta 500 euros al mes
FILE = arreglo.diff|cambios.patch|0001-corrige-login.patch|fix.diff|hotfix.patch|mejora.diff|seguridad.patch|refactor.diff

[sql]
ABOUTME
ABOUTME y ABOUTME
{yo|ahora|últimamente|ya no|también} ABOUTME
{ten en cuenta que|sabes que|apunta que|recuerda que|que sepas que|te cuento que} ABOUTME
BELONGING STATE
{recuerda que|apunta:|quiero que sepas que} BELONGING STATE
¿{dónde está|cómo se llama|de qué color es|cuánto cuesta|qué edad tiene} BELONGING?
¿{qué deporte practico|qué idiomas hablo|qué instrumento toco|cuánto peso|qué número calzo|qué bebo|dónde trabajo|con quién vivo}?
¿{te he dicho|sabes|recuerdas} {si ABOUTME|dónde está BELONGING|cómo se llama PERSON}?
PERSON {se compró|vendió|perdió|ha cambiado} {BELONGING|la moto|el móvil}
PERSON {y PERSON|} {están casados|viven juntos|son primos|trabajan en PLACE}
PERSON {lleva|usa|tiene|necesita|prefiere|quiere|odia|bebe|come} {gafas|un Opel|bastón|el vino blanco|una bicicleta|muchos libros|poca sal}
¿{qué coche lleva|qué bebe|qué come|qué prefiere|qué odia|cuánto mide|cuándo se casó} PERSON?
{el|la} {hijo|hija|perro|jefa|novia|casa} de PERSON {se llama Noa|vive en PLACE|es JOB|trabaja en PLACE}
{enséñame|ponme|lista|imprime} TABLE {con|y su} FIELD {mayor|menor} que {10|100|2000}
{enséñame|búscame|encuentra} los TABLE {más caros|más recientes|repetidos|duplicados|sin FIELD|pendientes|caducados}
¿{qué|cuáles} TABLE tienen {el FIELD vacío|más de 100 unidades|un FIELD nulo}?
{media|suma|total|recuento|promedio|porcentaje} de FIELD por FIELD
¿cuál es {la media|el máximo|el mínimo|la suma} de FIELD {de los TABLE|por FIELD|en la tabla TABLE}?
haz {una consulta|un select|una query} {que saque|que muestre|para ver|que cuente} TABLE {de 2023|por FIELD|con su FIELD}
{consulta|pregunta a|mira en} la base de datos {cuántos TABLE hay|el FIELD de los TABLE|si existe la tabla TABLE}
{crea|añade} un índice en la tabla TABLE por FIELD
{exporta|vuelca|saca} la tabla TABLE
select FIELD, FIELD from TABLE order by FIELD desc limit 10
select avg(FIELD) from TABLE where FIELD > 5
SELECT DISTINCT FIELD FROM TABLE WHERE FIELD LIKE '%a%';
update TABLE set FIELD = 'x' where FIELD is null
delete from TABLE where id = 9
PRAGMA table_info(TABLE)
with t as (select * from TABLE) select count(*) from t
{tablas|esquema|columnas} de la base de datos
¿cuántos TABLE {tenemos|hay guardados|hay en total|se hicieron ayer}?
¿cuánto {suman|hemos gastado en|hemos cobrado por} los TABLE de {enero|mayo|este trimestre|2022}?
¿qué {día|mes|cliente|empleado} tuvo más TABLE?
{compara|relaciona} {los|las} TABLE con {los|las} TABLE
PERSON {tiene|cumple} {40 años|7 años|12 años}
PERSON {estudia derecho|estudia en Salamanca|toca la guitarra|juega al tenis|habla francés|conduce un camión|colecciona sellos|canta en un coro}
PERSON {es de PLACE|nació en PLACE|trabaja en PLACE|está casado con Elena|está en paro|está embarazada}
PERSON {se llama Jorge|se llama Nube|odia el brócoli|prefiere el té|bebe cerveza|usa gafas|no come carne|es alérgico al polen|le tiene miedo a volar}
a PERSON {no le gusta|le encanta|le molesta} LIKED
{mi|nuestro} {coche|piso|ordenador|gato|equipo|barco|pueblo} {es rojo|está en PLACE|tiene dos años|se llama Rayo|es muy viejo}
mi {color|plato|libro|equipo|número|cantante} favorito es {el azul|la paella|el siete|el Betis}
la {contraseña del wifi|clave de la alarma|cita del dentista|llave de repuesto} {es 1234|está en el cajón|es el lunes}
{recuerda|apunta|anota|memoriza|toma nota de|ten en cuenta|que no se te olvide} que {mi FIELD es 45|tengo cita el lunes|soy alérgico a la penicilina|uso la talla 42|odio madrugar}
{yo|} {soy JOB|estudio física|tengo dos hermanas|hablo italiano|no bebo alcohol|colecciono monedas|vivo solo|toco el piano|odio los lunes|conduzco una furgoneta}
{desde hace un año|ahora|desde marzo} {vivo en PLACE|PERSON trabaja de JOB|PERSON vive en PLACE}
me he {mudado a PLACE|casado|comprado una moto|apuntado a yoga}
¿{de dónde es|con quién vive|qué edad tiene|dónde estudia|qué idiomas habla|en qué trabaja|cuándo nació|con quién está casada} PERSON?
¿{vive|trabaja|nació|estudia} PERSON en PLACE?
¿cuál es mi {color favorito|dirección|teléfono|talla|plato favorito|correo|número de cuenta}?
¿dónde {vivo|trabajo|nací|están las llaves|aparqué el coche}?
¿{tengo|tiene PERSON} {hijos|perro|coche|hermanos|alergias|novia}?
¿qué {me gusta|bebo|toco|odio|estudié|coche tengo|regalo quería PERSON}?
{dime|cuéntame|recuérdame} {lo que sabes de|qué te dije de|dónde vive|cómo se llama|qué le gusta a} PERSON
háblame de PERSON
¿quién {habla italiano|es mi dentista|toca la guitarra|cumple años en mayo|es PERSON|soy yo}?
{olvida|borra|elimina|ya no recuerdes} {que PERSON vive en PLACE|mi teléfono|lo que sabes de mí|mi cumpleaños|a PERSON}
{corrige|no es así}: PERSON {vive en PLACE|tiene 8 años|se llama Julia}
¿cuántas {filas|entradas|líneas} hay en la tabla {de |}TABLE?
cuántos registros tiene TABLE
{lista|enséñame|muéstrame|saca} {todos los|los últimos 20|los primeros diez} registros de la tabla TABLE
{dame|quiero|necesito} el {total|promedio|máximo|mínimo} de FIELD {por|agrupado por} FIELD en TABLE
{ordena|filtra|agrupa} la tabla TABLE por FIELD
{inserta|añade|mete} {una fila|un registro} en {la tabla |}TABLE con FIELD {y FIELD|5|'nuevo'}
{actualiza|cambia} el FIELD en la tabla TABLE donde id = {3|17|204}
{borra|elimina} de TABLE las filas {sin FIELD|repetidas|anteriores a 2020}
¿qué tablas {hay|existen|tiene} {en |}la base de datos?
¿qué {columnas|campos|índices} tiene la tabla TABLE?
describe el esquema de {la tabla |}TABLE
{ejecuta|lanza|corre} {esta consulta|este sql|esta sentencia}: select FIELD from TABLE
select * from TABLE where FIELD = {'x'|10|null}
SELECT count(*) FROM TABLE GROUP BY FIELD;
SELECT FIELD, sum(importe) FROM TABLE JOIN TABLE USING (id) ORDER BY 2 DESC LIMIT {5|10|50}
insert into TABLE values (1, 'a', 3)
haz un join {de|entre} TABLE y TABLE por FIELD
cruza TABLE con TABLE y dime cuáles no {coinciden|aparecen}
según la base de datos, ¿{cuánto hemos facturado|cuál fue la venta más alta|qué cliente compra más}?
¿cuántos {pedidos|clientes|usuarios} {hubo|se registraron|entraron} {en marzo|el año pasado|esta semana} según los datos?
busca en la base {de datos |}{los|las} TABLE de PLACE
top 5 de TABLE por FIELD
PERSON vive en PLACE
PERSON {trabaja de|es|trabaja como} JOB
{recuerda|apunta|anota|ten presente} que PERSON {vive en PLACE|cumple años el 3 de mayo|es alérgica a los frutos secos}
a PERSON le {gusta|encanta|gustan} LIKED
PERSON ya no {vive en PLACE|trabaja en el banco|bebe café}
me {gusta|encanta} LIKED
{vivo|nací|trabajo|estudio} en PLACE
me llamo {Ana|Jorge|Lucía} y {vivo en PLACE|tengo 34 años}
mi {teléfono|correo|dirección|cumpleaños|matrícula} es {600123123|ana@ejemplo.es|el 5 de mayo|calle Sol 4}
tengo {un perro que se llama Toby|dos hijos|una gata|30 años}
¿dónde {vive|trabaja|nació} PERSON?
¿{cuándo es el cumpleaños|cuál es el teléfono|cómo se llama el perro} de PERSON?
¿qué le {gusta|encanta} a PERSON?
¿a qué se dedica PERSON?
¿quién {vive en PLACE|es médica|tiene un perro}?
¿qué {sabes|recuerdas|te he contado} {de|sobre} PERSON?
¿te {acuerdas|has olvidado} de {dónde vive PERSON|lo que te dije de PERSON|mi cumpleaños}?
olvida {lo que te dije de|todo sobre|lo de} PERSON
¿cómo me llamo?
¿cuántos años {tengo|tiene PERSON}?
PERSON se ha {mudado a PLACE|casado con Pedro|comprado un coche rojo}

[draft]
{escribe|redacta|créame|hazme|elabora|ponme} {un|el|otro} PIECE {de TOPIC|sobre TOPIC|para WHO|inspirado en TOPIC}
{me haces|me escribes|me redactas|puedes escribir|podrías redactar|podrías componer} {un PIECE|una MESSAGE|unas palabras} {sobre TOPIC|para WHO}?
quiero {que escribas|que redactes|que inventes|un texto|un PIECE} {sobre TOPIC|acerca de TOPIC|para WHO}
necesito {un texto|unas frases|una redacción|un escrito|un PIECE} {sobre TOPIC|para WHO|de 200 palabras}
{inventa|imagina|idea} {una historia|un PIECE|un final|un personaje|un diálogo} {sobre TOPIC|con TOPIC|de miedo}
{sigue|continúa|prosigue|retoma} {escribiendo|el relato|la narración|donde lo dejaste|el texto por donde iba}
{termina|remata|cierra|completa} {la carta|el cuento|el ensayo|el último párrafo|la estrofa|la redacción}: {y desde entonces|querida abuela|en conclusión}
{haz|escribe|redacta} {la introducción|la conclusión|el prólogo|el resumen|la contraportada|la letra de una canción} {de mi trabajo|de mi libro|sobre TOPIC}
{reescribe|redacta de nuevo|mejora el estilo de|corrige el tono de|simplifica|pule} {este correo|este texto|la frase anterior|mi redacción|este mensaje}
{pon|pasa|convierte} {este texto|esta nota|este borrador} {en un tono más formal|a primera persona|en verso|más corto|en un correo}
{resume|sintetiza|haz un resumen de} {lo anterior|este documento|la noticia|el acta|el capítulo}
{responde|contesta} {al correo|al mensaje|a la carta} {de WHO} {diciendo que sí|con educación|que no puedo ir}
{dime|escribe|propón} {una frase|unas palabras|una dedicatoria|un mensaje} {para WHO|de cumpleaños|de pésame|de ánimo|para una tarjeta}
{texto|copy|descripción|pie de foto|biografía|titular} {para|de} {mi web|instagram|mi negocio|el folleto|un producto}
{redacta|escribe|prepara} {las instrucciones|las normas|el guion|el acta|el comunicado|la oferta de empleo} {de la reunión|del juego|del vídeo|de la asociación}
{escribe|escríbeme|redacta|compón|invéntate} un PIECE {sobre|acerca de|que hable de} TOPIC
{escribe|hazme} {un texto|unas líneas|algo} {corto|bonito|divertido} sobre TOPIC
{redacta|escribe|prepara} {un|una} MESSAGE {para|dirigida a} WHO
{ayúdame a escribir|necesito|quiero} {un|una} MESSAGE {formal|amable|breve} para WHO
{continúa|sigue|prosigue} {esta historia|este texto|el cuento|la frase}: {érase una vez|aquella noche llovía|el tren llegó tarde y}
{completa|termina|acaba} {este párrafo|esta frase|el poema|mi redacción}
{propón|sugiere|dame} {un título|tres titulares|un final|un comienzo} para {mi artículo|el cuento|esta redacción}
{dame|hazme} {un borrador|una primera versión} de {la introducción|la carta|el discurso|mi presentación}
{reescribe|reformula|mejora} {este párrafo|esta frase|el texto} {con otras palabras|en tono formal|para que suene mejor}
{resume|resúmeme} {este texto|el artículo|el correo} en {dos frases|una línea|pocas palabras}
cuéntame {un cuento|una historia} {de|sobre} TOPIC
{alarga|acorta} {este texto|el mensaje|la carta} {un poco|a la mitad|hasta diez líneas}
contesta {por mí |}a {este correo|este mensaje} de WHO
{un|una} MESSAGE para WHO diciendo que {llego tarde|no puedo ir|acepto}
una descripción {atractiva|corta} {del producto|de mi tienda|del piso} para {la web|el anuncio|instagram}
{escribe|dame} {dos versos|una rima|una estrofa|un haiku} {sobre|de} TOPIC
¿cómo seguiría este texto? {la puerta se abrió y|había una vez un faro}
{genera|crea} un texto {publicitario|de bienvenida|de ejemplo} sobre TOPIC

[patch-sandbox]
{prueba|ensaya|testea|comprueba|valida|verifica} {el parche|el diff|este diff|el cambio de código|la corrección} {de WHO|del error 42|que te mando|adjunto}
{aplica|instala|mete|carga} {este diff|el parche|FILE|los cambios del commit} {en una copia|en un entorno aislado|en el sandbox|sobre la rama main} {y compila|y pasa las pruebas|y dime qué falla|}
¿{compila|funciona|pasa los tests|rompe algo} {el código|el proyecto|la rama} {con este diff|con el parche|tras aplicar FILE|con la PR}?
{corre|ejecuta|lanza|pasa} {npm test|pytest|make check|cargo test|go test|el build|la compilación|la suite} {con el diff|tras aplicar el parche|en la rama parcheada|con FILE}
¿{hay|da|tiene} {conflictos|errores|fallos} {el parche|este diff|al aplicar FILE|al integrar la rama}?
{mira|comprueba|dime} si {el diff|el parche|FILE|el commit} {se puede aplicar|aplica sobre main|es válido|está firmado|pasa el CI}
git apply FILE {y corre los tests|--check|en una copia}
{analiza|evalúa|examina} {el parche|la pull request|este diff} {en el sandbox|ejecutando los tests|antes del merge}
diff --git a/src/index.js b/src/index.js index 83db48f..bf2a3c1 @@ -1 +1 @@
{aplica|prueba} {esto|lo siguiente}: --- a/README.md +++ b/README.md @@ -3,1 +3,2 @@
{quiero|necesito} {probar|validar|ensayar} {un parche|el diff|una corrección|un hotfix} {sin riesgo|antes de desplegar|en aislado}
¿qué {pruebas|tests} {fallan|se rompen} {con este parche|al aplicar el diff|con la modificación}?
{prueba|ensaya|testea} {este parche|este diff|el parche FILE} {y ejecuta los tests|sin tocar mi código|en una copia}
{aplica|mete} {el parche|este diff|FILE} en {el sandbox|una copia aislada|un entorno seguro} {y dime si compila|y lanza las pruebas|}
¿{se aplica|entra} {limpio|bien|sin conflictos} {este parche|el diff|FILE}?
{comprueba|mira|verifica} si {este cambio|el arreglo|esta modificación del código} {rompe|hace fallar} {algo|las pruebas|los tests}
{ejecuta|corre|lanza|pasa} {los tests|las pruebas|la batería de pruebas|el linter} con {este cambio|el parche aplicado|este diff}
{ensayo|simulacro} en seco de FILE
¿{es seguro|puedo} {aplicar|integrar|fusionar} {este cambio|este parche|la pull request}?
¿qué {trozo|fragmento|hunk} del {parche|diff} {falla|no se aplica}?
{verifica|comprueba} la firma de FILE {antes de aplicarlo|y pruébalo|}
valida {el diff|el parche} {que te paso|de esta rama} {y compila|contra el repositorio|}
prueba {la rama|el commit|la pull request} {antes de integrarla|en una copia del repositorio} y dime si {pasan|fallan} los tests
aplica este diff: --- a/src/app.ts +++ b/src/app.ts @@ -1,3 +1,4 @@
diff --git a/main.c b/main.c y dime si {compila|pasa las pruebas}
¿compila el proyecto {con este parche|si aplico FILE|después de este cambio}?
revierte el parche {en el sandbox|en la copia} y vuelve a {probar|compilar}

[]
¿{qué es|qué son|cómo es|para qué sirve|de qué está hecho|cómo funciona|cómo se forma|por qué existe} WORLD?
¿{dónde está|dónde queda|cuánto mide|cuánto pesa|qué edad tiene|a qué distancia queda|cuántos habitantes tiene|cuánto cuesta} WORLD?
{explícame|háblame de|cuéntame algo de|dime algo sobre|qué sabes de|información sobre} WORLD
¿quién {fue|era|es} FAMOUS?
¿{cuándo|dónde|de qué|en qué año} {nació|murió|vivió} FAMOUS?
¿qué {descubrió|inventó|pintó|escribió|ganó|compuso} FAMOUS?
¿cómo {se puede|puedo|hago para|se aprende a|podría} HOWTO?
{enséñame a|dame consejos para|quiero aprender a|necesito|ayúdame a} HOWTO
{enciende|apaga|pon|para|programa|sube|baja|conecta} DEVICE
¿{está encendida|puedes apagar|sigue puesta} DEVICE?
¿{cuál es mejor|qué prefieres|qué diferencia hay}, {WORLD|té o café|perros o gatos} {o WORLD|}?
¿{es verdad que|sabías que|crees que} WORLD {es peligroso|va a desaparecer|es caro|es antiguo}?
¿{a qué hora|cuándo|dónde} {abre el museo|cierra el súper|sale el autobús|es el partido|empieza la película|ponen las noticias}?
{compra|pide|reserva|busca} {leche y pan|un hotel en PLACE|una mesa para dos|un vuelo barato|unas zapatillas|entradas para el concierto}
{qué|vaya} {sueño|hambre|frío|aburrimiento|día|lío|alegría|pereza}
{me duele|me pica} {la espalda|el ojo|la rodilla|la muela}
{suma|resta|multiplica|divide} {5 y 8|100 entre 4|3 por 27|12 menos 7}
¿cómo se {dice|escribe|pronuncia} {lluvia|adiós|amigo|mesa|manzana} en {inglés|italiano|árabe|ruso}?
{vale, gracias|de nada|no importa|lo siento|enhorabuena|feliz año|buen provecho|salud|qué tal el día|cómo te llamas}
hola{, buenas|, ¿qué tal?|, ¿cómo estás?|| amigo}
{qué tal|cómo estás|cómo te va|todo bien}
{gracias|te lo agradezco|genial, gracias|eres muy amable}
{hasta pronto|que descanses|buenas noches|me voy, adiós}
{sí|no|bueno|claro|quizás|da igual|no sé|qué bien|vaya|increíble}
¿cuál es {el río más caudaloso|la montaña más alta|el océano más grande|el planeta más frío|el animal más rápido|el país más poblado} {del mundo|de Europa|}?
¿quién {fue Cervantes|es el presidente de Francia|descubrió la penicilina|compuso la novena sinfonía|inventó internet|pintó el Guernica|escribió Hamlet}?
¿qué {es la inflación|es un átomo|es el ADN|es la filosofía|son los impuestos|es una oveja merina|come un pingüino|significa la palabra soslayar}?
¿cuándo {empieza el verano|se inventó la rueda|murió Napoleón|es semana santa|sale el próximo tren}?
¿dónde {está el Kilimanjaro|se celebran los juegos olímpicos|hay un cajero|puedo comprar pan|queda la farmacia}?
¿cuánto {cuesta un billete a PLACE|vive una tortuga|tarda la luz del sol|dura un embarazo|gana un médico}?
¿cuántos {huesos tiene el cuerpo|habitantes tiene China|días tiene un año bisiesto|metros hay en una milla}?
¿cómo {se juega al mus|se planta un tomate|funciona la bolsa|se limpia la plata|hago un huevo frito|se dice perro en ruso|duermo mejor|quito el óxido}?
¿por qué {llueve|bostezamos|cambia la hora|es salado el mar|duele la cabeza|ladra un perro}?
{pon|quita|cambia|busca} {la radio|la canción|una serie|el canal|música tranquila}
{enciende|apaga|sube|baja} {las luces|la lámpara|el aire acondicionado|la persiana|el ventilador|el horno}
{pide|compra|encarga} {comida china|un taxi|leche|entradas para el cine}
{despiértame|avísame|recuérdame} {a las ocho|en diez minutos|mañana|que llame al fontanero|que riegue las plantas}
{calcula|cuánto es} {12 por 9|el 20% de 350|3 + 5|la mitad de 90}
{convierte|pasa} {10 millas a kilómetros|30 grados a fahrenheit|100 euros a libras}
¿{crees que|es cierto que|te parece que} {hay vida en Marte|los perros sueñan|va a ganar el Barça|el café es malo}?
¿{qué ropa me pongo|qué hago de cena|adónde voy de vacaciones|qué serie veo|qué coche me compro}?
{el clima|el tiempo|la temperatura|el tráfico} {de hoy|de mañana|en PLACE|ahora}
{últimas noticias|resultado del partido|precio del bitcoin|horóscopo de aries|santo del día}
{me aburro|tengo sueño|qué calor|qué día más largo|no puedo dormir|estoy triste|me encuentro mal}
{llévame a|cómo llego a|ruta hasta} {casa|PLACE|el aeropuerto|la estación}
{qué hora es|qué día es hoy|a qué hora amanece|en qué año estamos}
{no te entiendo|repite|otra vez|para|cancela|déjalo|espera un momento}
{dime|cuéntame} {una adivinanza|una curiosidad|un dato|la hora}
{es peligroso|es normal|es bueno} {nadar después de comer|dormir diez horas|tomar el sol}
fghj {rtyu|vbnm} {123|ñññ}
¿{juegas conmigo|me quieres|eres una persona|tienes sentimientos|duermes}?
hola{| qué tal| buenos días}
buenas {tardes|noches}
{muchas |}gracias{| por todo}
{adiós|hasta luego|nos vemos|hasta mañana}
¿{quién eres|qué puedes hacer|cómo funcionas}?
{vale|de acuerdo|perfecto|entendido}
¿qué tiempo {hace|hará} {hoy|mañana|el fin de semana} en PLACE?
¿{va a llover|hará frío} {mañana|esta tarde}?
¿cuál es la capital de {Francia|Perú|Japón|Australia}?
¿quién {inventó la bombilla|pintó las Meninas|ganó el mundial de 2010}?
¿cuándo {terminó la guerra civil|se descubrió América|cayó el muro de Berlín}?
¿cuánto {mide|pesa|dista} {el Everest|la Luna|una ballena azul}?
¿cuánto es {2 + 2|15 por 7|la raíz de 144}?
{explícame|dime} {cómo funciona un motor|qué es la fotosíntesis|qué es un agujero negro}
¿por qué {el cielo es azul|los gatos ronronean|flotan los barcos}?
¿cómo se {hace una tortilla|cocina el arroz|cambia una rueda|quita una mancha de vino}?
{pon|reproduce|sube} {música|el volumen|mi lista de canciones}
{enciende|apaga} {la luz|la calefacción|la tele} {del salón|de la cocina|}
pon {una alarma|un temporizador} {a las siete|de diez minutos}
recuérdame {llamar al dentista|sacar la basura} {a las cinco|mañana}
{llama|manda dinero} a {mi madre|Luis}
¿qué hora es{| en Tokio}?
reserva {una mesa|un vuelo a PLACE|un taxi}
traduce {buenos días|te quiero|esta palabra} al {inglés|alemán|chino}
¿{qué opinas de|te gusta} {la política|el fútbol|la tortilla con cebolla}?
recomiéndame {una película|un libro|un restaurante}
¿qué significa {la palabra efímero|procrastinar|este refrán}?
{noticias|resultados} de {hoy|la liga|la bolsa}
tengo {hambre|sueño|frío}
estoy {cansado|aburrida|contento}
{jaja|ok|mmm|uf}
asdf {qwer|zxcv|jkl}
¿cómo {instalo una impresora|arreglo el wifi|cambio la contraseña}?
¿cuál es la diferencia entre {un virus y una bacteria|java y javascript}?
tira {un dado|una moneda}
cuéntame {un chiste|algo gracioso}

[sql draft]
{escribe|redacta} {un|una} MESSAGE a WHO con {las ventas del mes|el número de pedidos} {que hay en|según} la base de datos
{resume en un párrafo|escribe un texto con} los {totales|datos} de la tabla TABLE
{lee|consulta} la tabla TABLE y {redacta|escribe} un {informe|texto} {breve|corto} {con el resultado|sobre ellos}
escribe {una felicitación|un poema} para PERSON con lo que {recuerdas de ella|sabes de sus gustos}
¿qué recuerdas de PERSON? {escríbele|redáctale} una {carta|nota} con eso

[patch-sandbox draft]
{prueba|aplica} {este parche|el diff} y {redacta|escribe} {un correo|un mensaje|una nota} con {el resultado|lo que falla}
pasa los tests con {este cambio|FILE} y escribe un {resumen|texto} para WHO

[sql patch-sandbox]
{aplica|prueba} {este parche|FILE} y {consulta|lista} {la tabla|las filas de} TABLE
{anota|recuerda} que PERSON hizo {este parche|el arreglo} y pruébalo en el sandbox
`;
