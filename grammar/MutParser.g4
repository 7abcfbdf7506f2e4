// The Mut language, edition 1. Parsed SLL first, LL only after a failure; both give the same tree.
//
// Two rules keep it free of ambiguity: expressions have no juxtaposition, and a trailing comma
// stands only inside brackets. Patterns are the one juxtaposition, so their names leave out the
// words that may follow a pattern.
parser grammar MutParser;

options { tokenVocab = MutLexer; }

script: edition? declaration* EOF;
// What stands between two declaration words in column 0; read alone after a failure.
declarations: edition? declaration* EOF;

edition: EDITION NUMBER;

declaration
  : importDecl | typeDecl | enumDecl | constDecl | paramDecl | setDecl | fnDecl | aggregateDecl | operatorDecl
  | modelDecl | sourceDecl | tableDecl | streamDecl | routeDecl | emitDecl | migrateDecl | guardDecl
  | testDecl
  ;

// ---- names

// The contextual words are names here; the reserved ones need back-quotes.
name: plainName | OF | SELECT | DEFINE | AFTER | LIMIT | declarationWord | PREV | DELTA | CHANGED;
aliasName: plainName | SELECT | DEFINE | AFTER | LIMIT | declarationWord | PREV | DELTA | CHANGED;
callName: plainName | OF | SELECT | DEFINE | AFTER | LIMIT | declarationWord;
patternName: plainName | OF | PREV | DELTA | CHANGED;
historyFunction: PREV | DELTA | CHANGED;
declarationWord
  : EDITION | IMPORT | TYPE | ENUM | CONST | PARAM | SET | FN | AGGREGATE | OPERATOR | MODEL | LEARNER | SOURCE
  | TABLE | STREAM | ROUTE | EMIT | MIGRATE | GUARD | TEST
  ;
plainName
  : ID | QUOTED_ID
  | WITH | WITHOUT | RENAME | FLATTEN | JOIN | LEFT | RIGHT | FULL | SEMI | ANTI | ASOF | LOOKUP | DEDUPE | LATEST
  | TOP | SORT | SAMPLE | THROTTLE | DELAY | DEBOUNCE | PROCESS | TRAIN
  | WAS | FROM | FRESH | TO | ON | ALL | EVERY | TIME | LATENESS | IDLE | AHEAD | CHECK | KEY | TTL | VERSIONED
  | STATE | ADD | REMOVE | MERGE | RESULT | WITHIN | PATTERN | SKIP_WORD | PAST | NEXT | LAST | ASC | DESC | WINDOW
  | TUMBLING | SLIDING | SESSION | COUNT | OFFSET | ZONE | TRIGGER | CLOSE | UPDATE | LATE | DROP | PER | LABEL
  | EVENT | EVENTS | TIES | TIMER | CANCEL | EXCLUDING | CURRENT | SOME | MAP | SECRET | DECIMAL
  | GIVEN | TEXT_WORD | FIRST | REST | AT | END | EXPECT | ORDER | EXACTLY | PLAN | REFUSED | UNCHANGED | SWAP
  | ACCEPT | UNDO
  ;
// After `.` and before `:` reserved words are names too.
anyName
  : name | AND | OR | NOT | IN | IS | AS | IF | THEN | ELSE | LET | TRY | MATCH | BY | OVER | WHERE | TRUE | FALSE
  | NONE
  ;
path: name (DOT anyName)*;

// ---- literals

text: TEXT_OPEN textPart* TEXT_CLOSE | RAW_TEXT;
textPart: TEXT_PART | ESCAPE | BRACE_PAIR | BAD_LONE_BRACE | HOLE_OPEN expr (SPEC_OPEN SPEC_TEXT?)? HOLE_CLOSE;

// ---- types

