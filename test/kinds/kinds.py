"""Each kind of edit as two scripts: what is done, the script before and after, what becomes of state, and what is
accepted so that the edit can be made."""
from dataclasses import dataclass

TYPE = "type Payment = { user: string, region: string, amount: float, n: int, id: i32, at: time }\n"
SOURCE = 'source payments: Payment = file("payments.jsonl") time at lateness 5s\n'
EMIT = "\nemit out to file(\"out.jsonl\")\n"


@dataclass
class Kind:
    row: int  # of the design's list of edits
    edit: str
    before: str
    after: str
    verdicts: str  # as `mutc plan` tells them, each once, in alphabetical order; "same" where nothing is to be told
    accept: tuple = ()
    note: str = ""
    apart: str = ""  # why the interpreter's rows are others


KINDS = []


def kind(row, edit, verdicts, before, after, accept=(), note="", head=TYPE + SOURCE, new_head=None, apart=""):
    KINDS.append(Kind(row, edit, head + before, (new_head or head) + after, verdicts, tuple(accept), note, apart))


def out(stages):
    return "stream out = payments " + stages + EMIT


RUNNING = "| @g aggregate n = count(), t = sum(amount) by user ttl 1d"
BY_BOTH = "| @g aggregate n = count(), t = sum(amount) by user, region ttl 1d"
WINDOW = "| @w aggregate n = count() by user window tumbling 10s"
SESSION = "| @w aggregate n = count() by user window session 4s"
HISTORY = "| @h with usual = avg(amount) over last 10m by user"
DELTA = "| @h with change = delta(amount) by user"

kind(1, "comment, layout, an equal expression", "same", out(RUNNING), "// what it does\n" + out(RUNNING.replace("| ", "|  ")),
     note="no swap; the version is recorded as equivalent")
kind(2, "expression that feeds no state", "same", out(RUNNING + " | with x = t * 2.0"), out(RUNNING + " | with x = t * 3.0"))
kind(3, "argument of an aggregate", "choice", out(RUNNING), out(RUNNING.replace("sum(amount)", "sum(amount * 2.0)")),
     ["reset:out/g/t"], "the others stay; `carry` keeps the sum of the old argument")
kind(4, "filter before state", "keep-mixed", out(RUNNING), out("| where amount > 10.0 " + RUNNING))
kind(5, "value of a param", "same", "param limit: float = 3.0\n" + out(RUNNING + " | where t > limit"),
     "param limit: float = 4.0\n" + out(RUNNING + " | where t > limit"), note="nothing is compiled")
kind(6, "stateless stage added", "same", out(RUNNING), out(RUNNING + " | where t > 5.0"))
kind(7, "stage with state added", "new", out("| where n > 0"), out("| where n > 0 " + RUNNING))
kind(8, "stage with state removed", "drop", out(RUNNING), out("| where n > 0"), ["drop:out/g/"], "comes back by an undo")
kind(9, "filter moved before state", "keep-mixed", out("| @d dedupe by id within 1m | where amount > 5.0"),
     out("| where amount > 5.0 | @d dedupe by id within 1m"))
kind(10, "key refined", "choice", out(RUNNING), out(BY_BOTH), ["reset:out/g/"], "old groups cannot be split")
kind(11, "key coarsened", "convert", out(BY_BOTH), out(RUNNING), note="groups are merged")
kind(11, "key coarsened, `first` among the aggregates", "choice",
     out("| @g aggregate f = first(amount) by user, region ttl 1d"), out("| @g aggregate f = first(amount) by user ttl 1d"),
     ["reset:out/g/"])
kind(11, "key computed from the old one", "convert", out(RUNNING), out(RUNNING.replace("by user", "by user = upper(user)")), note="groups are merged")
kind(12, "key replaced", "choice", out(RUNNING), out(RUNNING.replace("by user", "by region")), ["reset:out/g/"])
LOGIN = 'source logins: { user: string, at: time } = file("logins.jsonl") time at\n'
JOIN = "| @j join logins within 5s on user == logins.user | select user, n"
LOGIN_ID = LOGIN.replace("user: string", "user: string, id: i32")
kind(12, "key of a join replaced", "convert", LOGIN_ID + out(JOIN), LOGIN_ID + out(JOIN.replace("user == logins.user", "id == logins.id")),
     note="rows go under the new key")
