/** English requests that nothing is trained with: written by hand, apart from those of train-en.ts. corpus.ts explains the form. */
export const HELDOUT_EN = `
[sql]
count the open tickets we have on file
what's the average salary per department?
I need a list of members who haven't paid their fee, pull it from the database
show the contents of the inventory table
which product sold best in December?
make a query that returns the delayed shipments
get me the ten most expensive invoices
SELECT title FROM movies WHERE year > 1990
select avg(grade) from exams group by subject
delete from carts where abandoned = 1
UPDATE warehouse SET stock = stock - 1 WHERE ref = 'A7'
is there a table for incidents?
query how many cars are registered
add up all purchases made in April
find duplicate emails in contacts
list the names of all tables
what index does the movements table use?
tell me the number of enrolments per course
drop the test records from the db
how many rows in the payments tabel
EXPLAIN QUERY PLAN SELECT * FROM logs
which rows of shipments have a null tracking code?
my sister-in-law is called Beatrice
my nephew studies architecture in Granada
my dog only eats grain-free food
my mother-in-law was born in Bristol
I prefer my coffee without sugar
I'm a vegetarian
my social security number is 281234567
don't forget that Theresa is a coeliac
store that the door code is 4471
Julian plays the cello
my workshop is on Baker Street
my son is scared of dogs
I don't live in Bath anymore
we adopted a tortoise named Slow
my flatmate comes from Wales
I've worked as an electrician since 2015
in which city does my sister-in-law live?
what is my nephew studying?
what is Theresa allergic to?
what was the door code again?
which instrument does Julian play?
do I have any pets?
tell me everything you know about my family
which of my friends speaks German?
did I tell you my favourite colour?
when was my mother-in-law born?
who is Andrew married to?
forget my old address
erase what I told you about my ex
what's the name of Helen's cat?
were does my sistr live

[draft]
write me an apology to my girlfriend for forgetting our anniversary
put words to this birthday tune
I need a blurb for the back cover of my novel
improvise a monologue about Mondays
finish the story where I left it: the castaway saw a sail far away
give this paragraph another go so it sounds less cold
put a complaint to the council about the noise in writing
prepare a few words for my sister's wedding
a horror micro-story in five sentences
make a funny caption for this beach picture
write a positive comment about the hotel
could you draft the cover letter for my application?
invent a fable with a fox and a turtle
keep writing from where I stopped
I have to fill this gap in the leaflet with a couple of lines
turn these notes into flowing prose
give me a shorter version of this letter
script a one-minute video about recycling
compose a few limericks for the village fair
write the instructions for a coffee machine
write a tweet announcing that the shop opens
reply to my landlord that I will pay on Friday
make this message sound warmer
summarise what I just pasted
create a welcome note for the new club members
write a review of the last book I read
I want a dedication for a retirement present
add a closing paragraph to the essay
rite a poem for my grandmohter
draft a notice for the residents
write the epitaph of a pirate
continue: and then the dragon closed its eyes
make this line rhyme with moon
complete the missing part of this dialogue
ghostwrite my toast for the anniversary dinner

[patch-sandbox]
see if everything still works with this diff
build Peter's branch with his patch on top and tell me
would the tests pass if I put this change in?
give the commit a go in a throwaway environment
I want to know whether this patch breaks the integration
apply it in a separate container and give me the test output
does the diff conflict with the main branch?
make sure the fix doesn't spoil the build
run the whole suite with the fix in place
before merging, run npm test with these changes
verify this .patch signed by Martha
git apply this file and then make check
evaluate the security patch without installing it
how many tests fail once the modification is applied?
launch pytest with the diff I attach
tell me whether the third hunk fits
tset the pach and say if it works
simulate applying the patch to the repository
--- a/lib/util.py +++ b/lib/util.py @@ -10,2 +10,3 @@ does the linter pass?
check that the code change compiles from scratch
can we merge the PR without breaking the build?
undo the diff in the copy and repeat the tests
install the patch on the test bench only
rehearse the correction of bug 812
I want a report on whether the diff applies and the tests pass
apply the correction in the sandbox
make sure Martha really signed that diff

[]
how far away is Mars?
put some jazz on
would you advise me to buy an electric car?
lower the blinds
how many calories does a banana have?
wake me up at half past six
who wrote Don Quixote?
how do you say thank you in Japanese?
order a pizza for dinner
is there a train strike tomorrow?
what a dull afternoon
hey, how's it going?
thanks a million, you're a star
which desert is the driest in Africa?
what steps do I take to prune a rose?
convert 20 dollars to euros
how long until Christmas?
is it true that dolphins sleep with one eye open?
navigate to the nearest petrol station
what film is on tonight?
lol that's a good one
whatever you say
can I mix ibuprofen and alcohol?
teach me to tie a tie
what is gross domestic product?
mute the television
I don't understand any of it
pick a number from one to ten
how is the traffic on the M25?
xkcd blorf wibble 77
my head hurts
who won last night?
do you believe in ghosts?
five minute timer for the eggs
what is the square root of 81?

[sql draft]
pull the sales per shop from the database and write a report for management
draft an email with the customers who owe money according to the payments table
with what you remember about my father, write his birthday card
query yesterday's orders and prepare an apology text for those affected

[patch-sandbox draft]
try this diff and draft a message for the team with the failures
apply the patch in a copy, run the tests and write the release notes

[sql patch-sandbox]
run the tests with the patch and then count the rows of the results table
remember that Paul sent the diff and check whether it applies
`;
