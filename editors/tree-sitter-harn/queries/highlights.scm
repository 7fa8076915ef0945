; Later patterns win.

(identifier) @variable
(type_identifier) @type
(property_identifier) @property

(function_declaration name: (_) @function)
(tool_declaration name: (_) @function)
(pipeline_declaration name: (_) @function)
(override_declaration name: (_) @function)
(skill_declaration name: (_) @function)
(method_signature name: (_) @function.method)
(parameter name: (_) @variable.parameter)

(struct_declaration name: (_) @type)
(enum_declaration name: (_) @type)
(type_declaration name: (_) @type)
(interface_declaration name: (_) @type)
(impl_declaration name: (_) @type)
(variant name: (_) @constructor)
(field_declaration name: (_) @property)
(primitive_type) @type.builtin
(generic_type (identifier) @type)

(call_expression function: (identifier) @function.call)
(call_expression function: (member_expression property: (property_identifier) @function.method.call))
(generic_call function: (identifier) @function.call)
(struct_expression name: (_) @constructor)

(attribute "@" @attribute name: (_) @attribute)

(string) @string
(raw_string) @string
(triple_string) @string
(escape_sequence) @string.escape
(interpolation "${" @punctuation.special "}" @punctuation.special)
(integer) @number
(float) @number.float
(duration) @number
(boolean) @boolean
(nil) @constant.builtin

[(line_comment) (block_comment)] @comment
(shebang) @comment

((identifier) @variable.builtin (#eq? @variable.builtin "self"))

[
  "let" "var" "fn" "gen" "tool" "pipeline" "skill" "eval_pack" "override" "type" "enum" "struct" "interface" "impl"
  "pub" "extends" "where" "description" "summarize"
] @keyword
["import" "from"] @keyword.import
["if" "else" "match" "guard" "require" "select" "timeout" "default"] @keyword.conditional
["for" "while" "in" "retry" (break_statement) (continue_statement)] @keyword.repeat
["return" "yield" "emit"] @keyword.return
["throw" "try" "catch" "finally"] @keyword.exception
["spawn" "parallel" "each" "settle" "with" "as" "stream" "deadline" "mutex" "defer"] @keyword.coroutine
["to" "exclusive" "not"] @keyword.operator

[
  "=" "+=" "-=" "*=" "/=" "%=" "==" "!=" "<" ">" "<=" ">=" "+" "-" "*" "/" "%" "**" "&&" "||" "!" "??" "?" "|>" "->" "|"
] @operator
["." "?." "," ":" ";"] @punctuation.delimiter
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
"..." @punctuation.special
