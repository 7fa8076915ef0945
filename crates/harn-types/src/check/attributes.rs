//! Attributes of declarations (spec 03 section 10).

use super::Checker;
use crate::codes;
use harn_syntax::ast::*;

/// What an attribute may stand on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Any,
    Pipeline,
    Function,
    Handler,
}

/// The attributes of the language.
const ATTRIBUTES: &[(&str, Target)] = &[
    ("deprecated", Target::Any),
    ("test", Target::Pipeline),
    ("complexity", Target::Any),
    ("acp_tool", Target::Function),
    ("acp_skill", Target::Function),
    ("invariant", Target::Handler),
    ("deterministic", Target::Function),
    ("semantic", Target::Function),
    ("archivist", Target::Function),
    ("retroactive", Target::Function),
];

impl<'g> Checker<'g> {
    /// Checks the attributes of one declaration.
    pub(super) fn check_attributes(&mut self, decl: &'g Decl) {
        for attribute in &decl.attributes {
            let name = self.name(attribute.name);
            let Some((_, target)) = ATTRIBUTES.iter().find(|(n, _)| *n == name) else {
                self.warn(codes::UNKNOWN_ATTRIBUTE, attribute.span, format!("unknown attribute `@{name}`"));
                continue;
            };
            let (fits, words) = match target {
                Target::Any => (true, ""),
                Target::Pipeline => (matches!(decl.kind, DeclKind::Pipeline(_)), "pipeline declarations"),
                Target::Function => (matches!(decl.kind, DeclKind::Fn(_)), "function declarations"),
                Target::Handler => (
                    matches!(decl.kind, DeclKind::Fn(_) | DeclKind::Tool(_) | DeclKind::Pipeline(_)),
                    "function, tool, or pipeline declarations",
                ),
            };
            if !fits {
                let text = format!("`@{name}` only applies to {words}");
                self.warn(codes::ATTRIBUTE_TARGET, attribute.span, text);
            }
        }
        self.check_flow(decl);
    }

    /// The rules of Flow predicates.
    fn check_flow(&mut self, decl: &'g Decl) {
        let find = |wanted: &str| decl.attributes.iter().find(|a| self.name(a.name) == wanted);
        let marker = find("invariant").filter(|a| a.args.is_empty());
        let (fixed, semantic) = (find("deterministic"), find("semantic"));
        let (archivist, retroactive) = (find("archivist"), find("retroactive"));
        let mut found: Vec<(harn_syntax::Span, String)> = Vec::new();
        if let (Some(_), Some(second)) = (fixed, semantic) {
            let text = "`@deterministic` and `@semantic` are mutually exclusive; a Flow predicate is one mode or the \
                        other";
            found.push((second.span, text.to_owned()));
        }
        if let Some(marker) = marker {
            if fixed.is_none() && semantic.is_none() {
                let text =
                    "Flow `@invariant` requires exactly one of `@deterministic` (default) or `@semantic`";
                found.push((marker.span, text.to_owned()));
            }
            if archivist.is_none() {
                let text = "Flow `@invariant` is missing `@archivist(...)` provenance (evidence, confidence, \
                            source_date, coverage_examples)";
                found.push((marker.span, text.to_owned()));
            }
        } else {
            for (attribute, shown) in [(archivist, "@archivist(...)"), (retroactive, "@retroactive")] {
                if let Some(attribute) = attribute {
                    let text = format!("`{shown}` only applies to Flow predicates marked with `@invariant`");
                    found.push((attribute.span, text));
                }
            }
        }
        if let Some(archivist) = archivist
            && archivist.args.iter().any(|(name, _)| name.is_none())
        {
            let text = "`@archivist(...)` arguments must be named (e.g. `evidence: [...], confidence: 0.9`)";
            found.push((archivist.span, text.to_owned()));
        }
        for (span, text) in found {
            self.warn(codes::FLOW_ATTRIBUTE, span, text);
        }
    }
}
