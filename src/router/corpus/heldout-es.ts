/** Spanish requests that nothing is trained with: written by hand, apart from those of train-es.ts. corpus.ts explains the form. */
export const HELDOUT_ES = `
[sql]
cuenta los tickets abiertos que tenemos guardados
¿cuál es el salario medio por departamento?
necesito un listado de los socios que no han pagado la cuota, sácalo de la base
muestra el contenido de la tabla inventario
¿qué producto se vendió más en diciembre?
haz una consulta que devuelva los envíos retrasados
ponme las diez facturas más caras
SELECT titulo FROM peliculas WHERE anio > 1990
select avg(nota) from examenes group by asignatura
delete from carritos where abandonado = 1
UPDATE almacen SET stock = stock - 1 WHERE ref = 'A7'
¿hay alguna tabla de incidencias?
consulta cuántos coches hay registrados
suma el importe de todas las compras de abril
agrega una columna calculada con el iva a la consulta de compras
encuentra los correos duplicados en contactos
lista los nombres de todas las tablas
¿qué índice usa la tabla movimientos?
dime el número de matrículas por curso
quita de la base los registros de prueba
kuantos cobros ay en la tabla de recivos
mi cuñada se llama Beatriz
mi sobrino estudia arquitectura en Granada
mi perro come pienso sin gluten
mi suegra nació en Zamora
prefiero el café sin azúcar
soy vegetariano
mi número de la seguridad social es 281234567
acuérdate de que Teresa es celíaca
guarda que el código del portal es 4471
Julián toca el violonchelo
mi taller está en la calle Alcalá
a mi hijo le dan miedo los perros
ya no vivo en Murcia
hemos adoptado una tortuga, se llama Lenta
mi compañera de piso es de Canarias
trabajo como electricista desde 2015
¿en qué ciudad vive mi cuñada?
¿qué estudia mi sobrino?
¿a qué es alérgica Teresa?
¿cuál era el código del portal?
¿qué instrumento toca Julián?
¿tengo mascotas?
dime todo lo que sepas de mi familia
¿quién de mis amigos habla alemán?
¿te conté qué color me gusta más?
¿cuándo cumple años mi suegra?
¿con quién está casado Andrés?
olvídate de mi dirección antigua
borra lo que te conté sobre mi ex
¿cómo se llama la gata de Elena?
donde bibe mi ermana

[draft]
redáctame una disculpa para mi novia por olvidar nuestro aniversario
ponle letra a esta melodía de cumpleaños
necesito un texto para la contraportada de mi novela
improvisa un monólogo sobre los lunes
termina la historia donde la dejé: el náufrago vio una vela a lo lejos
dale otra vuelta a este párrafo para que no suene tan frío
ponme por escrito una queja al ayuntamiento por el ruido
prepara unas palabras para la boda de mi hermana
un microrrelato de terror en cinco frases
hazme un pie de foto gracioso para esta playa
escribe un comentario positivo sobre el hotel
¿puedes redactar la carta de presentación para mi candidatura?
inventa una fábula con un zorro y una tortuga
sigue escribiendo desde donde me quedé
necesito rellenar este hueco del folleto con un par de líneas
convierte estas notas en un texto seguido
dame una versión más corta de esta carta
haz un guion para un vídeo de un minuto sobre reciclaje
compón unas coplas para la fiesta del pueblo
redacta las instrucciones de uso de una cafetera
escribe un tuit anunciando la apertura de la tienda
contéstale a mi casero que pagaré el viernes
pon este mensaje en un tono más cercano
haz un resumen de lo que acabo de pegar
crea una bienvenida para los nuevos socios del club
escribe una reseña del último libro que leí
quiero una dedicatoria para un regalo de jubilación
añade un último párrafo que cierre el ensayo
escrive un poema para mi habuela
redacta un aviso para la comunidad de vecinos
escribe el epitafio de un pirata
dame ideas en forma de texto para un sermón corto
continúa: y entonces el dragón cerró los ojos
haz que esta frase rime con luna
completa los puntos suspensivos de este diálogo

[patch-sandbox]
mira si con este diff sigue funcionando todo
compila la rama de Pedro con su parche encima y cuéntame
¿pasarían las pruebas si meto este cambio?
haz una prueba del commit en un entorno desechable
quiero saber si este parche rompe la integración
aplícalo en un contenedor aparte y dame la salida de los tests
¿da conflictos el diff contra la rama principal?
comprueba que la corrección no estropea el build
pasa la suite entera con el arreglo puesto
antes de hacer merge, ejecuta npm test con estos cambios
verifica este .patch firmado por Marta
git apply de este fichero y después make check
evalúa el parche de seguridad sin instalarlo
¿cuántos tests fallan al aplicar la modificación?
lanza pytest con el diff que te adjunto
dime si el hunk tercero encaja
prueva el parche y dime si ba
simula la aplicación del parche en el repositorio
--- a/lib/util.py +++ b/lib/util.py @@ -10,2 +10,3 @@ ¿pasa el linter?
revisa que el cambio de código compile en limpio
¿podemos fusionar la PR sin romper la compilación?
deshaz el diff en la copia y repite las pruebas
instala el parche solo en el banco de pruebas
haz un ensayo de la corrección del bug 812
quiero un informe de si el diff aplica y pasan las pruebas
aplica la corrección en el sandbox
asegúrate de que el diff lo firmó de verdad Marta

[]
¿a qué distancia está Marte?
ponme algo de jazz
¿me aconsejas comprar un coche eléctrico?
baja las persianas
¿cuántas calorías tiene un plátano?
despiértame a las seis y media
¿quién escribió el Quijote?
¿cómo se dice gracias en japonés?
pide una pizza para cenar
¿hay huelga de trenes mañana?
qué aburrimiento de tarde
buenas, ¿cómo va todo?
mil gracias, eres un sol
¿qué desierto es el más seco de África?
¿qué pasos sigo para podar un rosal?
convierte 20 dólares a euros
¿cuánto falta para navidad?
¿es verdad que los delfines duermen con un ojo abierto?
navega hasta la gasolinera más cercana
¿qué película echan esta noche?
jajaja qué bueno
lo que tú digas
¿puedo mezclar ibuprofeno con alcohol?
enséñame a hacer un nudo de corbata
¿qué es el producto interior bruto?
quita el sonido de la televisión
no entiendo nada
elige un número del uno al diez
¿cómo está el tráfico en la M-30?
xkcd blorf ñandú 77
me duele la cabeza
¿quién ganó anoche?
¿crees en los fantasmas?
temporizador de cinco minutos para los huevos
¿cuál es la raíz cuadrada de 81?

[sql draft]
saca de la base las ventas por tienda y escribe un informe para dirección
redacta un correo con los clientes que deben dinero según la tabla de pagos
con lo que recuerdas de mi padre, escribe su felicitación de cumpleaños
consulta los pedidos de ayer y prepara un texto de disculpa para los afectados

[patch-sandbox draft]
prueba este diff y redacta un mensaje para el equipo con los fallos
aplica el parche en una copia, pasa los tests y escribe las notas de la versión

[sql patch-sandbox]
ejecuta los tests con el parche y después cuenta las filas de la tabla resultados
recuerda que Pablo mandó el diff y comprueba si se aplica
`;
