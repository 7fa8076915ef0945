//! Tokens: one table of kinds, with the words and signs of the language.
//!
//! Source: spec 01 sections 1 to 4.

use crate::source::Span;

/// One piece of the source text. The tokens of a file, trivia included, cover every byte of it in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

macro_rules! token_kinds {
    (
        trivia { $($trivia:ident $trivia_name:literal $trivia_doc:literal,)* }
        literals { $($literal:ident $literal_name:literal $literal_doc:literal,)* }
        keywords { $($keyword:ident $word:literal,)* }
        punctuation { $($punct:ident $sign:literal,)* }
    ) => {
        /// The kinds of tokens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum TokenKind {
            $(#[doc = $trivia_doc] $trivia,)*
            $(#[doc = $literal_doc] $literal,)*
            $(#[doc = concat!("The reserved word `", $word, "`.")] $keyword,)*
            $(#[doc = concat!("The sign `", $sign, "`.")] $punct,)*
        }

        impl TokenKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [TokenKind] = &[
                $(TokenKind::$trivia,)* $(TokenKind::$literal,)* $(TokenKind::$keyword,)* $(TokenKind::$punct,)*
            ];

            /// The reserved words (spec 01 section 2.1).
            pub const KEYWORDS: &'static [(TokenKind, &'static str)] = &[$((TokenKind::$keyword, $word),)*];

            /// The operators and punctuation (spec 01 section 3.8).
            pub const PUNCTUATION: &'static [(TokenKind, &'static str)] = &[$((TokenKind::$punct, $sign),)*];

            /// The text of a reserved word or sign, else the name of the kind.
            pub fn text(self) -> &'static str {
                match self {
                    $(TokenKind::$trivia => $trivia_name,)*
                    $(TokenKind::$literal => $literal_name,)*
                    $(TokenKind::$keyword => $word,)*
                    $(TokenKind::$punct => $sign,)*
                }
            }

            /// Whether tokens of this kind mean nothing to the grammar (newlines separate statements, though).
            pub fn is_trivia(self) -> bool {
                matches!(self, $(TokenKind::$trivia)|*)
            }

            /// Whether it is a reserved word.
            pub fn is_keyword(self) -> bool {
                matches!(self, $(TokenKind::$keyword)|*)
            }

            /// The reserved word that `text` is, if it is one.
            pub fn keyword(text: &str) -> Option<TokenKind> {
                match text {
                    $($word => Some(TokenKind::$keyword),)*
                    _ => None,
                }
            }
        }
    };
}

token_kinds! {
    trivia {
        Bom "bom" "The byte order mark at the start of a file.",
        Shebang "shebang" "The `#!` line at the start of a file, without its newline.",
        Whitespace "whitespace" "Spaces, tabs and carriage returns.",
        Newline "newline" "One `\\n`.",
        Continuation "continuation" "A backslash and the line end behind it.",
        LineComment "line comment" "`// ...`, and `//// ...` with four or more slashes.",
        DocLine "doc line" "`/// ...`, the legacy form of documentation.",
        BlockComment "block comment" "`/* ... */`, nesting.",
        DocBlock "doc block" "`/** ... */`.",
        Unlexed "unlexed" "Everything from the first lexical error to the end of the file.",
    }
    literals {
        Ident "identifier" "An identifier; `_` is one.",
        Int "int" "Digits. What does not fit 64 bits is a float.",
        Float "float" "Digits, a point, digits.",
        Duration "duration" "Digits with a unit: `5s`, `10ms`.",
        Str "string" "A plain or triple-quoted string without interpolation, with its quotes.",
        RawStr "raw string" "`r\"...\"`.",
        InterpStart "interpolation start" "From the opening quotes to the first `${`.",
        InterpMiddle "interpolation middle" "From a closing `}` to the next `${` of the same string.",
        InterpEnd "interpolation end" "From the last closing `}` to the closing quotes.",
        Eof "end of file" "The end of the file; never in a token list, only what the parser sees there.",
    }
    keywords {
        Break "break", Catch "catch", Continue "continue", Deadline "deadline", Defer "defer", Emit "emit",
        Else "else", Enum "enum", EvalPack "eval_pack", Exclusive "exclusive", Extends "extends", False "false",
        Finally "finally", Fn "fn", For "for", From "from", Guard "guard", If "if", Impl "impl", Import "import",
        In "in", Interface "interface", Let "let", Match "match", Mutex "mutex", Nil "nil", Override "override",
        Parallel "parallel", Pipeline "pipeline", Pub "pub", Require "require", Retry "retry", Return "return",
        Select "select", Skill "skill", Spawn "spawn", Struct "struct", Throw "throw", To "to", Tool "tool",
        True "true", Try "try", Type "type", Var "var", While "while", Yield "yield",
    }
    punctuation {
        EqEq "==", NotEq "!=", AndAnd "&&", OrOr "||", PipeArrow "|>", QuestionQuestion "??", StarStar "**",
        QuestionDot "?.", Arrow "->", LtEq "<=", GtEq ">=", PlusEq "+=", MinusEq "-=", StarEq "*=", SlashEq "/=",
        PercentEq "%=", LBrace "{", RBrace "}", LParen "(", RParen ")", LBracket "[", RBracket "]", Comma ",",
        Colon ":", Semicolon ";", Dot ".", Eq "=", Bang "!", Plus "+", Minus "-", Star "*", Slash "/", Percent "%",
        Lt "<", Gt ">", Question "?", Bar "|", At "@",
    }
}

/// What the parser walks over: a token that is no trivia, and what stands around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexeme {
    pub kind: TokenKind,
    /// A newline token stands between the previous lexeme and this one.
    pub after_newline: bool,
    /// On a `{`: a `->` occurs directly inside, so that as an expression it is a closure.
    pub has_arrow: bool,
    /// On a closing bracket: nothing is open that it could close.
    pub stray: bool,
    pub span: Span,
}
