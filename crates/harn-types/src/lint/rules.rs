//! The table of lint rules (spec 03 section 14): names, what they find and why, and two programs for each.

/// A row of the table of rules.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, as printed in `lint[name]` and written in `harn.toml`.
    pub name: &'static str,
    /// Whether `harn lint --fix` can rewrite it.
    pub fixes: bool,
    /// What it finds and why that matters.
    pub explanation: &'static str,
    /// A program in which it finds something.
    pub wrong: &'static str,
    /// One in which it does not.
    pub right: &'static str,
}

macro_rules! rules {
    ($($constant:ident $name:literal $fixes:literal { $explanation:literal wrong $wrong:literal right $right:literal })*) => {
        $(pub(super) const $constant: &str = $name;)*

        /// Every rule.
        pub const RULES: &[Rule] = &[$(
            Rule { name: $name, fixes: $fixes, explanation: $explanation, wrong: $wrong, right: $right }
        ),*];
    };
}

rules! {
    UNUSED_VARIABLE "unused-variable" true {
        "A variable that nothing reads is a leftover or a typing error. A name that begins with `_` says that it is meant."
        wrong "fn f() {\n  let total = 1\n  return 2\n}\n"
        right "fn f() {\n  let total = 1\n  return total\n}\n"
    }
    UNUSED_PATTERN_BINDING "unused-pattern-binding" false {
        "A name bound by destructuring that nothing reads."
        wrong "fn f(d) {\n  let {a, b} = d\n  return a\n}\n"
        right "fn f(d) {\n  let {a} = d\n  return a\n}\n"
    }
    UNUSED_PARAMETER "unused-parameter" false {
        "A parameter that the body does not read. Begin its name with `_` when callers dictate the signature."
        wrong "fn f(a, b) {\n  return a\n}\n"
        right "fn f(a, _b) {\n  return a\n}\n"
    }
    UNUSED_IMPORT "unused-import" true {
        "An imported name that the file does not mention."
        wrong "import { upper } from \"std/text\"\n\nprintln(1)\n"
        right "println(1)\n"
    }
    UNUSED_FUNCTION "unused-function" false {
        "A function, tool, skill or eval pack that is neither public nor mentioned."
        wrong "fn f() {\n  return 1\n}\n\nprintln(2)\n"
        right "fn f() {\n  return 1\n}\n\nprintln(f())\n"
    }
    UNUSED_TYPE "unused-type" false {
        "A struct, enum or interface that is never named."
        wrong "struct Point {\n  x: int\n}\n\nprintln(1)\n"
        right "struct Point {\n  x: int\n}\n\nprintln(Point {x: 1})\n"
    }
    NEVER_REASSIGNED "mutable-never-reassigned" true {
        "A `var` that never changes reads better as `let`."
        wrong "var n = 1\nprintln(n)\n"
        right "let n = 1\nprintln(n)\n"
    }
    SHADOW "shadow-variable" false {
        "A second immutable declaration in one scope stops the run; a name that hides one further out misleads the reader."
        wrong "let n = 1\nfor n in [2] {\n  println(n)\n}\nprintln(n)\n"
        right "let n = 1\nfor m in [2] {\n  println(m)\n}\nprintln(n)\n"
    }
    UNDEFINED_FUNCTION "undefined-function" false {
        "A call of a name that nothing defines."
        wrong "printn(1)\n"
        right "println(1)\n"
    }
    DEAD_CODE "dead-code-after-return" false {
        "Statements behind one that surely leaves the block never run. Also known as `unreachable-code`."
        wrong "fn f() {\n  return 1\n  println(\"never\")\n}\n"
        right "fn f() {\n  println(\"first\")\n  return 1\n}\n"
    }
    BREAK_OUTSIDE "break-outside-loop" false {
        "`break` and `continue` belong into `for` and `while` of the same function."
        wrong "fn f() {\n  break\n}\n"
        right "fn f() {\n  while true {\n    break\n  }\n}\n"
    }
    COMPARISON_TO_BOOL "comparison-to-bool" true {
        "Comparing a truth value with `true` or `false` says nothing more than the value itself."
        wrong "fn f(done: bool) {\n  return done == true ? 1 : 2\n}\n"
        right "fn f(done: bool) {\n  return done ? 1 : 2\n}\n"
    }
    POINTLESS_COMPARISON "pointless-comparison" true {
        "A comparison of an expression with itself, or a condition that is a constant."
        wrong "fn f(x) {\n  return x == x\n}\n"
        right "fn f(x, y) {\n  return x == y\n}\n"
    }
    BINARY_LITERAL "invalid-binary-op-literal" true {
        "Arithmetic with `true`, `false` or `nil` raises when it runs."
        wrong "println(\"ready: \" + true)\n"
        right "println(\"ready: ${true}\")\n"
    }
    NIL_TERNARY "redundant-nil-ternary" true {
        "`x ?? d` says what a ternary on `x == nil` says."
        wrong "fn f(x) {\n  return x == nil ? 0 : x\n}\n"
        right "fn f(x) {\n  return x ?? 0\n}\n"
    }
    LET_THEN_RETURN "let-then-return" true {
        "A name for a value that is returned at once."
        wrong "fn f(x) {\n  let y = x + 1\n  return y\n}\n"
        right "fn f(x) {\n  return x + 1\n}\n"
    }
    ELSE_RETURN "unnecessary-else-return" true {
        "When both branches return, the else only adds indentation."
        wrong "fn f(x) {\n  if x > 0 {\n    return 1\n  } else {\n    return 2\n  }\n}\n"
        right "fn f(x) {\n  if x > 0 {\n    return 1\n  }\n  return 2\n}\n"
    }
    EMPTY_BLOCK "empty-block" true {
        "An empty body is a leftover or hides an error."
        wrong "fn f(x) {\n  if x {\n  }\n}\n"
        right "fn f(x) {\n  if x {\n    println(x)\n  }\n}\n"
    }
    DUPLICATE_ARM "duplicate-match-arm" false {
        "Of two equal arms the second never runs."
        wrong "fn f(x) {\n  match x {\n    1 -> { println(\"a\") }\n    1 -> { println(\"b\") }\n    _ -> { println(\"c\") }\n  }\n}\n"
        right "fn f(x) {\n  match x {\n    1 -> { println(\"a\") }\n    2 -> { println(\"b\") }\n    _ -> { println(\"c\") }\n  }\n}\n"
    }
    UNNECESSARY_CAST "unnecessary-cast" true {
        "A conversion of a value that already has the type."
        wrong "println(to_string(\"a\"))\n"
        right "println(\"a\")\n"
    }
    REDUNDANT_CLONE "redundant-clone" true {
        "Values are copied by assignment and passing anyway."
        wrong "fn f(items) {\n  println(items.clone())\n}\n"
        right "fn f(items) {\n  println(items)\n}\n"
    }
    EAGER_COLLECTION "eager-collection-conversion" true {
        "A lazy iterator where a collection is declared."
        wrong "let evens: list = iter([1, 2]).filter({ n -> n % 2 == 0 })\nprintln(evens)\n"
        right "let evens: list = iter([1, 2]).filter({ n -> n % 2 == 0 }).to_list()\nprintln(evens)\n"
    }
    NAMING "naming-convention" false {
        "Functions and tools are snake_case, types are PascalCase."
        wrong "pub fn readFile() {\n  return 1\n}\n"
        right "pub fn read_all() {\n  return 1\n}\n"
    }
    COMPLEXITY "cyclomatic-complexity" false {
        "A function with so many branches is hard to test and to read. `@complexity(allow)` on the declaration turns the rule off."
        wrong "fn f(n) {\n  let a = n == 1 || n == 2 || n == 3 || n == 4 || n == 5 || n == 6 || n == 7 || n == 8 || n == 9\n  let b = n > 1 && n > 2 && n > 3 && n > 4 && n > 5 && n > 6 && n > 7 && n > 8 && n > 9\n  let c = n < 1 || n < 2 || n < 3 || n < 4 || n < 5 || n < 6 || n < 7 || n < 8 || n < 9 || n < 10\n  return [a, b, c]\n}\n"
        right "fn f(n) {\n  return [1 to 9, 10 to 19].map({ range -> range.contains(n) })\n}\n"
    }
    MISSING_DOC "missing-harndoc" false {
        "Public functions carry a `/** */` comment: it is what `harn doc` and editors show."
        wrong "pub fn area(r) {\n  return r * r\n}\n"
        right "/** The area of a square. */\npub fn area(r) {\n  return r * r\n}\n"
    }
    LEGACY_DOC "legacy-doc-comment" true {
        "Documentation is written in `/** */` blocks."
        wrong "/// The area of a square.\npub fn area(r) {\n  return r * r\n}\n"
        right "/** The area of a square. */\npub fn area(r) {\n  return r * r\n}\n"
    }
    BLANK_LINE "blank-line-between-items" true {
        "A blank line sets top-level items apart."
        wrong "fn a() {\n  return 1\n}\nfn b() {\n  return a()\n}\n"
        right "fn a() {\n  return 1\n}\n\nfn b() {\n  return a()\n}\n"
    }
    TRAILING_COMMA "trailing-comma" true {
        "A comma after the last of several lines keeps later changes to one line."
        wrong "let d = {\n  a: 1,\n  b: 2\n}\nprintln(d)\n"
        right "let d = {\n  a: 1,\n  b: 2,\n}\nprintln(d)\n"
    }
    IMPORT_ORDER "import-order" true {
        "Imports in one order: std first, then by path."
        wrong "import \"std/text\"\nimport \"std/math\"\n"
        right "import \"std/math\"\nimport \"std/text\"\n"
    }
    FILE_HEADER "require-file-header" true {
        "Off unless `[lint] require_file_header = true`: a file begins with a `/** */` comment."
        wrong "println(1)\n"
        right "/** Prints one. */\n\nprintln(1)\n"
    }
    UNKNOWN_ESCAPE "unknown-escape" true {
        "In a text the escapes are `\\n`, `\\t`, `\\\\`, `\\\"` and `\\$`; before any other character the backslash stays in the text. Written double it says so; a raw text `r\"...\"` has no escapes."
        wrong "println(\"50\\%\")\n"
        right "println(\"50%\")\n"
    }
    ASSERT_OUTSIDE "assert-outside-test" false {
        "Assertions are for tests; `require` states conditions of programs."
        wrong "fn f(n) {\n  assert(n > 0)\n  return n\n}\n"
        right "fn f(n) {\n  require n > 0, \"n must be positive\"\n  return n\n}\n"
    }
    REQUIRE_IN_TEST "require-in-test" false {
        "Tests assert, which reports better."
        wrong "pipeline test_sum(task) {\n  require 1 + 1 == 2, \"sum\"\n}\n"
        right "pipeline test_sum(task) {\n  assert_eq(1 + 1, 2)\n}\n"
    }
    PIPELINE_RETURN "pipeline-return-type" false {
        "Public pipelines say what they return."
        wrong "pub pipeline report(task) {\n  return task\n}\n"
        right "pub pipeline report(task) -> any {\n  return task\n}\n"
    }
    UNTYPED_ACCESS "untyped-dict-access" false {
        "A part of a value from outside that was not validated."
        wrong "println(json_parse(\"{}\").name)\n"
        right "let parsed: {name?: string} = json_parse(\"{}\")\nprintln(parsed.name)\n"
    }
    PROMPT_INJECTION "prompt-injection-risk" false {
        "Data interpolated into a system prompt can carry instructions."
        wrong "fn f(user) {\n  return llm_call(\"Hello\", \"You help ${user}.\")\n}\n"
        right "fn f(user) {\n  return llm_call(\"Hello from ${user}\", \"You help people.\")\n}\n"
    }
    APPROVAL_RESULT "unhandled-approval-result" false {
        "An approval whose result nobody looks at approves nothing."
        wrong "request_approval(\"Delete it?\")\n"
        right "let answer = request_approval(\"Delete it?\")\nprintln(answer.approved)\n"
    }
    SUPPRESSION "bare-suppression" false {
        "`// harn-lint: allow(rule): why` silences a rule on its own line and on the next one. Without a reason, or with a name that is no rule, it silences nothing."
        wrong "fn f() {\n  // harn-lint: allow(unused-variable)\n  let total = 1\n  return 2\n}\n"
        right "fn f() {\n  // harn-lint: allow(unused-variable): read in a debugger\n  let total = 1\n  return 2\n}\n"
    }
}
