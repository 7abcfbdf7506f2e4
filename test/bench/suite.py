"""The workloads of tools/bench, with what they are judged by."""

# goal: least share of the hand-written side. limit: million events/s of one core as measured for the
# design on a core of 4.2 GHz that reads 42 GB/s; event_bytes: what one event makes the core read.
WORKLOADS = {
    "w1a": {"what": "NEXMark JSON lines, sums over bids", "goal": 0.6, "limit": 15.6, "event_bytes": 292},
    # What the limit of w1a was measured with: four integers, not the type of the event.
    "w1auntyped": {"what": "the same by the bid alone, by hand only", "engine": None, "goal": None, "limit": 15.6, "event_bytes": 292},
    "w2q1": {"what": "NEXMark q1, decoded columns", "goal": None, "limit": 1300, "event_bytes": 32},
    "w2q2": {"what": "NEXMark q2, decoded columns", "goal": 0.5, "limit": 1300, "event_bytes": 16},
    "w3b": {"what": "YSB, 64-byte rows, by hand only", "engine": None, "goal": None, "limit": 234, "event_bytes": 64},
    "w3bcol": {"what": "YSB, the same as columns", "goal": 0.5, "limit": 366, "event_bytes": 24},
    "w4q5": {"what": "NEXMark q5: auctions with the most bids of 10 s, every 2 s", "goal": 0.6, "limit": 165, "event_bytes": 16},
    "w4q5fine": {"what": "the same every 100 ms", "goal": 0.6, "limit": None, "event_bytes": 16},
    "w4q5joined": {"what": "q5 as a join with the greatest counts, engine alone", "hand": None, "goal": None, "limit": None, "event_bytes": 16},
    "w4q7": {"what": "NEXMark q7: the highest bid of 10 s", "goal": 0.5, "limit": None, "event_bytes": 16},
    "w4q7joined": {"what": "q7 as a join with the highest prices, engine alone", "hand": None, "goal": None, "limit": None, "event_bytes": 16},
    "w4q8": {"what": "NEXMark q8: new people who sell, all kinds of events", "goal": 0.5, "limit": None, "event_bytes": 16},
    "w4q11": {"what": "NEXMark q11: sessions of bidders, gap 1 s", "goal": 0.5, "limit": None, "event_bytes": 16},
    "w4q12": {"what": "NEXMark q12 on event time: bids per bidder in 10 s", "goal": 0.5, "limit": None, "event_bytes": 16},
    # What is not forgotten grows: from empty, with all rows read out.
    "w5q3": {"what": "NEXMark q3: who in three states sells in a category, all kinds of events, engine alone", "hand": None, "goal": None, "limit": None, "event_bytes": 40},
    "w5q4": {"what": "NEXMark q4: mean winning price by category, engine alone", "hand": None, "goal": None, "limit": None, "event_bytes": 56},
    "w5q9": {"what": "NEXMark q9: winning bids, engine alone", "hand": None, "goal": None, "limit": None, "event_bytes": 56},
    "w5q18": {"what": "NEXMark q18: the last bid of each bidder on each auction", "goal": 0.5, "limit": 60, "event_bytes": 32},
    "w5q19": {"what": "NEXMark q19: ten highest bids of each auction, engine alone", "hand": None, "goal": None, "limit": None, "event_bytes": 32},
    "w5q20": {"what": "NEXMark q20: bids with their auction, engine alone", "hand": None, "goal": None, "limit": None, "event_bytes": 48},
    "w6": {"what": "count, sum, max of 10^6 keys", "goal": 0.5, "limit": 58, "event_bytes": 16},
    # What the limit of w6 was measured with: nothing grows.
    "w6sized": {"what": "the same into a table of that size, by hand only", "engine": None, "goal": None, "limit": 58, "event_bytes": 16},
    # The same of fewer and more keys; small: of a hundredth from 10^6 on.
    **{f"w6keys1e{digits}": {"what": f"count, sum, max of 10^{digits} keys", "goal": 0.8, "limit": None, "event_bytes": 16} for digits in (2, 3, 4, 5, 7)},
    **{f"w7{of}1e{digits}{by}": {"what": f"{of} of the last 10^{digits} values" + (", every 100" if by else ""),
                              "goal": 0.5, "limit": None if by else limit, "event_bytes": 8}
       for by in ("", "by100") for of, limit in (("max", 780), ("sum", 1500)) for digits in (3, 5, 6)},
}
LIMIT_GHZ, LIMIT_READ_GB = 4.2, 42.0

# Two workloads of which the engine's rates must be as good as equal: most that they may differ.
ALIKE = [("w4q5", "w4q5fine", 0.1)]

# Figures of the engine alone, with the most they may be (None: for information).
FIGURES = {
    "w8": {
        "first_event_warm_ms_10": 3, "first_event_cold_ms_10": 25, "optimised_ms_10": 15,
        "first_event_warm_ms_200": 15, "optimised_ms_200": 150,
    },
    # Edits of one operator, at full load unless the name says otherwise; widen, remade: of 10^6 groups.
    "w9": {
        "constant_effect_ms_p99": 2, "expression_effect_ms_p99": 5, "column_effect_ms_p99": 5, "operator_effect_ms_p99": 5,
        "a_to_d_charged_ms_p99": 0.1, "a_to_d_seen_ms_p99": 0.1,
        "a_to_d_at_80_charged_ms_p99": 0.1, "a_to_d_at_80_seen_ms_p99": 0.1,
        "a_to_d_at_50_charged_ms_p99": 0.1, "a_to_d_at_50_seen_ms_p99": 0.1,
        "widen_charged_ms_p99": 1, "remade_charged_ms_p99": 1,
    },
    # Rows of a filter, and of windows of 10 ms: after the event behind them was due; at 50 and 80 % of the maximum.
    "w10": {
        f"{program}_at_{figure}": goal for program in ("project", "views") for figure, goal in (
            ("1k_cpu_percent", 2), ("50_us_p50", 50), ("50_us_p99", 200), ("50_us_p999", 2000), ("80_us_p99", 500))
    },
}

# An edit is compiled beside the rows, events are made beside them: on the other core.
ON_ALL_CORES = {"w9", "w10"}