kind(12, "key of a join that may fail for a row", "convert-checked", LOGIN_ID + out(JOIN),
     LOGIN_ID + out(JOIN.replace("user == logins.user", "100000 / (id + 1) == 100000 / (logins.id + 1)")), note="a row that it fails for stops the edit")
PROFILE = "type Profile = { user: string, name: string, level: i32, at: time }\n"
PEOPLE = 'source profiles: Profile = file("profiles.jsonl") time at\ntable people key user ttl none = profiles\n'
LOOKUP = out("| @who lookup people on user == people.user | select user, level = people.level")
kind(12, "key of a table replaced", "convert", LOOKUP, LOOKUP.replace("user == people.user", '"User {slice(user, 1, 9)}" == people.name'),
     head=TYPE + SOURCE + PROFILE + PEOPLE, new_head=TYPE + SOURCE + PROFILE + PEOPLE.replace("key user", "key name"),
     note="rows go under the new key; of several the newest stays")
kind(13, "type of a key widened", "convert", out(RUNNING.replace("by user", "by id")), out(RUNNING.replace("by user", "by id")),
     new_head=TYPE.replace("id: i32", "id: int") + SOURCE)
kind(13, "type of a key narrowed", "convert-checked", out(RUNNING.replace("by user", "by id")), out(RUNNING.replace("by user", "by id")),
     head=TYPE.replace("id: i32", "id: int") + SOURCE, new_head=TYPE + SOURCE, note="a key that does not fit stops the edit")
kind(13, "keys made anew by `migrate`", "convert-checked", out(RUNNING),
     out(RUNNING.replace("by user", "by user = user + \"!\"")) + "migrate out.g { user = \"{old.user}!\" }\n",
     note="a key that it fails for stops the edit")
kind(14, "aggregate added", "new", out(RUNNING), out(RUNNING.replace("n = count()", "n = count(), m = max(amount)")),
     note="the others stay")
kind(15, "aggregate removed", "drop", out(RUNNING), out(RUNNING.replace("n = count(), ", "")), ["drop:out/g/n"])
kind(16, "another function", "choice", out(RUNNING), out(RUNNING.replace("sum(amount)", "max(amount)")), ["reset:out/g/t"])
kind(17, "aggregate renamed", "keep", out(RUNNING), out(RUNNING.replace("n = count()", "cnt = count()")))
kind(18, "length of a window", "hand-over", out(WINDOW), out(WINDOW.replace("10s", "5s")))
kind(18, "slide of a window", "hand-over", out(WINDOW.replace("tumbling 10s", "sliding 10s every 5s")),
     out(WINDOW.replace("tumbling 10s", "sliding 10s every 2s")))
kind(19, "windows of a length → sessions", "hand-over", out(WINDOW), out(SESSION))
kind(19, "sessions → windows of a length", "hand-over", out(SESSION), out(WINDOW.replace("tumbling 10s", "sliding 10s every 5s")))
kind(19, "windows of time → of a number of events", "refuse", out(WINDOW), out(WINDOW.replace("tumbling 10s", "count 5")),
     note="under another name they start empty")
kind(20, "gap of sessions", "convert", out(SESSION), out(SESSION.replace("4s", "9s")))
kind(22, "lateness of a source", "keep", out(WINDOW), out(WINDOW), new_head=TYPE + SOURCE.replace("5s", "9s"))

kind(23, "field with a default added to rows that are kept", "convert", LOOKUP, LOOKUP.replace("people.level", "people.level, tier = people.tier"), head=TYPE + SOURCE + PROFILE + PEOPLE,
     new_head=TYPE + SOURCE + PROFILE.replace("level: i32", 'level: i32, tier: string = "free"') + PEOPLE)
kind(24, "field of such rows removed", "convert", LOOKUP, LOOKUP, head=TYPE + SOURCE + PROFILE + PEOPLE,
     new_head=TYPE + SOURCE + PROFILE.replace("name: string, ", "") + PEOPLE)
