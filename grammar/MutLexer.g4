// Words and signs of the Mut language, edition 1. What this file cannot say (nested comments) is
// scanned by the members below. Tokens whose names begin with BAD or UNCLOSED are always reported.
lexer grammar MutLexer;

channels { COMMENTS }

@lexer::members {
  // For every open interpolation, the brackets that are open inside it.
  std::vector<size_t> holes;

  void openBracket() {
    if (!holes.empty()) ++holes.back();
  }
  void closeBracket() {
    if (!holes.empty() && holes.back() > 0) --holes.back();
  }
  // A `}` ends the interpolation when nothing else is open in it.
  void closeBrace() {
    if (holes.empty()) return;
    if (holes.back() > 0) {
      --holes.back();
    } else {
      closeHole();
    }
  }
  void closeHole() {
    setType(HOLE_CLOSE);
    holes.pop_back();
    popMode();
  }
  // The first `:` of an interpolation that stands in no bracket begins its format.
  void colon() {
    if (holes.empty() || holes.back() > 0) return;
    setType(SPEC_OPEN);
    setMode(SPEC);
  }
  // Text never spans lines: forget everything that is open.
  void leaveText() {
    holes.clear();
    modeStack.clear();
    setMode(DEFAULT_MODE);
  }
  void newline() {
    if (holes.empty()) {
      skip();
    } else {
      leaveText();
    }
  }
  // After `/*`: up to the matching `*/`. Comments nest; no recursion, as the depth is the author's.
  void comment() {
    size_t depth = 1;
    while (depth > 0) {
      size_t here = _input->LA(1);
      size_t next = _input->LA(2);
      if (here == antlr4::IntStream::EOF) {
        setType(UNCLOSED_COMMENT);
        return;
      }
      bool opens = here == '/' && next == '*';
      bool closes = here == '*' && next == '/';
      depth = opens ? depth + 1 : closes ? depth - 1 : depth;
      _input->consume();
      if (opens || closes) _input->consume();
    }
  }
  void restOfLine() {
    for (size_t c = _input->LA(1); c != '\n' && c != antlr4::IntStream::EOF; c = _input->LA(1)) _input->consume();
  }
}

tokens { HOLE_CLOSE, SPEC_OPEN, UNCLOSED_COMMENT, TEXT_BREAK }

// ---- comments and blanks

LINE_COMMENT: '//' ~[\r\n]* -> channel(COMMENTS);
BLOCK_COMMENT: '/*' { comment(); } -> channel(COMMENTS);
BLANK: [ \t\r]+ -> skip;
NEWLINE: '\n' { setType(TEXT_BREAK); newline(); };

// ---- reserved words

AND: 'and'; OR: 'or'; NOT: 'not'; IN: 'in'; IS: 'is'; AS: 'as'; IF: 'if'; THEN: 'then'; ELSE: 'else'; LET: 'let';
TRY: 'try'; MATCH: 'match'; BY: 'by'; OVER: 'over'; WHERE: 'where'; TRUE: 'true'; FALSE: 'false'; NONE: 'none';

// ---- contextual words: each is a name wherever the rule `name` of the parser stands

// Declarations. EDITION must be the first and TEST the last.
EDITION: 'edition'; IMPORT: 'import'; TYPE: 'type'; ENUM: 'enum'; CONST: 'const'; PARAM: 'param'; SET: 'set';
FN: 'fn'; AGGREGATE: 'aggregate'; OPERATOR: 'operator'; MODEL: 'model'; LEARNER: 'learner'; SOURCE: 'source';
TABLE: 'table'; STREAM: 'stream'; ROUTE: 'route'; EMIT: 'emit'; MIGRATE: 'migrate'; GUARD: 'guard';
TEST: 'test';

// Stages. SELECT must be the first and TRAIN the last.
SELECT: 'select'; WITH: 'with'; WITHOUT: 'without'; RENAME: 'rename'; FLATTEN: 'flatten'; JOIN: 'join';
LEFT: 'left'; RIGHT: 'right'; FULL: 'full'; SEMI: 'semi'; ANTI: 'anti'; ASOF: 'asof'; LOOKUP: 'lookup';
DEDUPE: 'dedupe'; LATEST: 'latest'; TOP: 'top'; SORT: 'sort'; SAMPLE: 'sample'; LIMIT: 'limit';
THROTTLE: 'throttle'; DELAY: 'delay'; DEBOUNCE: 'debounce'; PROCESS: 'process'; TRAIN: 'train';

