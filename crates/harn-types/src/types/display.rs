//! The text of types in messages (spec 03 section 2).

use super::{Kind, Ty, Types};
use std::fmt::Write;

impl Types {
    /// The text of a type; `name` gives the names of declarations.
    pub fn text(&self, ty: Ty, name: &dyn Fn(super::DeclId) -> String) -> String {
        let mut out = String::new();
        self.write(&mut out, ty, name, 0);
        out
    }

    fn write(&self, out: &mut String, ty: Ty, name: &dyn Fn(super::DeclId) -> String, depth: u32) {
        if depth > MAX_DEPTH || out.len() > MAX_LENGTH {
            out.push('…');
            return;
        }
        let depth = depth + 1;
        match self.kind(ty) {
            Kind::Free | Kind::Wild => out.push('_'),
            Kind::Any => out.push_str("any"),
            Kind::Unknown => out.push_str("unknown"),
            Kind::Never => out.push_str("never"),
            Kind::Plain(plain) => out.push_str(plain.name()),
            Kind::Str(text) => {
                out.push('"');
                out.push_str(&text.replace('\\', "\\\\").replace('"', "\\\""));
                out.push('"');
            }
            Kind::Int(n) => {
                let _ = write!(out, "{n}");
            }
            Kind::Param(text) => out.push_str(text),
            Kind::Applied(generic, args) => {
                out.push_str(generic.name());
                self.write_args(out, args, name, depth);
            }
            Kind::User(decl, args) => {
                out.push_str(&name(*decl));
                self.write_args(out, args, name, depth);
            }
            Kind::Opaque(text, args) => {
                out.push_str(text);
                self.write_args(out, args, name, depth);
            }
            Kind::Shape(fields) => {
                out.push('{');
                for (i, field) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    out.push_str(&field.name);
                    out.push_str(if field.optional { "?: " } else { ": " });
                    self.write(out, field.ty, name, depth);
                }
                out.push('}');
            }
            Kind::Fn(params, result) => {
                out.push_str("fn(");
                self.write_list(out, params, ", ", name, depth);
                out.push_str(") -> ");
                self.write(out, *result, name, depth);
            }
            Kind::Union(members) => self.write_list(out, members, " | ", name, depth),
        }
    }

    fn write_args(&self, out: &mut String, args: &[Ty], name: &dyn Fn(super::DeclId) -> String, depth: u32) {
        if !args.is_empty() {
            out.push('<');
            self.write_list(out, args, ", ", name, depth);
            out.push('>');
        }
    }

    fn write_list(
        &self,
        out: &mut String,
        types: &[Ty],
        between: &str,
        name: &dyn Fn(super::DeclId) -> String,
        depth: u32,
    ) {
        for (i, ty) in types.iter().enumerate() {
            if i > 0 {
                out.push_str(between);
            }
            self.write(out, *ty, name, depth);
        }
    }
}

const MAX_DEPTH: u32 = 40;
const MAX_LENGTH: usize = 4000;