type: typeAtom QUESTION*;
typeAtom
  : DECIMAL PAREN_OPEN expr PAREN_CLOSE
  | (MAP | SECRET | STREAM | TABLE) LESS type (COMMA type)* GREATER
  | path
  | BRACKET_OPEN type BRACKET_CLOSE
  | BRACE_OPEN (fieldDecl (COMMA fieldDecl)* COMMA?)? BRACE_CLOSE
  ;
fieldDecl: anyName (WAS anyName)? (FROM text)? COLON type (ASSIGN expr)?;

// ---- expressions, tight to loose

expr
  : operand
  | expr (DOT | OPTIONAL_DOT) (historyFunction arguments (overClause | historyBy)? | anyName (arguments overClause?)?)
  | expr BRACKET_OPEN expr BRACKET_CLOSE
  | MINUS expr
  | expr AS type
  | expr (STAR | SLASH | PERCENT) expr
  | expr (PLUS | MINUS) expr
  | expr COALESCE expr
  | expr RANGE expr
  | expr IS (NOT? NONE | SOME name)
  | expr (EQUAL | NOT_EQUAL | LESS | LESS_EQUAL | GREATER | GREATER_EQUAL | TILDE | NOT? IN) expr
  | NOT expr
  | expr AND expr
  | expr OR expr
  | IF expr THEN expr ELSE expr
  | TRY expr ELSE expr
  | name FAT_ARROW expr
  | PAREN_OPEN (name (COMMA name)*)? PAREN_CLOSE FAT_ARROW expr
  ;

operand
  : NUMBER | TIME_LITERAL | TRUE | FALSE | NONE | BYTES | REGEX
  | text
  | list
  | mapLiteral
  | record
  | block
  | strayBraces
  | matchExpr
  | PAREN_OPEN expr PAREN_CLOSE
  | historyFunction arguments (overClause | historyBy)?
  | callName arguments overClause?
  | name
  ;

list: BRACKET_OPEN (expr (COMMA expr)* COMMA?)? BRACKET_CLOSE;
mapLiteral: MAP BRACE_OPEN (mapItem (COMMA mapItem)* COMMA?)? BRACE_CLOSE;
mapItem: expr COLON expr;
record: BRACE_OPEN (recordItem (COMMA recordItem)* COMMA?)? BRACE_CLOSE;
recordItem: anyName COLON expr;
block: BRACE_OPEN letBinding+ expr BRACE_CLOSE;
letBinding: LET name ASSIGN expr SEMICOLON;
// `{ a }`: understood in order to be refused with both fixes.
strayBraces: BRACE_OPEN expr BRACE_CLOSE;

matchExpr: MATCH expr BRACE_OPEN matchArm (COMMA matchArm)* COMMA? BRACE_CLOSE;
matchArm: (ELSE | armPattern (OR armPattern)*) ARROW expr;
armPattern: NONE | SOME name | armValue (RANGE armValue)?;
armValue: MINUS? NUMBER | TIME_LITERAL | TRUE | FALSE | BYTES | text | path;

arguments: PAREN_OPEN (argument (COMMA argument)*)? (WHERE expr)? COMMA? PAREN_CLOSE;
argument: anyName COLON expr | expr;

overClause: OVER (LAST (NUMBER | name | PAREN_OPEN expr PAREN_CLOSE) EVENTS? | ALL) (BY historyKeys)? (EXCLUDING CURRENT)? historyTtl?;
historyBy: BY historyKeys historyTtl?;
historyTtl: TTL (NUMBER | name | NONE);
historyKeys: historyKey | PAREN_OPEN expr (COMMA expr)* COMMA? PAREN_CLOSE;
historyKey: path arguments?;

// ---- pipelines

pipeline: pipelineHead stage*;
pipelineHead: MERGE PAREN_OPEN path (COMMA path)* COMMA? PAREN_CLOSE | path;
stage: PIPE label? stageBody;
label: LABEL_SIGN name (WAS name)? (FROM path (PLUS path)*)? (FRESH NUMBER)?;

