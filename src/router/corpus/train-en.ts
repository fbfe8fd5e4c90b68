/** English requests to train with. corpus.ts explains the form. */
export const TRAIN_EN = `
TABLE = customers|orders|invoices|products|employees|users|sales|students|appointments|suppliers|bookings|items|purchases|payments|contacts|shipments|books|vehicles|expenses|issues|inventory|payroll|courses|sessions|messages|rooms|patients|recipes|matches|songs|categories|branches|stock|transactions|logs|accounts
FIELD = name|date|price|amount|city|status|email|age|phone|quantity|country|title|grade|balance|salary|category|department|code|year|weight|discount|tax|reference
PERSON = my sister|my father|Ann|my boss|my neighbour|Luke|my grandmother|my friend Clara|Martha|my cousin|my wife|my daughter's teacher|my mother|my son|my uncle|my aunt Rose|my boyfriend|my husband|my colleague|my parents|Peter|Carmen|James|Luke's sister|my niece|my doctor|my dog|my cat|Sophie|my friend Ralph|my little brother|my dentist|my grandfather
PLACE = Madrid|London|Leeds|Boston|Rome|Paris|Dublin|Cork|Main Street|Chicago|a village in Kent|Berlin|Mexico|Sydney|the centre|the mountains|New York|a flat|Oxford|Toronto
JOB = a nurse|a carpenter|a teacher|at a bank|a lawyer|at the town hall|a cook|a driver|a firefighter|a journalist|in a factory|a chemist|a plumber|an architect|a waiter|at the post office|a musician|a vet|a policeman|an engineer
LIKED = tea|cats|classical music|chocolate|swimming|horror films|cooking|football|cheese|reading|the beach|rock|dancing|mushrooms|red wine|travelling|sweets|running
TOPIC = the sea|autumn|friendship|cats|a train journey|the rain|my neighbourhood|coffee|the stars|going back to school|a dragon|love|the moon|a lost dog|the holidays|the mountains|a robot|spring|my childhood|silence|the city at night|a detective|Christmas|grandparents|the desert|a witch|football|loneliness
PIECE = poem|story|paragraph|article|speech|short tale|sonnet|slogan|advert|song|essay|dialogue|text|script|rap|monologue|foreword|headline|toast|comment|chapter|ballad|post|leaflet
MESSAGE = email|letter|message|reply|invitation|greeting card|complaint|thank-you note|apology|love letter|request|notice|postcard|note|newsletter|presentation|recommendation|text message|announcement|farewell
WHO = my boss|a customer|the landlord|my teacher|the neighbour|human resources|a supplier|my grandmother|the bank|my colleagues|the council|my partner|the parents at school|a friend|the company|the director|my team|the neighbours|the shop|my in-laws
WORLD = Everest|the Amazon|the Moon|the Sun|an elephant|a giraffe|gold|water|gravity|the Eiffel Tower|DNA|Japan|Australia|Egypt|Antarctica|the Odyssey|the Roman empire|inflation|a volcano|an eclipse|cholesterol|vitamin C|the dinosaurs|the French revolution|a tsunami|optical fibre|cheddar|a mortgage|chess|flamenco|the Great Wall|a black hole|democracy|climate change|solar power
FAMOUS = Napoleon|Cleopatra|Einstein|Picasso|Mozart|Frida Kahlo|Cervantes|Marie Curie|Columbus|Shakespeare|Maradona|Julius Caesar|Darwin|the Beatles|Galileo|Gandhi|Churchill|Newton
HOWTO = peel a mango|bake bread|change a light bulb|learn German|stop smoking|pitch a tent|care for a cactus|tune a guitar|format a disk|save money|iron a shirt|boil an egg|do yoga|lower a fever|get to the airport|renew a passport|open a coconut|sleep better|do my taxes|get rid of a stain
DEVICE = the light|the tv|the radio|the air conditioning|the heating|the oven|the washing machine|the music|the fan|the coffee machine|the vacuum robot|the alarm|the garden lights|the speaker|the sprinkler
ABOUTME = I play basketball|I play the piano|I speak German|I wear glasses|I need a stick|I prefer tea|I drink little water|I have a cat|I have a beard|I drive a Ford|I study law|I work at night|I live with my parents|I was born on a Tuesday|I hate noise|I collect records|I get up early|I go to the gym|I am left-handed|I am from Wales|I am a vegan|I am divorced|I don't eat pork|I don't have a licence|I sing in a choir|I paint watercolours|I keep pigeons|I weigh seventy kilos|I'm six feet tall|I'm 45
BELONGING = my car|my motorbike|my house|my office|our dog|my bicycle|my village|the kids' school|the beach house|my backpack|my study|the storage room|the office|my account|my team
STATE = is in PLACE|is green|has three floors|is called Thunder|is broken|is ten years old|is near the river|is rented|costs 500 euros a month
FILE = fix.diff|changes.patch|0001-fix-login.patch|bugfix.diff|hotfix.patch|improve.diff|security.patch|refactor.diff

[sql]
ABOUTME
ABOUTME and ABOUTME
{these days|now|lately|also|actually} ABOUTME
{keep in mind that|did you know that|note that|remember that|you should know that|let me tell you that} ABOUTME
BELONGING STATE
{remember that|note:|I want you to know that} BELONGING STATE
{where is|what is the name of|what colour is|how much is|how old is} BELONGING?
{which sport do I play|what languages do I speak|what instrument do I play|how much do I weigh|what is my shoe size|what do I drink|where do I work|who do I live with}?
{have I told you|do you know|do you remember} {where BELONGING is|what PERSON is called|whether PERSON lives in PLACE}?
PERSON {bought|sold|lost|has changed} {BELONGING|the motorbike|the phone}
PERSON {and PERSON|} {are married|live together|are cousins|work in PLACE}
PERSON {wears|drives|owns|needs|prefers|wants|hates|drinks|eats} {glasses|an Opel|a stick|white wine|a bicycle|many books|little salt}
{which car does PERSON drive|what does PERSON drink|what does PERSON eat|what does PERSON prefer|what does PERSON hate|how tall is PERSON|when did PERSON marry}?
the {son|daughter|dog|boss|girlfriend|house} of PERSON {is called Noa|lives in PLACE|is JOB|works in PLACE}
{show|print|list|find} TABLE {with|whose} FIELD {above|below|greater than} {10|100|2000}
{show me|find|look for} the {most expensive|most recent|repeated|duplicate|pending|expired} TABLE
which TABLE have {an empty FIELD|more than 100 units|a null FIELD}?
{average|sum|total|count|mean|percentage} of FIELD {by|per} FIELD
what is the {average|maximum|minimum|sum} of FIELD {of the TABLE|per FIELD|in the TABLE table}?
{make|write|build} {a query|a select|an sql query} {that returns|that shows|to see|that counts} TABLE {from 2023|by FIELD|with their FIELD}
{query|ask|look in} the database {how many TABLE there are|for the FIELD of the TABLE|whether the table TABLE exists}
{create|add} an index on the TABLE table by FIELD
{export|dump|fetch} the TABLE table
select FIELD, FIELD from TABLE order by FIELD desc limit 10
select avg(FIELD) from TABLE where FIELD > 5
SELECT DISTINCT FIELD FROM TABLE WHERE FIELD LIKE '%a%';
delete from TABLE where id = 9
insert into TABLE (FIELD, FIELD) values ('a', 2)
PRAGMA table_info(TABLE)
with t as (select * from TABLE) select count(*) from t
{tables|schema|columns} of the database
how many TABLE {do we have|are stored|are there in total|were made yesterday}?
how much {do the TABLE add up to|did we spend on TABLE|did we earn from TABLE} in {January|May|this quarter|2022}?
which {day|month|customer|employee} had the most TABLE?
{compare|relate} TABLE {with|to} TABLE
PERSON {is 40 years old|turned 7|is 12}
PERSON {studies law|studies in Oxford|plays the guitar|plays tennis|speaks French|drives a truck|collects stamps|sings in a choir}
PERSON {is from PLACE|was born in PLACE|works in PLACE|is married to Helen|is unemployed|is pregnant}
PERSON {is called George|is called Snow|hates broccoli|prefers tea|drinks beer|wears glasses|eats no meat|is allergic to pollen|is afraid of flying}
PERSON {does not like|loves|cannot stand} LIKED
{my|our} {car|flat|computer|cat|team|boat|village} {is red|is in PLACE|is two years old|is called Flash|is very old}
my favourite {colour|dish|book|team|number|singer} is {blue|paella|seven|Arsenal}
the {wifi password|alarm code|dentist appointment|spare key} {is 1234|is in the drawer|is on Monday}
{remember|note|memorize|take note|keep in mind|never forget} that {my FIELD is 45|I have an appointment on Monday|I am allergic to penicillin|I wear size 42|I hate getting up early}
I {am JOB|study physics|have two sisters|speak Italian|do not drink alcohol|collect coins|live alone|play the piano|hate Mondays|drive a van}
{for a year|now|since March} {I have lived in PLACE|PERSON works as JOB|PERSON lives in PLACE}
I have {moved to PLACE|got married|bought a motorbike|joined a yoga class}
{where is PERSON from|who does PERSON live with|how old is PERSON|where does PERSON study|what languages does PERSON speak|what is the job of PERSON|when was PERSON born|who is PERSON married to}?
does PERSON {live|work|study} in PLACE?
what is my {favourite colour|address|phone number|size|favourite dish|email|account number}?
where {do I live|do I work|was I born|are my keys|did I park the car}?
{do I|does PERSON} have {children|a dog|a car|brothers|allergies|a girlfriend}?
what {do I like|do I drink|do I play|do I hate|did I study|car do I have|present did PERSON want}?
{tell me|remind me} {what you know about|what I told you about|where I met|the name of|the birthday of} PERSON
tell me about PERSON
who {speaks Italian|is my dentist|plays the guitar|has a birthday in May|is PERSON|am I}?
{forget|delete|erase|no longer remember} {that PERSON lives in PLACE|my phone number|what you know about me|my birthday|PERSON}
{correction|that is wrong}: PERSON {lives in PLACE|is 8 years old|is called Julia}
how many {rows|records|entries} {are in|does} the TABLE table{| have}?
count the records in TABLE
{list|show me|fetch|get} {all|the last 20|the first ten} {rows|records} of the table TABLE
{give me|I want|I need} the {total|average|maximum|minimum} FIELD {by|grouped by|per} FIELD in TABLE
{sort|filter|group} the table TABLE by FIELD
{insert|add|put} {a row|a record} into {the table |}TABLE with FIELD {and FIELD|5|'new'}
{update|change} the FIELD in the table TABLE where id = {3|17|204}
{delete|remove} from TABLE the rows {without FIELD|that are duplicated|before 2020}
what tables {are|exist} in the database?
which {columns|fields|indexes} does the table TABLE have?
describe the schema of {the table |}TABLE
{run|execute} {this query|this sql|this statement}: select FIELD from TABLE
select * from TABLE where FIELD = {'x'|10|null}
SELECT count(*) FROM TABLE GROUP BY FIELD;
SELECT FIELD, sum(amount) FROM TABLE JOIN TABLE USING (id) ORDER BY 2 DESC LIMIT {5|10|50}
update TABLE set FIELD = 3 where id = 2
join TABLE {with|and} TABLE on FIELD
match TABLE against TABLE and tell me which {are missing|do not match}
according to the database, {how much did we invoice|what was the biggest sale|which customer buys most}?
how many {orders|customers|users} {were there|signed up|came in} {in March|last year|this week} according to the data?
look up in the database the TABLE from PLACE
top 5 TABLE by FIELD
PERSON lives in PLACE
PERSON {works as|is} JOB
{remember|note|keep in mind} that PERSON {lives in PLACE|has a birthday on May 3|is allergic to nuts}
PERSON {likes|loves|hates} LIKED
PERSON no longer {lives in PLACE|works at the bank|drinks coffee}
I {like|love|hate} LIKED
I {live in|was born in|work in|study in} PLACE
my name is {Ann|George|Lucy} and {I live in PLACE|I am 34 years old}
my {phone number|email|address|birthday|number plate} is {600123123|ann@example.com|May 5|4 Sun Street}
I have {a dog called Toby|two kids|a cat}
where {does|did} PERSON {live|work}?
{when is the birthday|what is the phone number|what is the name of the dog} of PERSON?
what does PERSON {like|do for a living|do}?
who {lives in PLACE|is a nurse|has a dog}?
what do you {know|remember} about PERSON?
what {did I tell|have I told} you about PERSON?
do you {remember|still know} {where PERSON lives|what I said about PERSON|my birthday}?
forget {what I said about|everything about} PERSON
what is my name?
how old {am I|is PERSON}?
PERSON has {moved to PLACE|married Peter|bought a red car}

[draft]
{write|draft|create|make|produce|pen} {a|the|another} PIECE {about TOPIC|on TOPIC|for WHO|inspired by TOPIC}
{can you|could you|would you|please} {write|draft|compose} {a PIECE|a MESSAGE|a few words} {about TOPIC|for WHO}
I want {you to write|you to draft|you to invent|a text|a PIECE} {about TOPIC|on TOPIC|for WHO}
I need {a text|some sentences|an essay|a piece of writing|a PIECE} {about TOPIC|for WHO|of 200 words}
{invent|imagine|think up} {a story|a PIECE|an ending|a character|a dialogue} {about TOPIC|with TOPIC|that is scary}
{keep|go on|carry on|continue} {writing|with the tale|the narration|where you stopped|the text from there}
{finish|close|complete} {the letter|the story|the essay|the last paragraph|the stanza}: {and since then|dear grandmother|in conclusion}
{write|draft} {the introduction|the conclusion|the foreword|the summary|the back cover|the lyrics of a song} {of my thesis|for my book|about TOPIC}
{rewrite|redraft|improve the style of|fix the tone of|simplify|polish} {this email|this text|the last sentence|my essay|this message}
{turn|change|convert} {this text|this note|this draft} {into a formal tone|into the first person|into verse|into an email}
{summarize|condense|make a summary of} {the above|this document|the news|the minutes|the chapter}
{reply to|answer} {the email|the message|the letter} {from WHO} {saying yes|politely|that I cannot come}
{say|write|suggest} {a sentence|some words|a dedication|a message} {for WHO|for a birthday|of condolence|of encouragement|for a card}
{text|copy|description|caption|bio|headline} {for|of} {my website|instagram|my business|the leaflet|a product}
{draft|write|prepare} {the instructions|the rules|the script|the minutes|the announcement|the job offer} {of the meeting|of the game|for the video|of the club}
{write|compose|make up} {me |}a PIECE {about|on} TOPIC
{write|give me} {a text|a few lines|something} {short|nice|funny} about TOPIC
{draft|write|prepare} {a|an} MESSAGE {to|for} WHO
{help me write|I need|I want} a {formal|friendly|brief} MESSAGE for WHO
{continue|go on with|carry on} {this story|this text|the tale|the sentence}: {once upon a time|that night it rained|the train came late and}
{complete|finish|end} {this paragraph|this sentence|the poem|my essay}
{propose|suggest|give me} {a title|three headlines|an ending|an opening} for {my article|the story|this essay}
{give me|make} {a draft|a first version} of {the introduction|the letter|the speech|my presentation}
{rewrite|rephrase|improve} {this paragraph|this sentence|the text} {in other words|in a formal tone|so that it sounds better}
{summarize|sum up} {this text|the article|the email} in {two sentences|one line|a few words}
tell me a {tale|story} about TOPIC
{lengthen|shorten} {this text|the message|the letter} {a bit|by half|to ten lines}
answer {this email|this message} from WHO {for me|}
{a|an} MESSAGE to WHO saying that {I am late|I cannot come|I accept}
{a catchy|a short} description {of the product|of my shop|of the flat} for {the website|the ad|instagram}
{write|give me} {two verses|a rhyme|a stanza|a haiku} about TOPIC
how would this text go on? {the door opened and|there was a lighthouse}
{generate|create} {an advertising|a welcome|a sample} text about TOPIC

[patch-sandbox]
{try|test|check|validate|verify} {the patch|the diff|this diff|the code change|the correction} {from WHO|for bug 42|that I send you|attached}
{apply|install|load} {this diff|the patch|FILE|the changes of the commit} {in a copy|in an isolated environment|in the sandbox|on the main branch} {and compile|and run the tests|and say what fails|}
does {the code|the project|the branch} {compile|work|pass the tests|break} {with this diff|with the patch|after applying FILE|with the PR}?
{run|execute|start} {npm test|pytest|make check|cargo test|go test|the build|the suite} {with the diff|after applying the patch|on the patched branch|with FILE}
{are there|does it give} {conflicts|errors|failures} {with the patch|in this diff|when applying FILE|when merging the branch}?
{see|check|tell me} whether {the diff|the patch|FILE|the commit} {can be applied|applies on main|is valid|is signed|passes CI}
git apply FILE {and run the tests|--check|in a copy}
{analyse|evaluate|examine} {the patch|the pull request|this diff} {in the sandbox|by running the tests|before the merge}
diff --git a/src/index.js b/src/index.js index 83db48f..bf2a3c1 @@ -1 +1 @@
{apply|try} {this|the following}: --- a/README.md +++ b/README.md @@ -3,1 +3,2 @@
I {want|need} to {try|validate|rehearse} {a patch|the diff|a fix|a hotfix} {without risk|before deploying|in isolation}
which tests {fail|break} {with this patch|when the diff is applied|with the modification}?
{try|test} {this patch|this diff|the patch FILE} {and run the tests|without touching my code|in a copy}
{apply|put} {the patch|this diff|FILE} in {the sandbox|an isolated copy|a safe place} {and tell me if it builds|and run the tests|}
does {this patch|the diff|FILE} apply {cleanly|without conflicts|fine}?
{check|see|verify} whether {this change|the fix|this code change} {breaks|makes fail} {anything|the tests|the build}
{run|execute} {the tests|the test suite|the unit tests|the linter} with {this change|the patch applied|this diff}
dry run {of|for} FILE
{is it safe to|can I} {apply|merge|integrate} {this change|this patch|the pull request}?
which {part|chunk|hunk} of the {patch|diff} {fails|does not apply}?
{verify|check} the signature of FILE {before applying it|and try it|}
validate {the diff|the patch} {that I give you|of this branch} {and build|against the repository|}
test {the branch|the commit|the pull request} {before merging|in a copy of the repository} and tell me if the tests {pass|fail}
apply this diff: --- a/src/app.ts +++ b/src/app.ts @@ -1,3 +1,4 @@
diff --git a/main.c b/main.c and tell me whether it {compiles|passes the tests}
does the project build {with this patch|if I apply FILE|after this change}?
revert the patch {in the sandbox|in the copy} and {test|build} again

[]
{what is|what are|what is it like,|what is the use of|what is made of|how does|how is formed|why is there} WORLD {work|}?
{where is|how tall is|how heavy is|how old is|how far away is|how many people live in|how much is} WORLD?
{explain|tell me about|tell me something about|say something on|what do you know about|information about} WORLD
who {was|is} FAMOUS?
{when|where|in which year} {was FAMOUS born|did FAMOUS die|did FAMOUS live}?
what did FAMOUS {discover|invent|paint|write|win|compose}?
how {can I|do I|do you|does one|could I} HOWTO?
{teach me to|give me advice to|I want to learn to|I need to|help me to} HOWTO
{turn on|turn off|start|stop|schedule|switch on|switch off} DEVICE
{is DEVICE on|can you stop DEVICE|is DEVICE still running}?
{which is better|what do you prefer|what is the difference}, {WORLD or WORLD|tea or coffee|dogs or cats}?
{is it true that|did you know that|do you think that} WORLD {is dangerous|will disappear|is expensive|is old}?
{what time|when|where} {does the museum open|does the shop close|does the bus leave|is the match|does the film start|is the news on}?
{buy|order|book|find} {milk and bread|a hotel in PLACE|a table for two|a cheap flight|some trainers|tickets for the concert}
{how|so} {sleepy|hungry|cold|boring|nice|lazy|funny}
my {back|eye|knee|tooth} {hurts|itches}
{add|subtract|multiply|divide} {5 and 8|100 by 4|3 by 27|12 and 7}
how do you {say|spell|pronounce} {rain|goodbye|friend|table|apple} in {Spanish|Italian|Arabic|Russian}?
{okay, thanks|you are welcome|never mind|I am sorry|congratulations|happy new year|enjoy your meal|cheers|how was your day|what is your name}
hello{, good day|, how are you?|| my friend}
{how are you|how is it|what is up|everything fine}
{thanks|much appreciated|great, thank you|you are very kind}
{see you soon|sleep well|good night|I am off, bye}
{yes|no|well|sure|maybe|whatever|I do not know|how nice|wow|incredible}
what is the {widest river|highest mountain|largest ocean|coldest planet|fastest animal|most populous country} {of the world|in Europe|}?
who {was Shakespeare|is the president of France|discovered penicillin|composed the ninth symphony|invented the internet|painted Guernica|wrote Hamlet}?
what {is inflation|is an atom|is DNA|is philosophy|are taxes|is a merino sheep|does a penguin eat|does the word avoid mean}?
when {does summer begin|was the wheel invented|did Napoleon die|is Easter|does the next train leave}?
where {is Kilimanjaro|are the olympic games held|is there a cash machine|can I buy bread|is the pharmacy}?
how much {does a ticket to PLACE cost|does a doctor earn|sleep does a baby need|is a litre of milk}?
how many {bones are in the body|people live in China|days are in a leap year|metres are in a mile}?
how {do you play poker|is a tomato planted|does the stock market work|do I clean silver|do I fry an egg|do you say dog in Russian|can I sleep better|do I remove rust}?
why {does it rain|do we yawn|do clocks change|is the sea salty|does my head hurt|do dogs bark}?
{put on|stop|change|find} {the radio|the song|a series|the channel|some calm music}
{turn on|turn off|dim|raise} {the lights|the lamp|the air conditioning|the blind|the fan|the oven}
{order|buy|get} {chinese food|a taxi|milk|tickets for the cinema}
{wake me|warn me|remind me} {at eight|in ten minutes|tomorrow|to call the plumber|to water the plants}
{calculate|how much is} {12 times 9|20% of 350|3 + 5|half of 90}
{convert|change} {10 miles to kilometres|30 degrees to fahrenheit|100 euros to pounds}
{do you think|is it true that} {there is life on Mars|dogs dream|Liverpool will win|coffee is bad}?
{what should I wear|what shall I cook for dinner|where do I go on holiday|which series shall I watch|which car shall I buy}?
{the weather|the temperature|the traffic} {today|tomorrow|in PLACE|now}
{latest news|score of the match|price of bitcoin|horoscope for aries}
{I am bored|I am sleepy|it is so hot|what a long day|I cannot sleep|I am sad|I feel ill}
{take me|how do I get|directions} to {PLACE|the airport|the station}
{what time is it|what day is today|when does the sun rise|which year is this}
{I do not get it|repeat that|once more|stop|cancel|never mind|wait a moment}
tell me {a riddle|a curious fact|the time}
is it {dangerous|normal|good} {to swim after lunch|to sleep ten hours|to sunbathe}?
fghj {rtyu|vbnm} {123|zzz}
{do you play with me|do you love me|are you a person|do you have feelings|do you sleep}?
hello{| there| good morning}
good {afternoon|evening|night}
{many |}thanks{| for everything}
{bye|goodbye|see you|see you tomorrow}
{who are you|what can you do|how do you work}?
{okay|alright|perfect|got it}
what's the weather {like |}{today|tomorrow|at the weekend} in PLACE?
{will it rain|is it going to be cold} {tomorrow|this afternoon}?
what is the capital of {France|Peru|Japan|Australia}?
who {invented the light bulb|painted the Mona Lisa|won the 2010 world cup}?
when did {the second world war end|Columbus sail|the Berlin wall fall}?
how {tall is Everest|far is the Moon|heavy is a blue whale}?
how much is {2 + 2|15 times 7|the root of 144}?
{explain|tell me} {how an engine works|what photosynthesis is|what a black hole is}
why {is the sky blue|do cats purr|do boats float}?
how do {I make an omelette|you cook rice|I change a tyre|I remove a wine stain}?
{play|turn up} {some music|the volume|my playlist}
{turn on|turn off} {the light|the heating|the tv} {in the living room|in the kitchen|}
set {an alarm for seven|a timer for ten minutes}
remind me to {call the dentist|take out the rubbish} {at five|tomorrow}
{call|send money to} {my mother|Luke}
what time is it{| in Tokyo}?
book {a table|a flight to PLACE|a taxi}
translate {good morning|I love you|this word} into {Spanish|German|Chinese}
{what do you think of|do you like} {politics|football|pineapple on pizza}?
recommend {a film|a book|a restaurant}
what does {ephemeral|procrastinate|this proverb} mean?
{news|results} of {today|the league|the stock market}
I am {hungry|sleepy|cold|tired|bored|happy}
{haha|ok|hmm|ugh}
asdf {qwer|zxcv|jkl}
how do I {install a printer|fix the wifi|change my password}?
what is the difference between {a virus and a bacterium|java and javascript}?
roll {a die|a coin}
tell me {a joke|something funny}

[sql draft]
{write|draft} {a|an} MESSAGE to WHO with {the sales of the month|the number of orders} {from|according to} the database
{summarize in a paragraph|write a text with} the {totals|data} of the table TABLE
{read|query} the table TABLE and {draft|write} a {short|brief} {report|text} {with the result|about them}
write {a birthday card|a poem} for PERSON with what you {remember about her|know of their tastes}
what do you remember about PERSON? write {a letter|a note} with that

[patch-sandbox draft]
{try|apply} {this patch|the diff} and {draft|write} {an email|a message|a note} with {the result|what fails}
run the tests with {this change|FILE} and write a {summary|text} for WHO

[sql patch-sandbox]
{apply|try} {this patch|FILE} and {query|list} {the table|the rows of} TABLE
{note|remember} that PERSON made {this patch|the fix} and try it in the sandbox
`;
