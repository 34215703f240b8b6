// Words for random container names: an adjective and a harbour.
export const ADJECTIVES: readonly string[] =
  "able airy ample apt bold brave breezy bright brisk calm candid cheery civil clean clear clever cosy crisp daring deft eager early easy even fair fast fine firm fleet fond frank free fresh gentle glad golden good grand happy hardy hearty honest jolly just keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble placid plain plucky polite prime proud quick quiet ready rosy salty sharp shiny simple sleek smart smooth snug sober solid spry steady stout sturdy sunny sure swift tidy trim true upbeat vivid warm wise witty zesty".split(
    " ",
  );
export const HARBOURS: readonly string[] =
  "aarhus aberdeen accra aden algeciras antwerp apia arendal athens aveiro bari bergen bilbao bodo bordeaux bremen brest bristol busan cadiz calais callao cardiff chennai cochin colombo cork cowes dakar danzig darwin dover dublin dunkirk durban esbjerg fremantle galway gdynia genoa ghent gijon haifa hamburg hanko helsinki hobart honfleur hull izmir kiel kobe kochi lagos larnaca leith lerwick limassol lisbon livorno luanda lulea malaga malmo manila marseille messina mombasa muscat nantes naples narvik newport odense oporto osaka oslo ostend padstow palermo patras piraeus pisa poole porto ravenna riga rijeka rostock salem santos seville sines skagen split stavanger suez tallinn tampa tartus toulon trieste tromso turku valletta varna vigo visby whitby yokohama zadar".split(
    " ",
  );