stageBody
  : whereStage | selectStage | withStage | withoutStage | renameStage | flattenStage | aggregateStage | joinStage
  | lookupStage | matchStage | dedupeStage | latestStage | topStage | sortStage | sampleStage | limitStage
  | throttleStage | delayStage | debounceStage | processStage | trainStage | operatorStage
  ;

whereStage: WHERE expr;
selectStage: SELECT namedExprs;
withStage: WITH namedExprs;
withoutStage: WITHOUT name (COMMA name)*;
renameStage: RENAME renameItem (COMMA renameItem)*;
renameItem: name TO name;
flattenStage: FLATTEN (name ASSIGN)? expr;
aggregateStage: AGGREGATE namedExprs (byClause | windowClause | triggerClause | lateClause | ttlClause)*;
joinStage
  : (LEFT | RIGHT | FULL | SEMI | ANTI | LEFT? ASOF)? JOIN name (AS name)? (WITHIN expr | ON expr)*
  ;
lookupStage: LEFT? LOOKUP name (AS aliasName)? (AS OF expr)? ON expr;
matchStage
  : MATCH (byClause | WITHIN expr)* PATTERN pattern
    (WITHIN expr | DEFINE namedExprs | SELECT namedExprs | AFTER SKIP_WORD (PAST LAST | TO NEXT) | LIMIT expr)*
  ;
dedupeStage: DEDUPE byClause? (WITHIN expr)?;
latestStage: LATEST byClause?;
topStage: TOP expr (WITH TIES)? BY sortKeys byClause? windowClause?;
sortStage: SORT BY sortKeys windowClause?;
sampleStage: SAMPLE NUMBER PERCENT byClause?;
limitStage: LIMIT expr byClause?;
throttleStage: THROTTLE expr PER expr byClause?;
delayStage: DELAY expr;
debounceStage: DEBOUNCE expr byClause?;
processStage: PROCESS (byClause | ttlClause)* BRACE_OPEN processItem* BRACE_CLOSE;
trainStage: TRAIN name WITH PAREN_OPEN (namedExprs COMMA?)? PAREN_CLOSE LABEL expr;
operatorStage: path arguments;

namedExprs: namedExpr (COMMA namedExpr)*;
namedExpr: (name (WAS name)? ASSIGN)? expr;
byClause: BY namedExprs;
sortKeys: PAREN_OPEN sortKey (COMMA sortKey)+ COMMA? PAREN_CLOSE | PAREN_OPEN expr (ASC | DESC) PAREN_CLOSE | sortKey;
sortKey: expr (ASC | DESC)?;

windowClause
  : WINDOW (TUMBLING expr | SLIDING expr | SESSION expr | COUNT expr | ALL) (EVERY expr | OFFSET expr | ZONE text)*
  ;
triggerClause: TRIGGER trigger (AND trigger)*;
// `every` takes no general expression: the `and` after it joins triggers.
trigger: ON CLOSE | ON UPDATE | EVERY (NUMBER | name);
lateClause: LATE (DROP | UPDATE expr | TO name);
ttlClause: TTL (NONE | expr);

// ---- patterns

pattern: patternSequence (OR patternSequence)*;
patternSequence: (THEN | NOT | patternElement)+;
patternElement: (patternName | PAREN_OPEN pattern PAREN_CLOSE) quantifier?;
quantifier
  : (BRACE_OPEN NUMBER (COMMA NUMBER?)? BRACE_CLOSE | STAR | PLUS | QUESTION) QUESTION?
  | COALESCE
  ;

// ---- process

processItem: STATE stateVariables | ON EVENT body | ON TIMER name body;
stateVariables: stateVariable (COMMA stateVariable)*;
stateVariable: name (WAS name)? COLON type ASSIGN expr;
body: BRACE_OPEN statement* BRACE_CLOSE;
statement
  : ifStatement
  | LET name ASSIGN expr SEMICOLON?
  | EMIT record
  | TIMER name AT expr
  | CANCEL name
  | name ASSIGN expr
  ;
ifStatement: IF expr body (ELSE (body | ifStatement))?;

