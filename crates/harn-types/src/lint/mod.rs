//! Lint rules: one table of names, severities and explanations, and the passes that find them (spec 03 section 14).
//!
//! [`lint`] runs every pass over one file. A finding may carry edits; [`fixed`] applies those that do not overlap.
//!
//! A comment `// harn-lint: allow(rule, other-rule): why` silences the rules on its own line and on the next one; it must
//! give its reason.

mod expressions;
mod layout;
mod literals;
mod names;
mod practice;
mod rules;
mod statements;

pub use rules::{RULES, Rule};

use crate::graph::{Module, ModuleGraph, ModuleIndex};
use harn_syntax::ast::{Expr, Ident, Symbol};
use harn_syntax::{Diagnostic, Severity, Source, Span, TokenKind, parse};
use rules::*;
use std::collections::HashSet;

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

impl Pass<'_> {
    /// Lines and rules of `// harn-lint: allow(...): why` comments; those that silence nothing are findings.
    fn suppressions(&mut self) -> Vec<(u32, String)> {
        let module = self.module;
        let mut out = Vec::new();
        for token in &module.parsed.tokens {
            if token.kind != TokenKind::LineComment {
                continue;
            }
            let text = module.source.slice(token.span).trim_start_matches('/').trim();
            let Some(rest) = text.strip_prefix("harn-lint:").map(str::trim) else { continue };
            let form = "write `// harn-lint: allow(rule): why`";
            let Some((list, reason)) = rest.strip_prefix("allow(").and_then(|rest| rest.split_once(')'))
            else {
                self.add(
                    SUPPRESSION,
                    token.span,
                    "this suppression names no rule".to_owned(),
                    form,
                    Vec::new(),
                );
                continue;
            };
            let names: Vec<&str> = list.split(',').map(str::trim).collect();
            let unknown = names
                .iter()
                .find(|name| **name != "unreachable-code" && !RULES.iter().any(|r| r.name == **name));
            if let Some(name) = unknown {
                let near = crate::spelling::nearest(name, RULES.iter().map(|rule| rule.name), 3);
                let help = near.map_or_else(
                    || "`harn explain` lists the rules".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.add(
                    SUPPRESSION,
                    token.span,
                    format!("no lint rule is called `{name}`"),
                    &help,
                    Vec::new(),
                );
            } else if !reason.contains(char::is_alphanumeric) {
                self.add(
                    SUPPRESSION,
                    token.span,
                    "this suppression gives no reason".to_owned(),
                    form,
                    Vec::new(),
                );
            } else {
                let line = module.source.position(token.span.start).line;
                let canonical = |name: &str| {
                    if name == "unreachable-code" { DEAD_CODE.to_owned() } else { name.to_owned() }
                };
                out.extend(names.into_iter().map(|name| (line, canonical(name))));
            }
        }
        out
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
    let quiet = pass.suppressions();
    let mut findings = pass.findings;
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