kind(25, "field renamed by `was`", "convert", LOOKUP.replace("people.level", "people.level, called = people.name"),
     LOOKUP.replace("people.level", "people.level, called = people.title"), head=TYPE + SOURCE + PROFILE + PEOPLE,
     new_head=TYPE + SOURCE + PROFILE.replace("name: string", "title was name: string") + PEOPLE)
kind(25, "field that state was made of renamed without `was`", "choice refuse", out(RUNNING), out(RUNNING.replace("amount", "total")),
     new_head=TYPE.replace("amount: float", "total: float") + SOURCE, note="the plan says what to write")
kind(26, "field of such rows widened", "convert", LOOKUP, LOOKUP, head=TYPE + SOURCE + PROFILE + PEOPLE,
     new_head=TYPE + SOURCE + PROFILE.replace("level: i32", "level: int") + PEOPLE)
kind(26, "field of such rows narrowed", "convert-checked", LOOKUP, LOOKUP, head=TYPE + SOURCE + PROFILE + PEOPLE,
     new_head=TYPE + SOURCE + PROFILE.replace("level: i32", "level: i16") + PEOPLE)

LEAST = "| @g aggregate least = min(id) by user ttl 1d"
kind(26, "argument of `min` narrowed", "convert-checked", out(LEAST), out(LEAST), head=TYPE.replace("id: i32", "id: int") + SOURCE,
     new_head=TYPE + SOURCE, note="a value that does not fit stops the edit")

kind(27, "bounds of a join wider", "keep", LOGIN + out(JOIN), LOGIN + out(JOIN.replace("5s", "9s")))
kind(28, "bounds of a join narrower", "convert", LOGIN + out(JOIN), LOGIN + out(JOIN.replace("5s", "2s")))
kind(29, "`join` → `left join`", "keep", LOGIN + out(JOIN), LOGIN + out(JOIN.replace("@j join", "@j left join")))
kind(30, "condition of a join", "keep-mixed", LOGIN + out(JOIN), LOGIN + out(JOIN.replace("logins.user |", "logins.user and amount > 3.0 |")))
DEDUPE = "| @d dedupe by id within 1m"
kind(31, "horizon of `dedupe`", "keep", out(DEDUPE), out(DEDUPE.replace("1m", "10s")))
kind(32, "`top` of fewer", "keep", out("| @t top 5 by amount"), out("| @t top 3 by amount"))
MATCH = ("| @m match by user within 1m pattern a then b then c define a = amount > 50.0, b = amount < 20.0, c = n == 0 "
         "select user, first = a.amount")
kind(33, "condition of a pattern", "keep-mixed", out(MATCH), out(MATCH.replace("n == 0", "n == 1")))
kind(35, "`within` of a pattern", "keep", out(MATCH), out(MATCH.replace("1m", "2m")))
kind(37, "source reads something else", "refuse", out(RUNNING), out(RUNNING), new_head=TYPE + SOURCE.replace("payments.jsonl", "other.jsonl"),
     note="declare it under another name")
kind(37, "source reads another file, `start: earliest`", "keep-mixed", out(RUNNING), out(RUNNING),
     new_head=TYPE + SOURCE.replace('"payments.jsonl"', '"more.jsonl", start: earliest'), note="what it read before is gone on with by an edit back")
MORE = 'source more: Payment = file("more.jsonl") time at lateness 5s\nstream all_payments = merge(payments, more)\n'
BOTH = out(WINDOW).replace("= payments", "= all_payments")
kind(38, "source added", "keep-mixed", out(WINDOW), MORE + BOTH)
kind(38, "source removed", "keep-mixed", MORE + BOTH, out(WINDOW))
kind(40, "sink goes elsewhere", "same", out(RUNNING), out(RUNNING).replace("out.jsonl", "other_out.jsonl"),
     note="the old file is complete at the cut")
kind(41, "fields of a sink", "same", out(RUNNING), out(RUNNING + " | select user, n"))
SPLIT = ('stream out = payments | where region == "eu" | @g aggregate n = count() by user ttl 1d' + EMIT +
         'stream rest = payments | where region != "eu" | @h from out.g aggregate n = count() by user ttl 1d\n'
         'emit rest to file("rest.jsonl")\n')
