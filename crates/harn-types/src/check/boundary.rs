//! Strict boundary types: values from outside are validated before their parts are used (spec 03 section 11.6).

use super::Checker;
use crate::codes;
use crate::types::Ty;
use harn_syntax::ast::*;

/// The builtins whose results come from outside.
pub(crate) const SOURCES: &[&str] = &[
    "json_parse",
    "json_extract",
    "yaml_parse",
    "toml_parse",
    "llm_call",
    "llm_call_safe",
    "llm_completion",
    "http_get",
    "http_post",
    "http_put",
    "http_patch",
    "http_delete",
    "http_download",
    "http_request",
    "http_session_request",
    "http_stream_info",
    "sse_receive",
    "sse_server_mock_receive",
    "sse_server_response",
    "sse_server_status",
    "websocket_accept",
    "websocket_receive",
    "host_call",
    "connector_call",
    "host_tool_call",
    "mcp_call",
];

impl Checker<'_> {
    /// The boundary builtin that an expression calls, under strict types and without a concrete annotation.
    pub(super) fn boundary_source(&mut self, value: &Expr, annotation: Option<Ty>) -> Option<&'static str> {
        if !self.options.strict_types {
            return None;
        }
        if annotation.is_some_and(|t| !matches!(t, Ty::DICT | Ty::ANY | Ty::WILD)) {
            return None;
        }
        match &value.kind {
            ExprKind::Name(name) => {
                let var = self.env.find(*name).and_then(|id| self.env.get(id))?;
                var.boundary.filter(|_| var.narrowed.is_none())
            }
            _ => self.boundary_call(value),
        }
    }

    fn boundary_call(&self, value: &Expr) -> Option<&'static str> {
        let ExprKind::Call { callee, args, .. } = &value.kind else { return None };
        let ExprKind::Name(name) = &callee.kind else { return None };
        if self.env.find(*name).is_some() {
            return None;
        }
        let source = SOURCES.iter().find(|s| **s == self.text(*name))?;
        let described = matches!(*source, "llm_call" | "llm_completion")
            && args.iter().any(|a| {
                match &a.value.kind {
                ExprKind::Dict(entries) => entries.iter().any(|e| {
                    matches!(e, DictEntry::Named { key, .. } if matches!(&**key, "schema" | "output_schema"))
                }),
                _ => false,
            }
            });
        (!described).then_some(source)
    }

    /// Warns about a property or subscript of an unvalidated value.
    pub(super) fn boundary_access(&mut self, e: &Expr, object: &Expr, property: bool) {
        if !self.options.strict_types {
            return;
        }
        if let Some(source) = self.boundary_call(object) {
            let what = if property { "property" } else { "subscript" };
            let text = format!("Direct {what} access on unvalidated `{source}()` result");
            self.warn(codes::UNVALIDATED, e.span, text);
            self.help(
                "assign to a variable and validate with schema_expect() or a type annotation first"
                    .to_owned(),
            );
            return;
        }
        let ExprKind::Name(name) = &object.kind else { return };
        let Some(var) = self.env.find(*name).and_then(|id| self.env.get(id)) else { return };
        let Some(source) = var.boundary.filter(|_| var.narrowed.is_none()) else { return };
        let what = if property { "Accessing property" } else { "Subscript access" };
        let text = format!("{what} on unvalidated value '{}' from `{source}`", self.text(*name));
        self.warn(codes::UNVALIDATED, e.span, text);
        self.help(
            "validate with schema_expect(), schema_is() in an if-condition, or add a shape type annotation"
                .to_owned(),
        );
    }

    /// `schema_expect(x, S)` and `schema_is(x, S)` in a condition clear the variable.
    pub(super) fn validated(&mut self, value: &Expr) {
        if let ExprKind::Name(name) = &value.kind
            && let Some(id) = self.env.find(*name)
            && let Some(var) = self.env.get_mut(id)
        {
            var.boundary = None;
        }
    }
}
