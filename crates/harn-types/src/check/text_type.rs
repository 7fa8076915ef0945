//! Types from texts: the result column of the builtin list and the signatures of builtin rows.

use crate::types::{Generic, Kind, ShapeField, Ty, Types, builtin_name};

/// Reads a type in Harn syntax. A name that is not built in is a type parameter when it is one capital letter and an
/// opaque name otherwise; `·` and anything that does not read is unknown.
pub(super) fn read(types: &mut Types, text: &str) -> Ty {
    let mut reader = Reader { types, rest: text.trim() };
    let ty = reader.union(0);
    if reader.rest.is_empty() { ty } else { Ty::FREE }
}

struct Reader<'t, 's> {
    types: &'t mut Types,
    rest: &'s str,
}

impl Reader<'_, '_> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(token) {
            Some(after) => {
                self.rest = after.trim_start();
                true
            }
            None => {
                self.rest = rest;
                false
            }
        }
    }

    fn union(&mut self, depth: u32) -> Ty {
        let mut members = vec![self.primary(depth)];
        while self.eat("|") {
            members.push(self.primary(depth));
        }
        self.types.union(&members)
    }

    fn primary(&mut self, depth: u32) -> Ty {
        if depth > 16 || self.eat("·") {
            return Ty::FREE;
        }
        if self.eat("[") {
            let element = self.union(depth + 1);
            self.eat("]");
            return self.types.list_of(element);
        }
        if self.eat("{") {
            return self.shape(depth);
        }
        if self.eat("\"") {
            let (text, after) = self.rest.split_once('"').unwrap_or((self.rest, ""));
            let ty = Kind::Str(text.into());
            self.rest = after;
            return self.types.intern(ty);
        }
        if self.rest.starts_with("fn(") {
            self.eat("fn(");
            return self.function(depth);
        }
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, after) = self.rest.split_at(end);
        self.rest = after;
        if let Ok(n) = name.parse::<i64>() {
            return self.types.intern(Kind::Int(n));
        }
        let mut args = Vec::new();
        if self.eat("<") {
            loop {
                args.push(self.union(depth + 1));
                if !self.eat(",") {
                    break;
                }
            }
            self.eat(">");
        }
        self.named(name, &args)
    }

    fn named(&mut self, name: &str, args: &[Ty]) -> Ty {
        if name.is_empty() || args.iter().any(|a| !a.is_known()) {
            return builtin_name(name).unwrap_or(Ty::FREE);
        }
        match (Generic::of_name(name), args.is_empty()) {
            (Some(generic), false) if generic.arity() == args.len() => self.types.applied(generic, args),
            _ => match builtin_name(name) {
                Some(ty) => ty,
                None if name.len() == 1 && name.chars().all(|c| c.is_ascii_uppercase()) => {
                    self.types.intern(Kind::Param(name.into()))
                }
                None => self.types.intern(Kind::Opaque(name.into(), args.into())),
            },
        }
    }

    fn shape(&mut self, depth: u32) -> Ty {
        let mut fields = Vec::new();
        while !self.eat("}") && !self.rest.is_empty() {
            let Some((name, after)) = self.rest.split_once(':') else { return Ty::FREE };
            let name = name.trim();
            self.rest = after;
            let ty = self.union(depth + 1);
            let (name, optional) = name.strip_suffix('?').map_or((name, false), |n| (n, true));
            fields.push(ShapeField { name: name.into(), ty, optional });
            self.eat(",");
        }
        self.types.intern(Kind::Shape(fields.into()))
    }

    fn function(&mut self, depth: u32) -> Ty {
        let mut params = Vec::new();
        while !self.eat(")") && !self.rest.is_empty() {
            // Parameter names are allowed and say nothing.
            if let Some((head, after)) = self.rest.split_once(':')
                && head.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '?' | '.'))
            {
                self.rest = after.trim_start();
            }
            let before = self.rest.len();
            params.push(self.union(depth + 1));
            self.eat(",");
            if self.rest.len() == before {
                return Ty::CLOSURE;
            }
        }
        self.eat("->");
        let result = self.union(depth + 1);
        self.types.intern(Kind::Fn(params.into(), result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        let mut types = Types::default();
        let ty = read(&mut types, text);
        types.text(ty, &|_| String::new())
    }

    #[test]
    fn texts_read_back_as_they_were() {
        for text in [
            "int",
            "string | nil",
            "list<dict<string, int>>",
            "{a: int, b?: list<string>}",
            "fn(int, T) -> bool",
            "\"a\" | \"b\"",
            "Thing<int>",
        ] {
            assert_eq!(round(text), text);
        }
    }

    #[test]
    fn nonsense_is_unknown_and_ends() {
        for text in ["", "{", "fn(", "fn((((", "list<", "a b", "·", "{a: ", "[[[["] {
            let _ = round(text);
        }
    }
}
