//! Lint rules: one table of names, severities and explanations, and the passes that find them (spec 03 section 14).
//!
//! [`lint`] runs every pass over one file. A finding may carry edits; [`fixed`] applies those that do not overlap.
//!
//! A comment `// harn-lint: allow(rule, other-rule)` silences the rules on its own line and on the next one.

mod expressions;
mod layout;
mod literals;
mod names;
mod practice;
mod statements;

use crate::graph::{Module, ModuleGraph, ModuleIndex};
use harn_syntax::ast::{Expr, Ident, Symbol};
use harn_syntax::{Diagnostic, Severity, Source, Span, TokenKind, parse};
use std::collections::HashSet;

/// A row of the table of rules.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, as printed in `lint[name]` and written in `harn.toml`.
    pub name: &'static str,
    /// Whether `harn lint --fix` can rewrite it.
    pub fixes: bool,
    /// What it finds and why that matters.
    pub explanation: &'static str,
}

macro_rules! rules {
    ($($constant:ident $name:literal $fixes:literal $explanation:literal)*) => {
        $(const $constant: &str = $name;)*

        /// Every rule.
        pub const RULES: &[Rule] = &[$(Rule { name: $name, fixes: $fixes, explanation: $explanation }),*];
    };
}

rules! {
    UNUSED_VARIABLE "unused-variable" true "A variable that nothing reads is a leftover or a typing error. A name that begins with `_` says that it is meant."
    UNUSED_PATTERN_BINDING "unused-pattern-binding" false "A name bound by destructuring that nothing reads."
    UNUSED_PARAMETER "unused-parameter" false "A parameter that the body does not read. Begin its name with `_` when callers dictate the signature."
    UNUSED_IMPORT "unused-import" true "An imported name that the file does not mention."
    UNUSED_FUNCTION "unused-function" false "A function, tool, skill or eval pack that is neither public nor mentioned."
    UNUSED_TYPE "unused-type" false "A struct, enum or interface that is never named."
    NEVER_REASSIGNED "mutable-never-reassigned" true "A `var` that never changes reads better as `let`."
    SHADOW "shadow-variable" false "A second immutable declaration in one scope stops the run; a name that hides one further out misleads the reader."
    UNDEFINED_FUNCTION "undefined-function" false "A call of a name that nothing defines."
    DEAD_CODE "dead-code-after-return" false "Statements behind one that surely leaves the block never run. Also known as `unreachable-code`."
    BREAK_OUTSIDE "break-outside-loop" false "`break` and `continue` belong into `for` and `while` of the same function."
    COMPARISON_TO_BOOL "comparison-to-bool" true "Comparing a truth value with `true` or `false` says nothing more than the value itself."
    POINTLESS_COMPARISON "pointless-comparison" true "A comparison of an expression with itself, or a condition that is a constant."
    BINARY_LITERAL "invalid-binary-op-literal" true "Arithmetic with `true`, `false` or `nil` raises when it runs."
    NIL_TERNARY "redundant-nil-ternary" true "`x ?? d` says what a ternary on `x == nil` says."
    LET_THEN_RETURN "let-then-return" true "A name for a value that is returned at once."
    ELSE_RETURN "unnecessary-else-return" true "When both branches return, the else only adds indentation."
    EMPTY_BLOCK "empty-block" true "An empty body is a leftover or hides an error."
    DUPLICATE_ARM "duplicate-match-arm" false "Of two equal arms the second never runs."
    UNNECESSARY_CAST "unnecessary-cast" true "A conversion of a value that already has the type."
    REDUNDANT_CLONE "redundant-clone" true "Values are copied by assignment and passing anyway."
    EAGER_COLLECTION "eager-collection-conversion" true "A lazy iterator where a collection is declared."
    NAMING "naming-convention" false "Functions and tools are snake_case, types are PascalCase."
    COMPLEXITY "cyclomatic-complexity" false "A function with so many branches is hard to test and to read. `@complexity(allow)` on the declaration turns the rule off."
    MISSING_DOC "missing-harndoc" false "Public functions carry a `/** */` comment: it is what `harn doc` and editors show."
    LEGACY_DOC "legacy-doc-comment" true "Documentation is written in `/** */` blocks."
    BLANK_LINE "blank-line-between-items" true "A blank line sets top-level items apart."
    TRAILING_COMMA "trailing-comma" true "A comma after the last of several lines keeps later changes to one line."
    IMPORT_ORDER "import-order" true "Imports in one order: std first, then by path."
    FILE_HEADER "require-file-header" true "Off unless `[lint] require_file_header = true`: a file begins with a `/** */` comment."
    UNKNOWN_ESCAPE "unknown-escape" true "In a text the escapes are `\\n`, `\\t`, `\\\\`, `\\\"` and `\\$`; before any other character the backslash stays in the text. Written double it says so; a raw text `r\"...\"` has no escapes."
    ASSERT_OUTSIDE "assert-outside-test" false "Assertions are for tests; `require` states conditions of programs."
    REQUIRE_IN_TEST "require-in-test" false "Tests assert, which reports better."
    PIPELINE_RETURN "pipeline-return-type" false "Public pipelines say what they return."
    UNTYPED_ACCESS "untyped-dict-access" false "A part of a value from outside that was not validated."
    PROMPT_INJECTION "prompt-injection-risk" false "Data interpolated into a system prompt can carry instructions."
    APPROVAL_RESULT "unhandled-approval-result" false "An approval whose result nobody looks at approves nothing."
}