// ---- declarations

importDecl: IMPORT (path | text) (AS name | PAREN_OPEN name (COMMA name)* COMMA? PAREN_CLOSE)?;
typeDecl: TYPE name ASSIGN type;
enumDecl: ENUM name ASSIGN BRACE_OPEN enumValue (COMMA enumValue)* COMMA? BRACE_CLOSE;
enumValue: name (WAS name)?;
constDecl: CONST name (COLON type)? ASSIGN expr;
paramDecl: PARAM name COLON type (IN expr)? ASSIGN expr;
setDecl: SET name FROM path (EVERY expr)?;
fnDecl: FN name parameters ARROW type ASSIGN expr;
parameters: PAREN_OPEN (parameter (COMMA parameter)* COMMA?)? PAREN_CLOSE;
parameter: name (COLON type)?;
aggregateDecl
  : AGGREGATE name parameters ARROW type BRACE_OPEN (STATE stateVariables)? (ADD stateAssigns)? (REMOVE stateAssigns)?
    (MERGE stateAssigns)? RESULT expr BRACE_CLOSE
  ;
stateAssigns: stateAssign (COMMA stateAssign)*;
stateAssign: name ASSIGN expr;
operatorDecl: OPERATOR name parameters ASSIGN stage+;
modelDecl: (MODEL | LEARNER) name parameters ARROW type ASSIGN name arguments;

connector: name arguments (BRACE_OPEN (namedExprs COMMA?)? BRACE_CLOSE)?;
sourceDecl: SOURCE name (WAS name)? COLON type ASSIGN connector sourceClauses?;
sourceClauses: sourceClause (COMMA? sourceClause)*;
sourceClause
  : TIME expr | LATENESS expr | IDLE expr | AHEAD expr | ON FULL name | CHECK COLON name | ELSE connector AFTER expr
  ;
tableDecl
  : TABLE name (WAS name)? (COLON type)? (KEY path (COMMA path)*)? (TTL (NONE | expr) | VERSIONED expr)*
    ASSIGN (connector sourceClauses? | pipeline)
  ;
streamDecl: STREAM name (WAS name)? ASSIGN pipeline;
routeDecl: ROUTE ALL? path BRACE_OPEN routeBranch (COMMA routeBranch)* COMMA? BRACE_CLOSE;
routeBranch: (ELSE | expr) ARROW name (WAS name)?;
emitDecl: EMIT path TO connector (AS name (WAS name)?)?;
migrateDecl: MIGRATE path BRACE_OPEN (migrateItem (COMMA migrateItem)* COMMA?)? BRACE_CLOSE;
migrateItem: name (COLON type)? ASSIGN expr;

// `guard errors of spend < 0.5% in 1000 records`
guardDecl: GUARD name (OF path)? LESS NUMBER PERCENT (IN NUMBER name)?;

// ---- tests

testDecl: TEST text BRACE_OPEN testStep* BRACE_CLOSE;
testStep: givenStep | atStep | endStep | expectStep | swapStep | undoStep;
givenStep: GIVEN name (list | TEXT_WORD text | FROM text (FIRST NUMBER | REST)?);
atStep: AT expr;
endStep: END;
undoStep: UNDO;
expectStep
  : EXPECT PLAN BRACE_OPEN (verdict (COMMA verdict)* COMMA?)? BRACE_CLOSE
  | EXPECT REFUSED refusedCode
  | EXPECT UNCHANGED
  | EXPECT path expectMode? (list | FROM text) expectMode?
  ;
expectMode: IN ORDER | EXACTLY;
refusedCode: ID | text;
verdict: text COLON name;
swapStep
  : SWAP swapAccept? (TO text | BRACE_OPEN (declaration | WITHOUT name)* BRACE_CLOSE) swapAccept? (EXPECT REFUSED refusedCode)?
  ;
swapAccept: ACCEPT consent (COMMA consent)*;
consent: name COLON? text;
