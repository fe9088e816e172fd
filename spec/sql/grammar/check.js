// Reads SQL with parsers that are not ours: node check.js FOLDER FILE MEMORY. FOLDER holds node_modules (tools/install.sh test puts it
// at build/grammar), and what passed before under the name MEMORY; FILE has a line "mssql|oracle TAB statement" each. Writes a line "number TAB why" for each that is refused, and
// "gap TAB pattern" for a gap below that no statement needed.
//
// The judge is the ANTLR grammar of each database. It is of 2020 and has gaps: what it does not know is taken out of the statement,
// the rest must pass the grammar, and the whole must pass a second parser, which knows more and is less strict.
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");

const [folder, file] = process.argv.slice(2, 4).map((name) => path.resolve(name));
const from = createRequire(path.join(folder, "package.json"));
const { antlr4tsSQL } = from("antlr4ts-sql/dist/src/antlr4tsSQL.js");
const { SQLDialect } = from("antlr4ts-sql/dist/src/models/SQLDialect.js");
const { PredictionMode } = from("antlr4ts/atn/PredictionMode");
const second = from("@polyglot-sql/sdk");

// What the grammars do not know: a pattern, what stands in its place, since when the database has it, and whether the second
// parser does not know it either.
const neither = true;
const gaps = {
  mssql: [
    [/(<<|>>)/g, "+", "shifts: 2022"],
    [/NEXT VALUE FOR (?:\w+\.)?\w+/g, "1", "sequences in expressions: 2012"],
    [/INCREMENT BY (\S+) START WITH (\S+)/, "START WITH $2 INCREMENT BY $1", "the parts of a sequence in any order: 2012"],
    [/(INCREMENT BY|START WITH|MINVALUE|MAXVALUE) -/g, "$1 ", "negative numbers of a sequence: 2012"],
    [/ (CACHE \d+) ((?:NO )?CYCLE)/, " $2 $1", "the parts of a sequence in any order: 2012"],
    [/ FILESTREAM\b/g, "", "2008", neither],
    [/ NONCLUSTERED COLUMNSTORE INDEX /g, " INDEX ", "2012"],
    [/approx_percentile_(\w+\([^()]*\)) WITHIN GROUP \([^()]*\)/g, "percentile_$1", "2022"],
    [/\.raw\b/g, ".rough", "RAW is a word behind FOR XML alone: always"],
    [/ TABLESAMPLE \w+\([^()]*\)(?: REPEATABLE \([^()]*\))?/g, "", "TABLESAMPLE behind an alias: 2005"],
    [/GROUPING SETS\(\(([^()]*)\)(?:, \([^()]*\))*\)/g, "$1", "GROUPING SETS: 2008"],
    [/^\((SELECT [^()]*)\) (UNION|EXCEPT|INTERSECT)/, "$1 $2", "parentheses round the first member of a set: always"],
    [/CREATE OR ALTER VIEW/, "CREATE VIEW", "2016"],
    [/ DEFAULT \(1 \+ 1\)/g, " DEFAULT 1", "a sum as a default: always"],
  ],
  oracle: [
    [/ DEFAULT NULL ON CONVERSION ERROR\)/g, ")", "12.2"],
    [/(INCREMENT BY|START WITH|MINVALUE|MAXVALUE) -/g, "$1 ", "negative numbers of a sequence: always"],
    [/ COMPRESS FOR \w+/g, "", "11.2", neither],
    [/ FORMAT JSON\b/g, "", "12.1", neither],
    [/ RETURNING \w+(?: \w+)?(?:\([^()]*\))? ERROR ON ERROR\)/g, ")", "clauses of JSON_VALUE: 12.1"],
    [/ IS (NOT )?(?:true|false)\b/gi, " IS $1NULL", "booleans: 23"],
    [/ ON true\b/gi, " ON 1 = 1", "booleans: 23"],
    [/ (?:INTERSECT|EXCEPT|MINUS) ALL /g, " MINUS ", "21"],
    [/ IF EXISTS /g, " ", "23"],
    [/ GENERATED (?:ALWAYS|BY DEFAULT)(?: ON NULL)? AS IDENTITY(?: \([^()]*\))?/g, "", "identity columns: 12.1"],
    [/ GENERATED ALWAYS AS \([^()]*\)(?: VIRTUAL)?/g, "", "a computed column that has a type: 11"],
    [/ (?:LEFT OUTER )?JOIN LATERAL /g, " JOIN ", "LATERAL in a join: 12.1"],
    [/\(VALUES .*?\)\) (\w+) \([^()]*\)/g, "(SELECT 1 FROM DUAL) $1", "VALUES as a table: 23"],
    [/ AS \(VALUES \([^()]*\)(?:, \([^()]*\))*\)/g, " AS (SELECT 1, 2 FROM DUAL)", "VALUES as a query: 23"],
    [/ VALUES (\([^()]*\))(?:, \([^()]*\))+/g, " VALUES $1", "several rows in VALUES: 23"],
    [/ COLLATE \w+/g, "", "COLLATE: 12.2"],
    [/ GROUPS BETWEEN /g, " ROWS BETWEEN ", "21"],
    [/ EXCLUDE (?:CURRENT ROW|GROUP|TIES|NO OTHERS)/g, "", "21"],
  ],
};