/// A replacement of a span of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// Something a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// As printed, with the label `lint[rule]`.
    pub diagnostic: Diagnostic,
    /// What `--fix` does.
    pub fix: Vec<Edit>,
}

/// What a project configures.
#[derive(Clone, Debug)]
pub struct LintOptions {
    /// Rules that are not reported.
    pub disabled: Vec<String>,
    /// Turns `require-file-header` on.
    pub require_file_header: bool,
    /// The score above which `cyclomatic-complexity` speaks.
    pub complexity_threshold: usize,
    /// Names that other files of the invocation import from this one.
    pub used_elsewhere: HashSet<String>,
}

impl Default for LintOptions {
    fn default() -> Self {
        LintOptions {
            disabled: Vec::new(),
            require_file_header: false,
            complexity_threshold: 25,
            used_elsewhere: HashSet::new(),
        }
    }
}

/// What the passes read and write.
struct Pass<'a> {
    module: &'a Module,
    options: &'a LintOptions,
    findings: Vec<Finding>,
}

impl<'a> Pass<'a> {
    fn text(&self, symbol: Symbol) -> &'a str {
        self.module.ast().names.text(symbol)
    }

    fn name(&self, ident: Ident) -> &'a str {
        self.text(ident.name)
    }

    fn slice(&self, span: Span) -> &'a str {
        self.module.source.slice(span)
    }

    fn same(&self, a: &Expr, b: &Expr) -> bool {
        let words = |e: &Expr| self.slice(e.span).split_whitespace().collect::<Vec<_>>();
        words(a) == words(b)
    }

    fn add(&mut self, rule: &'static str, span: Span, message: String, help: &str, fix: Vec<Edit>) {
        let severity = if rule == BREAK_OUTSIDE { Severity::Error } else { Severity::Warning };
        self.findings.push(Finding {
            rule,
            diagnostic: Diagnostic {
                severity,
                code: rule,
                message,
                span,
                label: Some(format!("lint[{rule}]")),
                help: Some(help.to_owned()),
            },
            fix,
        });
    }
}

fn replace(span: Span, text: impl Into<String>) -> Vec<Edit> {
    vec![Edit { span, text: text.into() }]
}

/// What the rules find in one file, in source order.
pub fn lint(graph: &ModuleGraph, index: ModuleIndex, options: &LintOptions) -> Vec<Finding> {
    let Some(module) = graph.module(index) else { return Vec::new() };
    let mut pass = Pass { module, options, findings: Vec::new() };
    names::run(&mut pass);
    statements::run(&mut pass);
    expressions::run(&mut pass);
    practice::run(&mut pass);
    layout::run(&mut pass);
    literals::run(&mut pass);
    let mut findings = pass.findings;
    let quiet = allowed(module);
    let disabled = |rule: &str| {
        options.disabled.iter().any(|d| d == rule || (d == "unreachable-code" && rule == DEAD_CODE))
    };
    findings.retain(|f| {
        let line = module.source.position(f.diagnostic.span.start).line;
        !disabled(f.rule)
            && !quiet.iter().any(|(at, rule)| (*at == line || *at + 1 == line) && rule == f.rule)
    });
    findings.sort_by_key(|f| (f.diagnostic.span.start, f.diagnostic.span.end));
    findings
}

/// Lines and rules of `// harn-lint: allow(...)` comments.
fn allowed(module: &Module) -> Vec<(u32, String)> {
    let mut out = Vec::new();
    for token in &module.parsed.tokens {
        if token.kind != TokenKind::LineComment {
            continue;
        }
        let text = module.source.slice(token.span).trim_start_matches('/').trim();
        let Some(list) = text.strip_prefix("harn-lint:").map(str::trim) else { continue };
        let Some(list) = list.strip_prefix("allow(").and_then(|l| l.split_once(')')) else { continue };
        let line = module.source.position(token.span.start).line;
        out.extend(list.0.split(',').map(|rule| (line, rule.trim().to_owned())));
    }
    out
}

/// The text with every edit applied that overlaps none before it, and how many findings were mended. Nothing when
/// there is nothing to mend or the result would not parse.
pub fn fixed(source: &Source, findings: &[Finding]) -> Option<(String, usize)> {
    let mut fixes: Vec<&Finding> = findings.iter().filter(|f| !f.fix.is_empty()).collect();
    fixes.sort_by_key(|f| f.fix.iter().map(|e| e.span.start).min());
    let mut edits: Vec<&Edit> = Vec::new();
    let mut count = 0;
    for finding in fixes {
        let clash = |a: &Edit, b: &Edit| {
            (a.span.start < b.span.end && b.span.start < a.span.end) || a.span.start == b.span.start
        };
        if finding.fix.iter().any(|e| edits.iter().any(|known| clash(e, known))) {
            continue;
        }
        edits.extend(&finding.fix);
        count += 1;
    }
    if count == 0 {
        return None;
    }
    edits.sort_by_key(|e| e.span.start);
    let mut text = source.text().to_owned();
    for edit in edits.into_iter().rev() {
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    let parsed = parse(&Source::new(source.path(), text.as_str()));
    (!parsed.has_errors()).then_some((text, count))
}

#[cfg(test)]
mod tests;