// Clauses and the rest.
WAS: 'was'; FROM: 'from'; FRESH: 'fresh'; TO: 'to'; OF: 'of'; ON: 'on'; ALL: 'all'; EVERY: 'every';
TIME: 'time'; LATENESS: 'lateness'; IDLE: 'idle'; AHEAD: 'ahead'; AFTER: 'after'; CHECK: 'check'; KEY: 'key';
TTL: 'ttl'; VERSIONED: 'versioned'; STATE: 'state'; ADD: 'add'; REMOVE: 'remove'; MERGE: 'merge';
RESULT: 'result'; WITHIN: 'within'; PATTERN: 'pattern'; DEFINE: 'define'; SKIP_WORD: 'skip'; PAST: 'past';
NEXT: 'next'; LAST: 'last'; ASC: 'asc'; DESC: 'desc'; WINDOW: 'window'; TUMBLING: 'tumbling';
SLIDING: 'sliding'; SESSION: 'session'; COUNT: 'count'; OFFSET: 'offset'; ZONE: 'zone'; TRIGGER: 'trigger';
CLOSE: 'close'; UPDATE: 'update'; LATE: 'late'; DROP: 'drop'; PER: 'per'; LABEL: 'label'; EVENT: 'event';
EVENTS: 'events'; TIES: 'ties'; TIMER: 'timer'; CANCEL: 'cancel'; EXCLUDING: 'excluding'; CURRENT: 'current'; PREV: 'prev';
DELTA: 'delta'; CHANGED: 'changed'; SOME: 'some'; MAP: 'map'; SECRET: 'secret'; DECIMAL: 'decimal';

// Tests.
GIVEN: 'given'; TEXT_WORD: 'text'; FIRST: 'first'; REST: 'rest'; AT: 'at'; END: 'end'; EXPECT: 'expect';
ORDER: 'order'; EXACTLY: 'exactly'; PLAN: 'plan'; REFUSED: 'refused'; UNCHANGED: 'unchanged'; SWAP: 'swap';
ACCEPT: 'accept'; UNDO: 'undo';

// ---- names and literals

ID: [a-zA-Z_] [a-zA-Z0-9_]*;
QUOTED_ID: '`' ~[`\r\n]+ '`';

// Numbers and durations alike, and whatever is glued to them: the reader of the token is exact.
NUMBER
  : [0-9] [0-9_]* ('.' [0-9] [0-9_]*)? [eE] [+\-] [0-9] WORD*
  | [0-9] WORD* ('.' [0-9] WORD*)?
  ;
TIME_LITERAL: '@' [0-9] (WORD | [\-:.+] [0-9])*;
RAW_TEXT: 'r"' ~["\r\n]* '"' | 'r#"' .*? '"#' | 'r##"' .*? '"##' | 'r###"' .*? '"###';
BYTES: 'b"' (~["\\\r\n] | '\\' ~[\r\n])* '"';
REGEX: 're"' (~["\\\r\n] | '\\' ~[\r\n])* '"';
UNCLOSED_LITERAL: ('r' '#'* | 'b' | 're') '"' { restOfLine(); };
TEXT_OPEN: '"' -> pushMode(TEXT);

// ---- signs

ARROW: '->'; FAT_ARROW: '=>'; EQUAL: '=='; NOT_EQUAL: '!='; LESS_EQUAL: '<='; GREATER_EQUAL: '>='; LESS: '<';
GREATER: '>'; COALESCE: '??'; OPTIONAL_DOT: '?.'; QUESTION: '?'; RANGE: '..'; DOT: '.'; TILDE: '~'; PIPE: '|';
PLUS: '+'; MINUS: '-'; STAR: '*'; SLASH: '/'; PERCENT: '%'; ASSIGN: '='; COMMA: ','; SEMICOLON: ';'; LABEL_SIGN: '@';
COLON: ':' { colon(); };
PAREN_OPEN: '(' { openBracket(); };
PAREN_CLOSE: ')' { closeBracket(); };
BRACKET_OPEN: '[' { openBracket(); };
BRACKET_CLOSE: ']' { closeBracket(); };
BRACE_OPEN: '{' { openBracket(); };
BRACE_CLOSE: '}' { closeBrace(); };

BAD_CHARACTER: .;

fragment WORD: [0-9a-zA-Z_];

// ---- inside "…"
mode TEXT;

TEXT_PART: ~["\\{}\r\n]+;
ESCAPE: '\\u{' [0-9a-fA-F]* '}' | '\\' ~[\r\n];
BRACE_PAIR: '{{' | '}}';
HOLE_OPEN: '{' { holes.push_back(0); } -> pushMode(DEFAULT_MODE);
BAD_LONE_BRACE: '}';
TEXT_CLOSE: '"' -> popMode;
TEXT_END_OF_LINE: [\r\n] { leaveText(); } -> type(TEXT_BREAK);
TEXT_LONE_BACKSLASH: '\\' -> type(ESCAPE);

// ---- after the `:` of an interpolation
mode SPEC;

SPEC_TEXT: (~["}\r\n] | '"' ~["\r\n]* '"')+;
SPEC_END: '}' { closeHole(); };
SPEC_END_OF_LINE: [\r\n] { leaveText(); } -> type(TEXT_BREAK);
SPEC_BAD: '"' -> type(BAD_CHARACTER);
