"""The queries of NEXMark in batch SQL (SQLite), as an oracle: written from the definitions, not from the scripts.

Times are milliseconds. A query gives its columns in the order of the script's; rows have no order.
"""
import json
import sqlite3

TABLES = """
create table person(id integer, name text, city text, state text, ts integer);
create table auction(id integer, itemName text, initialBid integer, reserve integer, ts integer, expires integer, seller integer, category integer);
create table bid(auction integer, bidder integer, price integer, channel text, url text, ts integer, extra text);
create table side(key integer primary key, value text);
"""
INDICES = """
create index person_id on person(id);
create index auction_id on auction(id);
create index auction_seller on auction(seller);
create index bid_auction on bid(auction);
"""

# Winning bids: by price, then the earlier, then the smaller bidder.
WON = """won as (select * from (
  select a.*, b.bidder, b.price, b.ts as bid_time,
         row_number() over (partition by a.id order by b.price desc, b.ts, b.bidder) as place
  from auction a join bid b on b.auction = a.id and b.ts between a.ts and a.expires) where place = 1)"""
RANKS = """count(*), sum(price < 10000), sum(price >= 10000 and price < 1000000), sum(price >= 1000000)"""
DISTINCT = ", ".join(f"count(distinct {field}), count(distinct case when price < 10000 then {field} end), "
                     f"count(distinct case when price >= 10000 and price < 1000000 then {field} end), "
                     f"count(distinct case when price >= 1000000 then {field} end)" for field in ("bidder", "auction"))
DAY = "ts / 86400000 * 86400000"
MINUTE = "strftime('%H:%M', ts / 1000, 'unixepoch')"

