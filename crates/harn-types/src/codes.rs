//! The codes of type diagnostics: the one place where a code gets its title, its explanation and two programs.
//!
//! A code is permanent. Ranges: `HARN0001..` belong to `harn-syntax`, `HARN1001..` to the checker; lint rules are
//! known by their names.

use harn_syntax::codes::Code;

macro_rules! codes {
    ($($name:ident $code:literal $title:literal { $explanation:literal wrong $wrong:literal right $right:literal })*) => {
        $(#[doc = $title] pub const $name: &str = $code;)*

        /// Every code of the checker, in order.
        pub const TABLE: &[Code] = &[
            $(Code { code: $code, title: $title, explanation: $explanation, wrong: $wrong, right: $right },)*
        ];
    };
}

/// The row of a code, of the checker or of the syntax.
pub fn lookup(code: &str) -> Option<&'static Code> {
    TABLE.iter().find(|row| row.code.eq_ignore_ascii_case(code)).or_else(|| harn_syntax::codes::lookup(code))
}

codes! {
    DECLARED_AS "HARN1001" "value does not fit the declared type" {
        "A `let` or `var` with an annotation must be given a value of that type. `list` and `dict` types are invariant: a `list<int>` variable is no `list<float>`, though a literal may be one."
        wrong "fn f() {\n  let n: int = \"three\"\n}\n"
        right "fn f() {\n  let n: int = 3\n}\n"
    }
    CANNOT_ASSIGN "HARN1002" "assigned value does not fit the variable" {
        "A variable keeps the type of its annotation or of its first value. `var x = nil` takes the type of the first other value it gets, or nil."
        wrong "fn f() {\n  var n: int = 1\n  n = \"two\"\n}\n"
        right "fn f() {\n  var n: int | string = 1\n  n = \"two\"\n}\n"
    }
    IMMUTABLE "HARN1003" "assignment to an immutable name" {
        "Names bound by `let`, parameters, functions and caught errors cannot be assigned; the run stops there. Declare the variable with `var`."
        wrong "let fixed = 1\nfixed = 2\n"
        right "var fixed = 1\nfixed = 2\n"
    }
    RETURN_TYPE "HARN1004" "returned value does not fit the result type" {
        "Every `return` of a function with `-> T` must give a value of type T."
        wrong "fn flag() -> bool { return \"no\" }\n"
        right "fn flag() -> bool { return false }\n"
    }
    ARGUMENT_COUNT "HARN1005" "wrong number of arguments" {
        "Missing arguments are nil when the program runs, surplus ones are ignored. Give a parameter a default when it may be left out."
        wrong "fn greet(name) { return name }\nprintln(greet())\n"
        right "fn greet(name = \"you\") { return name }\nprintln(greet())\n"
    }
    ARGUMENT_TYPE "HARN1006" "argument does not fit the parameter" {
        "An argument must have the type its parameter declares."
        wrong "fn area(w: int, h: int) -> int { return w * h }\nprintln(area(3, \"4\"))\n"
        right "fn area(w: int, h: int) -> int { return w * h }\nprintln(area(3, 4))\n"
    }
    TYPE_ARGUMENTS "HARN1007" "wrong type arguments" {
        "`f<int>(x)` is possible for functions that declare type parameters, with as many arguments as they declare."
        wrong "fn plain(x) { return x }\nprintln(plain<int>(1))\n"
        right "fn plain<T>(x: T) -> T { return x }\nprintln(plain<int>(1))\n"
    }
    BOTH "HARN1008" "a type parameter would be two types" {
        "All arguments whose parameters mention one type parameter must agree on it."
        wrong "fn same<T>(a: T, b: T) -> bool { return a == b }\nprintln(same(1, \"one\"))\n"
        right "fn same<A, B>(a: A, b: B) -> bool { return a == b }\nprintln(same(1, \"one\"))\n"
    }
    UNSATISFIED "HARN1009" "type does not satisfy an interface" {
        "A type satisfies an interface when its impl blocks have every method of it, with as many parameters and fitting types. Nothing needs to be declared."
        wrong "interface Shape { fn area(self) -> int }\nstruct Blob { s: int }\nfn measure<T>(x: T) -> int where T: Shape { return x.area() }\nprintln(measure(Blob { s: 3 }))\n"
        right "interface Shape { fn area(self) -> int }\nstruct Blob { s: int }\nimpl Blob { fn area(self) -> int { return self.s } }\nfn measure<T>(x: T) -> int where T: Shape { return x.area() }\nprintln(measure(Blob { s: 3 }))\n"
    }
    BOUND_METHOD "HARN1010" "the bound has no such method" {
        "Of a value whose type parameter is bounded, only the methods of the bound are known."
        wrong "interface Shape { fn area(self) -> int }\nfn m<T>(x: T) -> int where T: Shape { return x.perimeter() }\n"
        right "interface Shape { fn area(self) -> int }\nfn m<T>(x: T) -> int where T: Shape { return x.area() }\n"
    }
    UNKNOWN_CALL "HARN1011" "call of a name that nothing defines" {
        "The called name is no builtin, no function or variable of the file and no imported name."
        wrong "fn compute(n) { return n }\nprintln(compite(3))\n"
        right "fn compute(n) { return n }\nprintln(compute(3))\n"
    }
    UNDEFINED_VARIABLE "HARN1012" "name that nothing defines" {
        "Reading an undefined variable stops the run."
        wrong "let distance = 3\nprintln(distanse)\n"
        right "let distance = 3\nprintln(distance)\n"
    }
    DEPRECATED "HARN1013" "call of a deprecated function" {
        "The function is marked `@deprecated`; its author names what to use instead."
        wrong "@deprecated(use: \"fresh\")\nfn stale() { return 1 }\nfn fresh() { return 2 }\nprintln(stale())\n"
        right "fn fresh() { return 2 }\nprintln(fresh())\n"
    }
    CANNOT_ADD "HARN1014" "`+` on types that do not add up" {
        "`+` takes two numbers, two strings, two lists or two dicts. Put other values into a text by interpolation."
        wrong "fn f(s: string, n: int) { return s + n }\n"
        right "fn f(s: string, n: int) { return \"${s}${n}\" }\n"
    }
    CANNOT_MULTIPLY "HARN1015" "`*` on types that do not multiply" {
        "`*` takes two numbers, or a string and an int, which repeats the string."
        wrong "fn f(s: string) { return s * s }\n"
        right "fn f(s: string) { return s * 2 }\n"
    }
    NEEDS_NUMBERS "HARN1016" "arithmetic on something else than numbers" {
        "`-`, `/`, `%` and `**` take numbers."
        wrong "fn f(n: int, b: bool) { return n / b }\n"
        right "fn f(n: int, b: int) { return n / b }\n"
    }
    ODD_COMPARISON "HARN1017" "comparison that says little" {
        "`<`, `>`, `<=` and `>=` order numbers with numbers and strings with strings."
        wrong "fn f(s: string, n: int) { return s < n }\n"
        right "fn f(s: string, n: int) { return len(s) < n }\n"
    }
    STRUCT_FIELDS "HARN1018" "fields of a struct literal" {
        "A struct literal gives every field that is not optional, and no other: an unset field reads nil, an undeclared one is dropped."
        wrong "struct Point { x: int, y: int }\nprintln(Point { x: 1, z: 3 })\n"
        right "struct Point { x: int, y: int }\nprintln(Point { x: 1, y: 3 })\n"
    }
    STRUCT_FIELD_TYPE "HARN1019" "field value does not fit the struct" {
        "The value of a field must have the type the struct declares."
        wrong "struct Point { x: int }\nprintln(Point { x: \"1\" })\n"
        right "struct Point { x: int }\nprintln(Point { x: 1 })\n"
    }
    UNKNOWN_STRUCT "HARN1020" "struct that nothing declares" {
        "`Name { ... }` builds a struct that the file declares or imports."
        wrong "struct Point { x: int }\nprintln(Pont { x: 1 })\n"
        right "struct Point { x: int }\nprintln(Point { x: 1 })\n"
    }
    ENUM_VALUE "HARN1021" "enum value that the enum does not have" {
        "A variant must be declared, and takes as many values, of such types, as its declaration says."
        wrong "enum Light { Red, Green }\nprintln(Light.Blue)\n"
        right "enum Light { Red, Green, Blue }\nprintln(Light.Blue)\n"
    }
    PATTERN_TYPE "HARN1022" "pattern that can never match" {
        "The literal has another type than the matched value."
        wrong "fn f(v: int) {\n  match v {\n    \"one\" -> { println(1) }\n    _ -> { println(2) }\n  }\n}\n"
        right "fn f(v: int) {\n  match v {\n    1 -> { println(1) }\n    _ -> { println(2) }\n  }\n}\n"
    }
    OR_PATTERN "HARN1023" "alternative that is no literal" {
        "The alternatives of `p | q` are literals or `_`: a name would be bound in one of them only."
        wrong "fn f(v) {\n  match v {\n    1 | other -> { println(1) }\n    _ -> { println(2) }\n  }\n}\n"
        right "fn f(v) {\n  match v {\n    1 | 2 -> { println(1) }\n    _ -> { println(2) }\n  }\n}\n"
    }
    NOT_EXHAUSTIVE "HARN1024" "match that misses cases" {
        "A match on an enum, on a tagged union or on a union of literals or names has an arm for each member, or a `_` arm. An arm with a guard covers nothing for sure."
        wrong "enum Light { Red, Green }\nfn go(l: Light) {\n  match l {\n    Light.Red -> { println(\"stop\") }\n  }\n}\n"
        right "enum Light { Red, Green }\nfn go(l: Light) {\n  match l {\n    Light.Red -> { println(\"stop\") }\n    Light.Green -> { println(\"go\") }\n  }\n}\n"
    }
    NOT_UNREACHABLE "HARN1025" "unreachable() with something left" {
        "`unreachable(x)` states that every case of `x` was handled; a type is left over."
        wrong "fn f(v: int | string) {\n  if type_of(v) == \"int\" { return 1 }\n  unreachable(v)\n}\n"
        right "fn f(v: int | string) {\n  if type_of(v) == \"int\" { return 1 }\n  if type_of(v) == \"string\" { return 2 }\n  unreachable(v)\n}\n"
    }
    HALF_NARROWED "HARN1026" "`unknown` value looked at only partly" {
        "Some types of the value were handled before this point, others would end here. Handle them, or none."
        wrong "fn f(v: unknown) {\n  if type_of(v) == \"string\" { return v }\n  throw \"unsupported\"\n}\n"
        right "fn f(v: string | int) {\n  if type_of(v) == \"string\" { return v }\n  return to_string(v)\n}\n"
    }
    UNREACHABLE "HARN1027" "unreachable code" {
        "The statement before surely leaves the block."
        wrong "fn f() {\n  return 1\n  println(\"dead\")\n}\n"
        right "fn f() {\n  println(\"alive\")\n  return 1\n}\n"
    }
    TRY_STAR "HARN1028" "`try*` outside functions" {
        "`try* e` throws the error out of the enclosing function, so there must be one."
        wrong "fn risky() { return Ok(1) }\nlet v = try* risky()\n"
        right "fn risky() { return Ok(1) }\nfn run() { return try* risky() }\n"
    }
    EMIT_OUTSIDE "HARN1029" "`emit` outside `gen fn`" {
        "`emit` gives the next value of the stream that a `gen fn` is. A plain function yields."
        wrong "fn nums() { emit 3 }\n"
        right "gen fn nums() -> Stream<int> { emit 3 }\n"
    }
    EMIT_TYPE "HARN1030" "emitted value does not fit the stream" {
        "A `gen fn` with `-> Stream<T>` emits values of type T."
        wrong "gen fn nums() -> Stream<int> { emit \"two\" }\n"
        right "gen fn nums() -> Stream<int> { emit 2 }\n"
    }
    YIELD_IN_GEN "HARN1031" "`yield` in `gen fn`" {
        "A `gen fn` emits; `yield` belongs to plain functions, which become generators."
        wrong "gen fn nums() { yield 1 }\n"
        right "gen fn nums() { emit 1 }\n"
    }
    GEN_RESULT "HARN1032" "`gen fn` that returns no stream" {
        "Calling a `gen fn` gives a stream, so its result type is `Stream<T>`."
        wrong "gen fn nums() -> list<int> { emit 1 }\n"
        right "gen fn nums() -> Stream<int> { emit 1 }\n"
    }
    MAX_CONCURRENT "HARN1033" "`max_concurrent` that is no int" {
        "`max_concurrent` says how many of the bodies run at a time."
        wrong "fn f(xs) { return parallel each xs with { max_concurrent: \"two\" } { x -> x } }\n"
        right "fn f(xs) { return parallel each xs with { max_concurrent: 2 } { x -> x } }\n"
    }
    VARIANCE "HARN1034" "type parameter in the wrong position" {
        "`out T` may stand where values come out (results), `in T` where they go in (parameters). Fields of structs and arguments of list and dict are both."
        wrong "type Sink<out T> = fn(T) -> nil\n"
        right "type Sink<in T> = fn(T) -> nil\n"
    }
    SELF_ALIAS "HARN1035" "alias of itself" {
        "The alias names nothing but itself. A recursive type needs a shape, a list or the like around the recursion."
        wrong "type A = A\n"
        right "type A = {next: A | nil}\n"
    }
    UNKNOWN_ATTRIBUTE "HARN1036" "unknown attribute" {
        "The language knows `@deprecated`, `@test`, `@complexity`, `@acp_tool`, `@acp_skill`, `@invariant` and the markers of Flow predicates."
        wrong "@shiny\nfn f() { return 1 }\n"
        right "@deprecated\nfn f() { return 1 }\n"
    }
    ATTRIBUTE_TARGET "HARN1037" "attribute on the wrong declaration" {
        "The attribute means something on other declarations only."
        wrong "@test\nfn check_sum() { return 1 }\n"
        right "@test\npipeline test_sum() { assert_eq(1 + 1, 2) }\n"
    }
    FLOW_ATTRIBUTE "HARN1038" "attributes of a Flow predicate" {
        "A Flow predicate is marked `@invariant`, has one mode and carries its provenance in `@archivist(...)`."
        wrong "@invariant\n@archivist(evidence: [\"e\"], confidence: 0.9)\nfn p() { return true }\n"
        right "@invariant\n@deterministic\n@archivist(evidence: [\"e\"], confidence: 0.9)\nfn p() { return true }\n"
    }
    REDECLARED "HARN1039" "immutable name declared twice" {
        "Two `let`s (or a parameter or function and a `let`) of one name in one scope stop the run. Use `var`, another name, or an inner scope."
        wrong "fn f(a) {\n  let a = 1\n  return a\n}\n"
        right "fn f(a) {\n  let b = 1\n  return a + b\n}\n"
    }
    MISSING_RETURN "HARN1040" "function that may end without its value" {
        "Only `return` gives a named function's value; at the end of the body it returns nil, which the result type does not admit."
        wrong "fn f(n: int) -> int {\n  if n > 0 { return n }\n}\n"
        right "fn f(n: int) -> int {\n  if n > 0 { return n }\n  return 0\n}\n"
    }
    BREAK_OUTSIDE "HARN1041" "break outside of loop" {
        "`break` leaves the nearest `for` or `while` of the same function or closure."
        wrong "fn f() {\n  break\n}\n"
        right "fn f() {\n  while true { break }\n}\n"
    }
    CONTINUE_OUTSIDE "HARN1042" "continue outside of loop" {
        "`continue` goes on with the nearest `for` or `while` of the same function or closure."
        wrong "fn f() {\n  continue\n}\n"
        right "fn f() {\n  for x in [1] { continue }\n}\n"
    }
    UNVALIDATED "HARN1043" "part of an unvalidated value from outside" {
        "With `[check] strict_types = true`, values from models, the network, hosts and parsers are validated before their properties and elements are used."
        wrong "let user = json_parse(\"{}\")\nprintln(user.name)\n"
        right "let user = json_parse(\"{}\")\nlet known: {name: string} = schema_expect(user, {type: \"dict\"})\nprintln(known.name)\n"
    }
    DROPPED_VALUE "HARN1044" "compound assignment that stores nothing" {
        "`*=`, `/=` and `%=` on an element, named by an int literal, of a list that is a field compute the value and drop it: existing programs rely on it. `+=`, `-=` and a plain `=` store."
        wrong "var d = {xs: [1, 2]}\nd.xs[1] *= 10\n"
        right "var d = {xs: [1, 2]}\nd.xs[1] = d.xs[1] * 10\n"
    }
    FIRST_ARGUMENT "HARN1045" "rest parameter that takes the first argument alone" {
        "A closure in braces whose only parameter is a rest parameter is given its first argument, not the list of all: existing programs rely on it. `fn(...xs) { }` and `{ first, ...others -> }` collect."
        wrong "let count = { ...xs -> len(xs) }\nprintln(count(1, 2, 3))\n"
        right "let count = fn(...xs) { len(xs) }\nprintln(count(1, 2, 3))\n"
    }
    UNKNOWN_OPTION "HARN1046" "misspelt option" {
        "A key of an option dict that the builtin does not know is not looked at, so the option has no effect."
        wrong "llm_call(\"hi\", nil, {provider: \"mock\", max_token: 10})\n"
        right "llm_call(\"hi\", nil, {provider: \"mock\", max_tokens: 10})\n"
    }
    UNKNOWN_METHOD "HARN1047" "misspelt method" {
        "Calling a method that a list or text does not have gives nil."
        wrong "println([3].revers())\n"
        right "println([3].reverse())\n"
    }
    UNKNOWN_FIELD "HARN1048" "field that the struct does not have" {
        "Reading a field that the struct does not declare gives nil, whatever the value was built with."
        wrong "struct Point { x: int }\nlet p = Point { x: 1 }\nprintln(p.y)\n"
        right "struct Point { x: int }\nlet p = Point { x: 1 }\nprintln(p.x)\n"
    }
}
