// The grammar of Harn for editors (spec 01 sections 1 to 7). It is more lenient than the language: what it must not do
// is stumble over a program that runs.

const PREC = {
  pipe: 1,
  range: 2,
  ternary: 3,
  or: 4,
  and: 5,
  equal: 6,
  compare: 7,
  add: 8,
  coalesce: 9,
  multiply: 10,
  power: 11,
  unary: 12,
  postfix: 13,
};

// Items with commas between them, which a line end may stand for.
const list = ($, rule) => optional(seq(rule, repeat(seq(choice(",", $._separator), rule)), optional(choice(",", $._separator))));
const commas = (rule) => optional(seq(rule, repeat(seq(",", rule)), optional(",")));

module.exports = grammar({
  name: "harn",

  extras: ($) => [/[ \t\r\n\uFEFF]/, $.line_comment, $.block_comment, /\\\r?\n/],

  // The scanner of `src/scanner.c`: line ends that separate statements, nested comments, the texts of strings.
  externals: ($) => [
    $._separator,
    $.block_comment,
    $._string_text,
    $._triple_text,
    $._question,
    $._ternary_question,
    $._closure_start,
    $._error_sentinel,
  ],

  word: ($) => $.identifier,

  supertypes: ($) => [$._expression, $._statement, $._type],

  inline: ($) => [$._name],

  conflicts: ($) => [
    [$.parameter, $._expression],
    [$._expression, $._assignable],
    [$.type_arguments, $.binary_expression],
    [$._expression, $.generic_call],
    [$.struct_expression, $._expression],
    [$.dict_pattern, $.dict],
  ],

  rules: {
    source_file: ($) => seq(optional($.shebang), optional($._statements)),

    shebang: () => token(prec(10, /#![^\n]*/)),

    line_comment: () => token(seq("//", /[^\n]*/)),

    _statements: ($) => choice(seq(optional($._end), $._tail), $._end),
    _tail: ($) => seq($._item, repeat(seq($._end, $._item)), optional($._end)),

    _end: ($) => prec.right(repeat1(choice($._separator, ";"))),

    _item: ($) => $._statement,

    _statement: ($) =>
      choice(
        $.import_declaration,
        $.pipeline_declaration,
        $.override_declaration,
        $.function_declaration,
        $.tool_declaration,
        $.skill_declaration,
        $.eval_pack_declaration,
        $.type_declaration,
        $.enum_declaration,
        $.struct_declaration,
        $.interface_declaration,
        $.impl_declaration,
        $.let_statement,
        $.for_statement,
        $.while_statement,
        $.guard_statement,
        $.require_statement,
        $.select_statement,
        $.mutex_statement,
        $.defer_statement,
        $.return_statement,
        $.throw_statement,
        $.yield_statement,
        $.emit_statement,
        $.break_statement,
        $.continue_statement,
        $.assignment,
        $.expression_statement,
      ),

    block: ($) => seq("{", optional($._statements), "}"),

    // Declarations.

    attribute: ($) => prec.right(seq("@", field("name", $.identifier), optional($.attribute_arguments), optional($._separator))),
    attribute_arguments: ($) => seq("(", commas(seq(optional(seq($._name, ":")), $._attribute_value)), ")"),
    _attribute_value: ($) =>
      choice($.string, $.raw_string, $.integer, $.float, seq("-", choice($.integer, $.float)), $.boolean, $.nil, $._name, $.attribute_list),
    attribute_list: ($) => seq("[", commas($._attribute_value), "]"),

    import_declaration: ($) =>
      seq(
        optional("pub"),
        "import",
        optional(seq("{", list($, field("name", $._name)), "}", "from")),
        field("path", $.string),
      ),

    pipeline_declaration: ($) =>
      seq(
        repeat($.attribute),
        optional("pub"),
        "pipeline",
        field("name", $._name),
        field("parameters", $.parameters),
        optional(seq("->", field("result", $._type))),
        optional(seq("extends", field("parent", $._name))),
        field("body", $.block),
      ),

    override_declaration: ($) =>
      seq("override", field("name", $._name), field("parameters", $.parameters), field("body", $.block)),

    function_declaration: ($) =>
      seq(
        repeat($.attribute),
        optional("pub"),
        optional("gen"),
        "fn",
        field("name", $._name),
        optional($.type_parameters),
        field("parameters", $.parameters),
        optional(seq("->", field("result", $._type))),
        optional($.where_clause),
        field("body", $.block),
      ),

    where_clause: ($) => seq("where", $._bound, repeat(seq(",", $._bound))),
    _bound: ($) => seq($._type_name, ":", $._type_name),

    tool_declaration: ($) =>
      seq(
        repeat($.attribute),
        optional("pub"),
        "tool",
        field("name", $._name),
        field("parameters", $.parameters),
        optional(seq("->", field("result", $._type))),
        field("body", $.tool_body),
      ),
    tool_body: ($) =>
      choice(seq("{", optional($._end), $.description, optional(seq($._end, optional($._tail))), "}"), $.block),
    description: ($) => prec(2, seq("description", $.string)),

    skill_declaration: ($) =>
      seq(
        repeat($.attribute),
        optional("pub"),
        "skill",
        field("name", $._name),
        "{",
        optional($._end),
        repeat(seq($.skill_field, optional($._end))),
        "}",
      ),
    skill_field: ($) => seq(field("name", $._name), field("value", $._expression)),

    eval_pack_declaration: ($) =>
      seq(
        repeat($.attribute),
        optional("pub"),
        "eval_pack",
        choice(seq(field("name", $._name), optional($.string)), $.string),
        "{",
        optional($._end),
        repeat(seq(choice($.eval_field, $.summarize, $._statement), optional($._end))),
        "}",
      ),
    eval_field: ($) => prec(3, seq(field("name", $._name), ":", field("value", $._expression))),
    summarize: ($) => prec(3, seq("summarize", $.block)),

    type_declaration: ($) =>
      seq(repeat($.attribute), optional("pub"), "type", field("name", $._type_name), optional($.type_parameters), "=", field("value", $._type)),

    enum_declaration: ($) =>
      seq(repeat($.attribute), optional("pub"), "enum", field("name", $._type_name), optional($.type_parameters), "{", list($, $.variant), "}"),
    variant: ($) => seq(field("name", $._name), optional($.parameters)),

    struct_declaration: ($) =>
      seq(repeat($.attribute), optional("pub"), "struct", field("name", $._type_name), optional($.type_parameters), "{", list($, $.field_declaration), "}"),
    field_declaration: ($) => seq(field("name", $._name), optional("?"), optional(seq(":", field("type", $._type)))),

    interface_declaration: ($) =>
      seq(
        repeat($.attribute),
        optional("pub"),
        "interface",
        field("name", $._type_name),
        optional($.type_parameters),
        "{",
        repeat(choice($.associated_type, $.method_signature, $._end)),
        "}",
      ),
    associated_type: ($) => seq("type", field("name", $._type_name), optional(seq("=", $._type))),
    method_signature: ($) =>
      prec.right(seq("fn", field("name", $._name), optional($.type_parameters), field("parameters", $.parameters), optional(seq("->", field("result", $._type))))),

    impl_declaration: ($) =>
      seq(repeat($.attribute), "impl", field("name", $._type_name), "{", repeat(choice($.function_declaration, $._end)), "}"),

    type_parameters: ($) => seq("<", commas(seq(optional(choice("in", "out")), $._type_name)), ">"),

    parameters: ($) => seq("(", list($, $.parameter), ")"),
    parameter: ($) =>
      seq(
        optional("..."),
        field("name", $._name),
        optional(seq(":", field("type", $._type))),
        optional(seq("=", field("default", $._expression))),
      ),

    // Statements.

    let_statement: ($) =>
      seq(
        choice("let", "var"),
        choice(seq(field("name", $._name), optional(seq(":", field("type", $._type)))), field("pattern", $._destructuring)),
        "=",
        field("value", $._expression),
      ),

    _destructuring: ($) => choice($.dict_pattern, $.list_pattern),
    dict_pattern: ($) =>
      seq("{", list($, choice(seq($._name, optional(seq(":", $._name)), optional(seq("=", $._expression))), $.rest_pattern)), "}"),
    list_pattern: ($) =>
      seq("[", list($, choice(seq($._name, optional(seq("=", $._expression))), $.rest_pattern)), "]"),
    rest_pattern: ($) => seq("...", $._name),

    for_statement: ($) =>
      seq(
        "for",
        choice(field("name", $._name), field("pattern", $._destructuring), seq("(", $._name, ",", $._name, ")")),
        "in",
        field("iterable", $._expression),
        field("body", $.block),
      ),

    while_statement: ($) => seq("while", field("condition", $._expression), field("body", $.block)),
    guard_statement: ($) => seq("guard", field("condition", $._expression), "else", field("body", $.block)),
    require_statement: ($) => prec.right(seq("require", $._expression, optional(seq(",", $._expression)))),
    mutex_statement: ($) => seq("mutex", $.block),
    defer_statement: ($) => seq("defer", $.block),
    return_statement: ($) => prec.right(seq("return", optional($._expression))),
    throw_statement: ($) => seq("throw", $._expression),
    yield_statement: ($) => prec.right(seq("yield", optional($._expression))),
    emit_statement: ($) => seq("emit", $._expression),
    break_statement: () => "break",
    continue_statement: () => "continue",

    select_statement: ($) => seq("select", "{", repeat(choice($.select_case, $._end)), "}"),
    select_case: ($) =>
      choice(
        seq(field("name", $._name), "from", field("channel", $._expression), field("body", $.block)),
        prec(2, seq("timeout", $._expression, field("body", $.block))),
        prec(2, seq("default", field("body", $.block))),
      ),

    assignment: ($) =>
      seq(field("left", $._assignable), field("operator", choice("=", "+=", "-=", "*=", "/=", "%=")), field("right", $._expression)),
    _assignable: ($) => choice($._name, $.member_expression, $.subscript_expression),

    expression_statement: ($) => $._expression,

    // Expressions.

    _expression: ($) =>
      choice(
        $._name,
        $.type_identifier,
        $.string,
        $.raw_string,
        $.triple_string,
        $.integer,
        $.float,
        $.duration,
        $.boolean,
        $.nil,
        $.list,
        $.dict,
        $.closure,
        $.function_expression,
        $.struct_expression,
        $.parenthesized_expression,
        $.unary_expression,
        $.binary_expression,
        $.pipe_expression,
        $.range_expression,
        $.ternary_expression,
        $.call_expression,
        $.generic_call,
        $.member_expression,
        $.subscript_expression,
        $.slice_expression,
        $.propagate_expression,
        $.if_expression,
        $.match_expression,
        $.try_expression,
        $.try_star_expression,
        $.retry_expression,
        $.parallel_expression,
        $.spawn_expression,
        $.deadline_expression,
      ),

    parenthesized_expression: ($) => seq("(", $._expression, ")"),
    spread: ($) => seq("...", $._expression),
    list: ($) => seq("[", list($, choice($._expression, $.spread)), "]"),

    dict: ($) => seq("{", list($, choice($.pair, $.spread)), "}"),
    pair: ($) =>
      seq(field("key", choice($._member_name, $.string, $.computed_key)), ":", field("value", $._expression)),
    computed_key: ($) => seq("[", $._expression, "]"),

    closure: ($) =>
      seq(alias($._closure_start, "{"), optional(seq($.parameter, repeat(seq(",", $.parameter)), optional(","))), "->", optional($._statements), "}"),
    function_expression: ($) => prec(1, seq("fn", field("parameters", $.parameters), field("body", $.block))),

    struct_expression: ($) =>
      prec.dynamic(1, seq(field("name", $.type_identifier), "{", list($, choice($.pair, $.spread)), "}")),

    unary_expression: ($) => prec.right(PREC.unary, seq(choice("-", "!"), $._expression)),

    binary_expression: ($) => {
      const left = [
        [PREC.or, "||"],
        [PREC.and, "&&"],
        [PREC.equal, choice("==", "!=")],
        [PREC.compare, choice("<", ">", "<=", ">=", "in", seq("not", "in"))],
        [PREC.add, choice("+", "-")],
        [PREC.coalesce, "??"],
        [PREC.multiply, choice("*", "/", "%")],
      ];
      return choice(
        ...left.map(([level, sign]) =>
          prec.left(level, seq(field("left", $._expression), field("operator", sign), field("right", $._expression))),
        ),
        prec.right(PREC.power, seq(field("left", $._expression), field("operator", "**"), field("right", $._expression))),
      );
    },

    pipe_expression: ($) => prec.left(PREC.pipe, seq($._expression, "|>", $._expression)),
    range_expression: ($) => prec.left(PREC.range, seq($._expression, "to", $._expression, optional("exclusive"))),
    ternary_expression: ($) =>
      prec.right(
        PREC.ternary,
        seq(field("condition", $._expression), alias($._ternary_question, "?"), field("then", $._expression), ":", field("otherwise", $._expression)),
      ),

    call_expression: ($) => prec(PREC.postfix, seq(field("function", $._expression), field("arguments", $.arguments))),
    generic_call: ($) => prec.dynamic(2, seq(field("function", $._name), $.type_arguments, field("arguments", $.arguments))),
    type_arguments: ($) => seq("<", commas($._type), ">"),
    arguments: ($) => seq("(", list($, choice($._expression, $.spread)), ")"),

    member_expression: ($) =>
      prec(PREC.postfix, seq(field("object", $._expression), choice(".", "?."), field("property", $._member_name))),
    subscript_expression: ($) =>
      prec(PREC.postfix, seq(field("object", $._expression), optional(alias($._question, "?")), "[", field("index", $._expression), "]")),
    slice_expression: ($) =>
      prec(PREC.postfix, seq(field("object", $._expression), "[", optional(field("start", $._expression)), ":", optional(field("end", $._expression)), "]")),
    propagate_expression: ($) => prec.right(PREC.postfix, seq($._expression, alias($._question, "?"))),

    if_expression: ($) =>
      prec.right(
        seq(
          "if",
          field("condition", $._expression),
          field("then", $.block),
          optional(seq("else", field("otherwise", choice($.if_expression, $.block)))),
        ),
      ),

    match_expression: ($) => seq("match", field("value", $._expression), "{", repeat(choice($.match_arm, $._end)), "}"),
    match_arm: ($) =>
      seq(field("pattern", $._pattern), optional(seq("if", field("guard", $._expression))), "->", field("body", $.block)),
    _pattern: ($) => seq($._expression, repeat(seq("|", $._expression))),

    try_expression: ($) =>
      prec.right(
        seq(
          "try",
          field("body", $.block),
          optional($.catch_clause),
          optional(seq("finally", field("finally", $.block))),
        ),
      ),
    catch_clause: ($) =>
      seq("catch", optional(choice(seq("(", $._name, optional(seq(":", $._type)), ")"), $._name)), field("body", $.block)),
    try_star_expression: ($) => prec(PREC.unary, seq("try", token.immediate("*"), $._expression)),

    retry_expression: ($) => seq("retry", field("attempts", $._expression), field("body", $.block)),
    spawn_expression: ($) => seq("spawn", field("body", $.block)),
    deadline_expression: ($) => seq("deadline", field("duration", $._expression), field("body", $.block)),
    parallel_expression: ($) =>
      prec.right(
        seq(
          "parallel",
          optional(choice("each", "settle")),
          field("operand", $._expression),
          optional(seq("with", $.dict)),
          choice($.block, $.closure),
          optional(seq("as", "stream")),
        ),
      ),

    // Types.

    _type: ($) =>
      choice($.union_type, $.shape_type, $.list_type, $.function_type, $.generic_type, $._type_name, $.primitive_type, $.literal_type, $.nil),
    union_type: ($) => prec.left(1, seq($._type, "|", $._type)),
    shape_type: ($) => seq("{", list($, $.shape_field), "}"),
    shape_field: ($) => seq(field("name", $._member_name), optional("?"), ":", field("type", $._type)),
    list_type: ($) => seq("[", $._type, "]"),
    function_type: ($) => prec.right(seq("fn", "(", commas($._type), ")", "->", $._type)),
    generic_type: ($) => prec(2, seq(choice($._type_name, $.primitive_type), $.type_arguments)),
    literal_type: ($) => choice($.string, $.raw_string, $.boolean, seq(optional("-"), $.integer)),
    primitive_type: () =>
      choice("int", "float", "bool", "bytes", "duration", "any", "unknown", "never"),
    _type_name: ($) => choice($.type_identifier, $.identifier),

    // Words and literals.

    _name: ($) => choice($.identifier, $.type_identifier),
    identifier: () => /[\p{Alphabetic}_][\p{Alphabetic}\p{N}_]*/,
    type_identifier: () => token(prec(1, /\p{Lu}[\p{Alphabetic}\p{N}_]*/)),

    _member_name: ($) =>
      choice(
        alias($.identifier, $.property_identifier),
        alias($.type_identifier, $.property_identifier),
        ...[
          "break", "catch", "continue", "deadline", "defer", "emit", "else", "enum", "eval_pack", "exclusive", "extends",
          "false", "finally", "fn", "for", "from", "guard", "if", "impl", "import", "in", "interface", "let", "match",
          "mutex", "nil", "override", "parallel", "pipeline", "pub", "require", "retry", "return", "select", "skill",
          "spawn", "struct", "throw", "to", "tool", "true", "try", "type", "var", "while", "yield",
        ].map((word) => alias(word, $.property_identifier)),
      ),

    integer: () => /[0-9]+/,
    float: () => /[0-9]+\.[0-9]+/,
    duration: () => token(prec(1, /[0-9]+(ms|s|m|h|d|w)/)),
    boolean: () => choice("true", "false"),
    nil: () => "nil",

    string: ($) =>
      seq('"', repeat(choice($._string_text, $.escape_sequence, $.interpolation)), token.immediate('"')),
    escape_sequence: () => token.immediate(/\\[^\n]/),
    interpolation: ($) => seq(token.immediate("${"), optional($._expression), "}"),
    raw_string: () => token(prec(2, /r"[^"\n]*"/)),
    triple_string: ($) => seq('"""', repeat(choice($._triple_text, $.interpolation)), token.immediate('"""')),
  },
});