kind(42, "stage split in two, the second by `from`", "keep-mixed", out("| @g aggregate n = count() by user ttl 1d"), SPLIT)
ONE_STAGE = 'stream out = payments | @g from eu.g + rest.g aggregate n = count() by user ttl 1d' + EMIT
TWO_STAGES = "".join('stream %s = payments | where region %s "eu" | @g aggregate n = count() by user ttl 1d\nemit %s to file("%s.jsonl")\n' % (s, o, s, s)
                     for s, o in (("eu", "=="), ("rest", "!=")))
kind(43, "two stages become one, by `from`", "convert", TWO_STAGES, ONE_STAGE)
kind(48, "`over last` longer", "keep", out(HISTORY), out(HISTORY.replace("10m", "1h")))
kind(49, "`over last` shorter", "convert", out(HISTORY), out(HISTORY.replace("10m", "1m")))
kind(50, "argument of a history", "choice", out(HISTORY), out(HISTORY.replace("avg(amount)", "avg(amount * 2.0)")), ["reset:out/h/"])
kind(51, "key of `delta`", "choice", out(DELTA), out(DELTA.replace("by user", "by region")), ["reset:out/h/"])
kind(52, "number of `limit`", "same", out("| @s limit 100"), out("| @s limit 200"))
kind(52, "length of `delay`", "keep", out("| @s delay 5s"), out("| @s delay 9s"), note="what waits goes when it would have gone")
kind(53, "`where` inside an aggregate", "keep-mixed", out(RUNNING), out(RUNNING.replace("count()", "count(where amount > 3.0)")))
kind(54, "`time` of a source", "choice", out(WINDOW), out(WINDOW), ["reset:out/w/"], head=TYPE.replace("at: time", "at: time, seen: time") + SOURCE,
     new_head=TYPE.replace("at: time", "at: time, seen: time") + SOURCE.replace("time at", "time seen"))
kind(55, "trigger of a window", "keep", out(WINDOW), out(WINDOW + " trigger on update"))
PROCESS = "| @p process by user ttl 1d {\n  state s: int = 0\n  on event {\n    s = s + 1\n    emit { user: user, s: s }\n  }\n}"
kind(56, "variable of `process` made anew by `migrate`", "convert", out(PROCESS),
     out(PROCESS.replace("state s: int = 0", "state s: float = 0.0").replace("s + 1", "s + 0.5"))
     + "migrate out.p { s = float(old.s) / 2.0 }\n", note="behind the cut")
kind(56, "the same, by an expression that can fail", "convert-checked", out(PROCESS),
     out(PROCESS.replace("state s: int = 0", "state s: int = 0, d: int = 0")) + "migrate out.p { d = old.s * 2 }\n",
     note="a key that it fails for stops the edit")
kind(56, "statements of `process`", "keep-mixed", out(PROCESS), out(PROCESS.replace("s + 1", "s + 2")))
OWN = "aggregate total(x: float) -> float {\n  state s: float = 0.0\n  add s = s + x\n  result s\n}\n"
kind(56, "`result` of an aggregate of the script", "same", OWN + out(RUNNING.replace("sum(", "total(")),
     OWN.replace("result s", "result s * 2.0") + out(RUNNING.replace("sum(", "total(")))
kind(56, "`add` of an aggregate of the script", "choice", OWN + out(RUNNING.replace("sum(", "total(")),
     OWN.replace("s + x", "s + x * 2.0") + out(RUNNING.replace("sum(", "total(")), ["reset:out/g/t"])
kind(57, "order of keys", "convert", out(BY_BOTH), out(BY_BOTH.replace("user, region", "region, user")))
LIMITS = 'source limits: { v: float } = file("limits.jsonl")\n'
kind(58, "`set … from` added", "same", "param limit: float = 3.0\n" + out(RUNNING + " | where t > limit"),
     "param limit: float = 3.0\n" + LIMITS + "set limit from limits\n" + out(RUNNING + " | where t > limit"))
