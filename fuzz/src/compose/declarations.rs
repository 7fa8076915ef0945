//! Top-level declarations and the shape of the whole program.

use super::{Composer, EnumDef, Function, Gives, Place, StructDef, Ty};

impl Composer<'_> {
    pub(super) fn whole(&mut self) {
        // What the checker does not see through: values of any type where others are meant.
        self.out.push_str(super::SPIN);
        self.line("fn hide(x) {");
        self.line("  return x");
        self.line("}");
        self.line("fn tell(what, x) {");
        self.line("  println(\"${what}=${x}\")");
        self.line("  return x");
        self.line("}");
        for _ in 0..self.random.below(3) {
            self.struct_declaration();
        }
        for _ in 0..self.random.below(3) {
            self.enum_declaration();
        }
        let piped = self.chance(30);
        if piped {
            // Top-level variables are evaluated before the pipeline and are seen by functions.
            for _ in 0..self.random.below(3) {
                self.top_variable();
            }
        }
        for _ in 0..1 + self.random.below(4) {
            self.fuel = 70;
            self.function_declaration();
        }
        self.fuel = 260;
        if piped {
            self.line("pipeline default(task) {");
            self.indent += 1;
            self.scopes.push(Vec::new());
        }
        let count = 5 + self.random.below(9);
        for _ in 0..count {
            self.statement();
        }
        self.dump();
        if piped {
            self.scopes.pop();
            self.indent -= 1;
            self.line("}");
        }
    }

    fn top_variable(&mut self) {
        let (name, ty) = (self.fresh("top"), self.ty(1));
        let value = self.expression(&ty, 2);
        self.line(&format!("let {name} = {value}"));
        self.declare(&name, ty, false);
    }

    fn struct_declaration(&mut self) {
        let name = self.fresh("S");
        let mut fields = Vec::new();
        for at in 0..1 + self.random.below(3) {
            fields.push((format!("{}{at}", self.one(&["f", "a", "z"])), self.ty(1)));
        }
        let shown: Vec<_> = fields.iter().map(|(field, _)| format!("{field}: any")).collect();
        self.fuel = 30;
        self.line(&format!("struct {name} {{ {} }}", shown.join(", ")));
        self.structs.push(StructDef { name: name.clone(), fields, methods: Vec::new() });
        if self.chance(60) {
            let of = self.structs.len() - 1;
            let (method, ty) = (self.fresh("m"), self.ty(1));
            self.line(&format!("impl {name} {{"));
            self.indent += 1;
            self.line(&format!("fn {method}(self) {{"));
            let place = Place { returns: Some(ty.clone()), nested: 1, depth: 1, ..Place::default() };
            self.inside(place, |c| {
                c.declare("self", Ty::Struct(of), false);
                c.indent += 1;
                c.body(2);
                let value = c.expression(&ty, 1);
                c.line(&format!("return {value}"));
                c.indent -= 1;
            });
            self.line("}");
            self.indent -= 1;
            self.line("}");
            if let Some(def) = self.structs.last_mut() {
                def.methods.push((method, ty));
            }
        }
    }

    fn enum_declaration(&mut self) {
        let name = self.fresh("E");
        let mut variants = vec![("None".to_owned(), Vec::new())];
        for at in 0..1 + self.random.below(3) {
            let fields = (0..self.random.below(3)).map(|_| self.ty(1)).collect();
            variants.push((format!("V{at}"), fields));
        }
        let shown: Vec<_> = variants
            .iter()
            .map(|(variant, fields)| match fields.len() {
                0 => variant.clone(),
                n => {
                    format!("{variant}({})", (0..n).map(|at| format!("p{at}")).collect::<Vec<_>>().join(", "))
                }
            })
            .collect();
        self.line(&format!("enum {name} {{ {} }}", shown.join(", ")));
        self.enums.push(EnumDef { name, variants });
    }

    /// A named function, here and now.
    pub(super) fn function_declaration(&mut self) {
        match self.random.below(10) {
            0..=1 => return self.recursion(),
            2..=3 => return self.generator(),
            _ => {}
        }
        let (name, ty) = (self.fresh("fun"), self.ty(0));
        let params: Vec<Ty> = (0..self.random.below(4)).map(|_| self.ty(1)).collect();
        let optional = if self.chance(30) { self.random.below(params.len() + 1) } else { 0 };
        let rest = self.chance(20).then_some(Ty::Int);
        let place = Place {
            returns: Some(ty.clone()),
            nested: self.place.nested + 1,
            depth: self.place.depth + 1,
            sealed: self.scopes.len(),
            ..Place::default()
        };
        self.inside(place, |c| {
            let mut shown = Vec::new();
            for (at, param) in params.iter().enumerate() {
                let name = c.fresh("p");
                let annotation = c.annotation(param).filter(|_| c.chance(40));
                let default = match at + optional >= params.len() {
                    true => format!(" = {}", c.expression(param, 3)),
                    false => String::new(),
                };
                let annotation = annotation.map(|ty| format!(": {ty}")).unwrap_or_default();
                shown.push(format!("{name}{annotation}{default}"));
                c.declare(&name, param.clone(), false);
            }
            if let Some(rest) = &rest {
                let name = c.fresh("rest");
                shown.push(format!("...{name}"));
                c.declare(&name, Ty::List(Box::new(rest.clone())), false);
            }
            c.line(&format!("fn {name}({}) {{", shown.join(", ")));
            c.indent += 1;
            c.body(3);
            let value = c.expression(&ty, 1);
            c.line(&format!("return {value}"));
            c.indent -= 1;
            c.line("}");
        });
        self.functions.push(Function { name, params, optional, rest, gives: Gives::Value(ty) });
    }

    /// A function that calls itself, fewer and fewer times.
    fn recursion(&mut self) {
        let (name, ty) = (self.fresh("rec"), self.ty(1));
        let place = Place {
            returns: Some(ty.clone()),
            nested: self.place.nested + 1,
            depth: self.place.depth + 1,
            sealed: self.scopes.len(),
            ..Place::default()
        };
        let tail = self.chance(50);
        self.inside(place, |c| {
            c.line(&format!("fn {name}(n, acc) {{"));
            c.declare("n", Ty::Int, false);
            c.declare("acc", ty.clone(), false);
            c.indent += 1;
            c.line("if n <= 0 || n > 4 {");
            c.line("  return acc");
            c.line("}");
            c.body(2);
            if tail {
                let value = c.expression(&ty, 1);
                c.line(&format!("return {name}(n - 1, {value})"));
            } else {
                let inner = c.fresh("r");
                let value = c.expression(&ty, 2);
                c.line(&format!("let {inner} = {name}(n - 1, {value})"));
                c.declare(&inner, ty.clone(), false);
                let value = c.expression(&ty, 1);
                c.line(&format!("return {value}"));
            }
            c.indent -= 1;
            c.line("}");
        });
        let params = vec![Ty::Int, ty.clone()];
        self.functions.push(Function { name, params, optional: 0, rest: None, gives: Gives::Value(ty) });
    }

    fn generator(&mut self) {
        let (name, ty) = (self.fresh("gen"), self.ty(1));
        let stream = self.chance(30);
        let (head, word) = if stream { ("gen fn", "emit") } else { ("fn", "yield") };
        let place = Place {
            yields: Some((word, ty.clone())),
            nested: self.place.nested + 1,
            depth: self.place.depth + 1,
            sealed: self.scopes.len(),
            ..Place::default()
        };
        self.inside(place, |c| {
            let param = c.fresh("p");
            c.line(&format!("{head} {name}({param}) {{"));
            c.declare(&param, Ty::Int, false);
            c.indent += 1;
            let value = c.expression(&ty, 2);
            c.line(&format!("{word} {value}"));
            c.body(4);
            let value = c.expression(&ty, 2);
            c.line(&format!("{word} {value}"));
            c.indent -= 1;
            c.line("}");
        });
        self.functions.push(Function {
            name,
            params: vec![Ty::Int],
            optional: 0,
            rest: None,
            gives: Gives::Items(ty),
        });
    }
}