QUERIES = {
    "kinds": "select (select count(*) from person), (select count(*) from auction), (select count(*) from bid)",
    "sums": "select sum(price), sum(auction), sum(bidder), count(distinct auction), count(distinct bidder), count(distinct channel) from bid",
    "q0": "select auction, bidder, price, ts, extra from bid",
    "q1": "select auction, bidder, price * 908 / 1000, ts, extra from bid",
    "q2": "select auction, price from bid where auction % 123 = 0",
    "q3": """select p.name, p.city, p.state, a.id from auction a join person p on a.seller = p.id
             where a.category = 10 and p.state in ('OR', 'ID', 'CA')""",
    "q4": """select category, sum(price) / count(*) from (
               select a.id, a.category, max(b.price) as price from auction a join bid b on b.auction = a.id and b.ts between a.ts and a.expires
               group by a.id, a.category) group by category""",
    "q5": """with counted as (
               select auction, count(*) as num, (ts / 2000 - hop) * 2000 as start
               from bid, (select 0 as hop union select 1 union select 2 union select 3 union select 4) group by start, auction)
             select auction, num, start, start + 10000 from counted as one
             where num = (select max(num) from counted as other where other.start = one.start)""",
    "q6": f"""with {WON} select seller, id, avg(price) over (partition by seller order by expires, id rows 9 preceding) from won""",
    "q7": """with highest as (select ts / 10000 as number, max(price) as price from bid group by number)
             select auction, bidder, bid.price, ts from bid join highest on ts / 10000 = number and bid.price = highest.price""",
    "q8": """select distinct p.id, p.name, p.ts / 10000 * 10000 from person p join auction a on a.seller = p.id and a.ts / 10000 = p.ts / 10000""",
    "q9": f"""with {WON} select id, itemName, initialBid, reserve, ts, expires, seller, category, bidder, price, bid_time from won""",
    "q10": f"select auction, bidder, price, ts, extra, strftime('%Y-%m-%d', ts / 1000, 'unixepoch'), {MINUTE} from bid",
    "q11": """with marked as (
                select bidder, ts, coalesce(ts - lag(ts) over (partition by bidder order by ts, rowid) >= 10000, 1) as begins from bid),
              numbered as (select bidder, ts, sum(begins) over (partition by bidder order by ts rows unbounded preceding) as session from marked)
              select bidder, count(*), min(ts), max(ts) + 10000 from numbered group by bidder, session""",
    "q12": "select bidder, count(*), ts / 10000 * 10000 as start, ts / 10000 * 10000 + 10000 from bid group by bidder, start",
    "q13": "select auction, bidder, price, ts, value from bid join side on auction % 10000 = key",
    "q14": """select auction, bidder, 0.908 * price as euros,
                case when hour between 8 and 18 then 'dayTime' when hour <= 6 or hour >= 20 then 'nightTime' else 'otherTime' end,
                ts, extra, length(extra) - length(replace(extra, 'c', ''))
              from (select *, ts / 3600000 % 24 as hour from bid) where 0.908 * price > 1000000 and 0.908 * price < 50000000""",
    "q15": f"select {RANKS}, {DISTINCT}, {DAY} from bid group by {DAY}",
    "q16": f"select channel, max({MINUTE}), {RANKS}, {DISTINCT}, {DAY} from bid group by channel, {DAY}",
    "q17": f"select auction, {RANKS}, min(price), max(price), avg(price), sum(price), {DAY} from bid group by auction, {DAY}",
    "q18": """select auction, bidder, price, channel, url, ts, extra from (
                select *, row_number() over (partition by auction, bidder order by ts desc, rowid desc) as place from bid) where place = 1""",
    "q19": """select auction, bidder, price, ts, place from (
                select *, row_number() over (partition by auction order by price desc, ts, rowid) as place from bid) where place <= 10""",
    "q20": """select b.auction, b.bidder, b.price, b.channel, b.url, b.ts, a.itemName, a.initialBid, a.reserve, a.expires, a.seller
              from bid b join auction a on b.auction = a.id where a.category = 10""",
    "q21": """select * from (select auction, bidder, price, channel, case lower(channel)
                when 'apple' then '0' when 'google' then '1' when 'facebook' then '2' when 'baidu' then '3'
                else case when instr(url, '&channel_id=') > 0 then substr(url, instr(url, '&channel_id=') + 12) end end as known from bid)
              where known is not null""",
    "q22": "select auction, bidder, price, channel, part(url, 3), part(url, 4), part(url, 5) from bid",
    "q23": "select b.auction, b.bidder, b.price, p.name, a.id from bid b join person p on p.id = b.bidder join auction a on a.seller = b.bidder",
}
QUERIES |= {"q5_joined": QUERIES["q5"], "q7_joined": QUERIES["q7"]}


class Oracle:
    def __init__(self, events):
        """events: a file of the generator."""
        self.database = sqlite3.connect(":memory:")
        self.database.executescript(TABLES)
        self.database.create_function("part", 2, lambda text, index: text.split("/")[index], deterministic=True)
        rows = {0: [], 1: [], 2: []}
        with open(events, encoding="utf-8") as file:
            for line in file:
                event = json.loads(line)
                if event["event_type"] == 0:
                    p = event["person"]
                    rows[0].append((p["id"], p["name"], p["city"], p["state"], p["dateTime"]))
                elif event["event_type"] == 1:
                    a = event["auction"]
                    rows[1].append((a["id"], a["itemName"], a["initialBid"], a["reserve"], a["dateTime"], a["expires"], a["seller"], a["category"]))
                else:
                    b = event["bid"]
                    rows[2].append((b["auction"], b["bidder"], b["price"], b["channel"], b["url"], b["dateTime"], b["extra"]))
        for name, of in (("person", rows[0]), ("auction", rows[1]), ("bid", rows[2])):
            self.database.executemany(f"insert into {name} values ({', '.join('?' * len(of[0]))})", of)
        self.database.executemany("insert into side values (?, ?)", ((i, str(i)) for i in range(10_000)))
        self.database.executescript(INDICES)

    def rows(self, query):
        return self.database.execute(QUERIES[query]).fetchall()