// What the grammars let through though the database does not.
const rules = {
  mssql: [
    [/(?<!ORDER BY .*)\bOFFSET \S+ ROWS/, "OFFSET without ORDER BY"],
    [/\bpercentile_(?:cont|disc)\b.*WITHIN GROUP \([^()]*\)(?! OVER)/i, "an ordered set without OVER"],
    [/\bNULLS (?:FIRST|LAST)\b/, "NULLS FIRST or LAST"],
    [/\bLATERAL\b/, "LATERAL"],
  ],
  oracle: [
    [/\bRETURNING\b(?!.*\bINTO\b)(?!.*ERROR ON ERROR)/, "RETURNING without INTO"],
    [/\bLIMIT\b/, "LIMIT"],
  ],
};

const grammars = {
  mssql: { dialect: SQLDialect.TSQL, second: "tsql", parameter: "@p", end: "" },
  oracle: { dialect: SQLDialect.PLSQL, second: "oracle", parameter: ":", end: ";" },
};

// fn on what stands outside of quotes
function outside(sql, fn) {
  return sql.split(/('(?:[^']|'')*'|"[^"]*"|\[[^\]]*\])/).map((part, index) => (index % 2 ? part : fn(part))).join("");
}

function parse(grammar, sql, mode) {
  const errors = [];
  const listener = { syntaxError: (r, symbol, line, column, message) => errors.push(`at ${column}: ${message}`) };
  const tools = new antlr4tsSQL(grammar.dialect);
  const parser = tools.getParser(tools.getTokens(sql, [listener]), [listener]);
  parser.interpreter.setPredictionMode(mode);
  tools.getParseTree(parser);
  return errors[0] && errors[0].slice(0, 160);
}

// The fast mode accepts a subset, so what it refuses is tried again.
function strict(grammar, sql) {
  return parse(grammar, sql + grammar.end, PredictionMode.SLL) && parse(grammar, sql + grammar.end, PredictionMode.LL);
}

function without(list, sql, used) {
  return list.reduce((text, [pattern, replacement], index) => {
    const next = text.replace(pattern, replacement);
    if (next !== text) used.push(index);
    return next;
  }, sql);
}

function check(name, sql, used) {
  const grammar = grammars[name];
  const rule = rules[name].find(([pattern]) => pattern.test(outside(sql, (part) => part)));
  if (rule) return rule[1];
  let count = 0;
  const statement = outside(sql, (part) => part.replace(/\?/g, () => grammar.parameter + ++count));
  const wrong = strict(grammar, statement);
  if (!wrong) return null;
  const rest = without(gaps[name], statement, used);
  if (rest === statement) return wrong;
  const again = strict(grammar, rest);
  if (again) return `${again} in what is left: ${rest}`;
  const known = without(gaps[name].filter((gap) => gap[3] === neither), statement, []);
  const vote = second.parse(known, grammar.second);
  return vote.success ? null : `a gap that the second parser does not know either: ${vote.error}`;
}

// Statements that passed before, under this very file: a grammar takes some 40 ms each.
const self = fs.readFileSync(__filename);
const memory = path.join(folder, `accepted.${process.argv[4]}.json`);
const accepted = {};
let before = {};
try {
  before = JSON.parse(fs.readFileSync(memory));
} catch {
  // none yet
}

async function main() {
  if (second.init) await second.init();
  const needed = { mssql: new Set(), oracle: new Set() };
  const lines = fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
  lines.forEach((line, number) => {
    const [, name, sql] = line.match(/^(\w+)\t(.*)$/);
    const key = crypto.createHash("sha256").update(self).update(line).digest("base64");
    const used = before[key] || [];
    const wrong = before[key] ? null : check(name, sql, used);
    if (wrong) console.log(`${number + 1}\t${wrong.replace(/\s+/g, " ")}`);
    else accepted[key] = used;
    used.forEach((index) => needed[name].add(index));
  });
  for (const name in gaps) {
    gaps[name].forEach(([pattern], index) => needed[name].has(index) || console.log(`gap\t${name} ${pattern}`));
  }
  if (Object.keys(accepted).length === 0) return;
  fs.writeFileSync(`${memory}.new`, JSON.stringify(accepted));
  fs.renameSync(`${memory}.new`, memory);
}

main().catch((failure) => {
  console.error(failure);
  process.exit(1);
});
