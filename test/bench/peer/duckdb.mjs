// node duckdb.mjs FOLDER NDJSON PAIRS: workloads in DuckDB, a batch engine, on one thread. FOLDER has its node_modules. One JSON line a
// workload: events, the median of some passes and the check as far as SQL gives it. Loading is in no time,
// except for w1a, whose work it is.
import { createRequire } from "node:module";

const [folder, ndjson, pairs] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(`${folder}/peer.js`)("@duckdb/node-api");
const instance = await DuckDBInstance.create(":memory:");
const db = await instance.connect();
await db.run("set threads = 1");

const bid = "struct(auction bigint, bidder bigint, price bigint, dateTime bigint)";
const events = `read_ndjson('${ndjson}', columns = {event_type: 'int', bid: '${bid}'})`;
await db.run(`create table bid as select bid.auction as auction, bid.bidder as bidder, bid.price as price,
  bid.dateTime as ms from ${events} where event_type = 2`);
await db.run(`create table pair as select * from read_csv('${pairs}', header = false,
  columns = {key: 'bigint', value: 'bigint'})`);

// Each gives `checked`, the beginning of the workload's check or the whole of it.
const queries = {
  w1a: [events, `select 'events=' || count(*) || ';broken=0;rows=' || count(bid.price) || ';price=' || sum(bid.price) ||
    ';auction=' || sum(bid.auction) || ';bidder=' || sum(bid.bidder) || ';elapsed_ms=' ||
    sum(bid.dateTime - 1700000000000) as checked from ${events}`],
  w2q1: ["bid", `select 'rows=' || count(*) || ';sum=' || sum(euros) as checked from (
    select auction, bidder, price * 908 // 1000 as euros, ms from bid)`],
  w2q2: ["bid", `select 'rows=' || count(*) || ';sum=' || sum(price) as checked from (
    select auction, price from bid where auction % 123 = 0)`],
  w4q7: ["bid", `with highest as (select ms // 10000 as number, max(price) as price from bid group by number)
    select 'rows=' || count(*) || ';sum=' || sum(auction + bidder + bid.price) as checked
    from bid join highest on ms // 10000 = number and bid.price = highest.price`],
  w4q12: ["bid", `select 'rows=' || count(*) || ';sum=' || sum(n) as checked from (
    select bidder, ms // 10000 as number, count(*) as n from bid group by bidder, number)`],
  w6: ["pair", `select 'rows=' || count(*) || ';count=' || sum(n) || ';sum=' || sum(total) || ';max=' || sum(most) as checked
    from (select key, count(*) as n, sum(value) as total, max(value) as most from pair group by key)`],
};

async function value(sql) {
  return (await db.runAndReadAll(sql)).getRows()[0][0];
}

const seconds_min = 1.0, passes_min = 3;
for (const [workload, [input, sql]] of Object.entries(queries)) {
  const count = Number(await value(`select count(*) from ${input}`));
  const passes = [];
  let check = await value(sql);
  for (let spent = 0; spent < seconds_min || passes.length < passes_min; ) {
    const begin = process.hrtime.bigint();
    if ((await value(sql)) !== check) check = "passes differ";
    passes.push(Number(process.hrtime.bigint() - begin) * 1e-9);
    spent += passes.at(-1);
  }
  passes.sort((a, b) => a - b);
  console.log(JSON.stringify({ workload, events: count, seconds: passes[passes.length >> 1], check }));
}
