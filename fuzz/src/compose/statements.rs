//! Statements.

use super::{Composer, Gives, Ty};

impl Composer<'_> {
    /// A few statements of a function's body.
    pub(super) fn body(&mut self, most: usize) {
        for _ in 0..self.random.below(most + 1) {
            self.statement();
        }
    }

    /// A block in braces after what is written on its line.
    fn block(&mut self, head: &str, bound: Vec<(String, Ty, bool)>, looped: bool, most: usize) {
        self.line(&format!("{head} {{"));
        self.indent += 1;
        self.scopes.push(Vec::new());
        for (name, ty, mutable) in bound {
            self.declare(&name, ty, mutable);
        }
        let outer = self.place.clone();
        self.place.depth += 1;
        self.place.looped |= looped;
        for _ in 0..1 + self.random.below(most) {
            self.statement();
        }
        self.place = outer;
        self.scopes.pop();
        self.indent -= 1;
        self.line("}");
    }

    /// Prints what is in sight.
    pub(super) fn dump(&mut self) {
        let shown: Vec<_> =
            self.visible().iter().take(8).map(|v| format!("{}=${{{}}}", v.name, v.name)).collect();
        self.line(&format!("println(\"{}\")", shown.join(" ")));
    }

    pub(super) fn statement(&mut self) {
        self.fuel -= 3;
        let deep = self.place.depth > 4 || self.fuel < 0;
        match self.random.below(if deep { 14 } else { 46 }) {
            0..=2 => self.print(),
            3..=5 => self.variable_statement(),
            6..=8 => self.assignment(),
            9..=10 => self.store(),
            11 => self.jump(),
            12 => self.destructuring(),
            13 => self.dump(),
            14..=16 => {
                let condition = self.condition(1);
                self.block(&format!("if {condition}"), Vec::new(), false, 3);
                if self.chance(40) {
                    self.out.truncate(self.out.trim_end().len());
                    let trimmed = self.out.len();
                    self.block("else", Vec::new(), false, 3);
                    // `} else {` stands on one line.
                    let rest = self.out.split_off(trimmed);
                    self.out.push(' ');
                    self.out.push_str(rest.trim_start());
                }
            }
            17..=20 => self.for_loop(),
            21 => self.while_loop(),
            22..=24 => self.match_statement(),
            25..=29 => self.try_statement(),
            30 if !self.place.last => {
                let outer = std::mem::replace(&mut self.place.last, true);
                self.block("defer", Vec::new(), false, 2);
                self.place.last = outer;
            }
            31..=32 => self.closure_variable(),
            33 => {
                let name = self.fresh("tries");
                self.line(&format!("var {name} = 0"));
                self.declare(&name, Ty::Int, true);
                self.line("try {");
                let attempts = 1 + self.random.below(3);
                self.line(&format!("retry {attempts} {{"));
                self.indent += 1;
                self.line(&format!("{name} = {name} + 1"));
                let when = self.random.below(4);
                self.line(&format!("if {name} < {when} {{ throw \"try ${{{name}}}\" }}"));
                self.print();
                self.indent -= 1;
                self.line("}");
                self.line("} catch (e) {");
                self.line("  println(\"gave up ${e}\")");
                self.line("}");
            }
            34..=35 => self.alias(),
            36 if self.place.nested < 2 => self.nested_function(),
            37 => {
                let (list, item) = self.list_variable();
                if let Some(list) = list {
                    let value = self.expression(&item, 2);
                    self.line(&format!("{list} = {list}.push({value})"));
                }
            }
            38..=39 => self.yielding(),
            40 if self.place.looped || self.place.returns.is_some() => {
                let condition = self.condition(1);
                let word = match (self.place.looped, &self.place.returns.clone()) {
                    (true, _) if !self.place.last => self.one(&["break", "continue"]).to_owned(),
                    (_, Some(ty)) if !self.place.last => format!("return {}", self.expression(ty, 2)),
                    _ => "println(\"guarded\")".to_owned(),
                };
                self.line(&format!("guard {condition} else {{ {word} }}"));
            }
            41 => {
                let condition = self.condition(1);
                let message = self.expression(&Ty::Str, 3);
                self.line("try {");
                self.line(&format!("  require {condition}, {message}"));
                self.line("} catch (e) {");
                self.line("  println(\"required: ${e}\")");
                self.line("}");
            }
            42..=43 => self.consume(),
            _ => self.print(),
        }
    }

    fn print(&mut self) {
        let ty = self.ty(0);
        let value = self.expression(&ty, 0);
        match self.chance(50) {
            true => self.line(&format!("println({value})")),
            false => {
                // An error in it does not end the program.
                self.line("try {");
                self.line(&format!("  println({value})"));
                self.line("} catch (e) {");
                self.line("  println(\"error: ${e}\")");
                self.line("}");
            }
        }
    }

    fn variable_statement(&mut self) {
        let ty = self.ty(0);
        let value = self.expression(&ty, 1);
        let mutable = self.chance(60);
        let word = if mutable { "var" } else { "let" };
        // Sometimes the name of something outside.
        let outside = self.scopes.len() > 1 && self.chance(15);
        let known = match outside {
            true => self.variable(|v| v.name.starts_with('v')).map(|v| v.name),
            false => None,
        };
        let here = |c: &Self, name: &str| c.scopes.last().is_some_and(|s| s.iter().any(|v| v.name == name));
        let name = match known {
            Some(name) if !here(self, &name) => name,
            _ => self.fresh("v"),
        };
        self.line(&format!("{word} {name} = {value}"));
        self.declare(&name, ty, mutable);
    }

    fn assignment(&mut self) {
        let Some(variable) = self.variable(|v| v.mutable) else { return self.variable_statement() };
        let (name, ty) = (&variable.name, &variable.ty);
        let value = self.expression(ty, 1);
        let line = match ty {
            Ty::Int if self.chance(60) => {
                format!("{name} {} {value}", self.one(&["+=", "-=", "*=", "/=", "%="]))
            }
            Ty::Float | Ty::Str | Ty::List(_) if self.chance(60) => format!("{name} += {value}"),
            _ => format!("{name} = {value}"),
        };
        self.guarded(&line);
    }

    /// A line whose error is caught, mostly.
    fn guarded(&mut self, line: &str) {
        if self.chance(25) {
            return self.line(line);
        }
        self.line("try {");
        self.line(&format!("  {line}"));
        self.line("} catch (e) {");
        self.line("  println(\"error: ${e}\")");
        self.line("}");
    }

    /// Into a part of a variable.
    fn store(&mut self) {
        let parts =
            |v: &super::Variable| v.mutable && matches!(v.ty, Ty::List(_) | Ty::Dict(_) | Ty::Struct(_));
        let Some(variable) = self.variable(parts) else { return self.assignment() };
        let (mut target, mut ty) = (variable.name.clone(), variable.ty.clone());
        loop {
            let inner = match &ty {
                Ty::List(item) => {
                    let at = match self.random.below(4) {
                        0 => "-1".to_owned(),
                        1 => self.expression(&Ty::Int, 3),
                        n => (n - 2).to_string(),
                    };
                    target = format!("{target}[{at}]");
                    (**item).clone()
                }
                Ty::Dict(item) => {
                    let key = self.one(super::expressions::KEYS);
                    target = match self.chance(50) {
                        true => format!("{target}.{key}"),
                        false => format!("{target}[\"{key}\"]"),
                    };
                    (**item).clone()
                }
                Ty::Struct(at) => {
                    let fields = self.structs.get(*at).map(|def| def.fields.clone()).unwrap_or_default();
                    let Some((field, ty)) = self.random.pick(&fields).cloned() else { break };
                    target = format!("{target}.{field}");
                    ty
                }
                _ => break,
            };
            ty = inner;
            if self.chance(50) {
                break;
            }
        }
        let value = self.expression(&ty, 1);
        let op = match ty {
            // `d.xs[1] *= e` is settled by a golden program (harn_syntax::precedents).
            Ty::Int | Ty::Float if target.contains('.') => self.one(&["=", "+=", "-="]),
            Ty::Int | Ty::Float if self.chance(40) => self.one(&["+=", "-=", "*="]),
            Ty::Str if self.chance(40) => "+=",
            _ => "=",
        };
        self.guarded(&format!("{target} {op} {value}"));
    }

    fn jump(&mut self) {
        if self.place.last {
            return self.print();
        }
        let condition = self.condition(1);
        let word = match (self.place.looped, self.place.returns.clone(), self.random.below(3)) {
            (true, _, 0) => "break".to_owned(),
            (true, _, 1) => "continue".to_owned(),
            (_, Some(ty), _) if self.chance(60) => format!("return {}", self.expression(&ty, 2)),
            _ if self.place.depth > 0 && self.chance(70) => {
                let ty = self.ty(1);
                format!("throw {}", self.expression(&ty, 2))
            }
            _ => return self.print(),
        };
        self.line(&format!("if {condition} {{ {word} }}"));
    }

    fn destructuring(&mut self) {
        let item = self.ty(1);
        let word = self.one(&["let", "var"]);
        let mutable = word == "var";
        let (a, b, rest) = (self.fresh("v"), self.fresh("v"), self.fresh("v"));
        let default = self.expression(&item, 3);
        if self.chance(50) {
            let ty = Ty::List(Box::new(item.clone()));
            let value = self.expression(&ty, 2);
            self.line(&format!("{word} [{a} = {default}, {b} = {a}, ...{rest}] = {value}"));
            self.declare(&rest, ty, mutable);
        } else {
            let ty = Ty::Dict(Box::new(item.clone()));
            let value = self.expression(&ty, 2);
            let (k, l) = (self.one(&["a", "b"]), self.one(&["key", "n"]));
            self.line(&format!("{word} {{{k}: {a} = {default}, {l}: {b} = {a}, ...{rest}}} = {value}"));
            self.declare(&rest, ty, mutable);
        }
        self.declare(&a, item.clone(), mutable);
        self.declare(&b, item, mutable);
    }

    fn for_loop(&mut self) {
        let item = self.ty(1);
        let name = self.fresh("v");
        let one = |name: &str, ty: Ty| vec![(name.to_owned(), ty, true)];
        let (head, bound) = match self.random.below(9) {
            0..=1 => {
                let list = self.expression(&Ty::List(Box::new(item.clone())), 2);
                (format!("for {name} in {list}"), one(&name, item))
            }
            2..=3 => {
                let (a, b) = (self.random.below(3), 1 + self.random.below(4));
                let exclusive = self.one(&["", " exclusive"]);
                (format!("for {name} in {a} to {b}{exclusive}"), one(&name, Ty::Int))
            }
            4 => {
                let dict = self.expression(&Ty::Dict(Box::new(item.clone())), 2);
                let value = self.fresh("v");
                let bound = vec![(name.clone(), Ty::Str, true), (value.clone(), item, true)];
                (format!("for ({name}, {value}) in {dict}"), bound)
            }
            5 => {
                let dict = self.expression(&Ty::Dict(Box::new(item.clone())), 2);
                let value = self.fresh("v");
                let bound = vec![(name.clone(), Ty::Str, true), (value.clone(), item, true)];
                (format!("for {{key: {name}, value: {value}}} in {dict}"), bound)
            }
            6 => {
                let set = self.expression(&Ty::Set(Box::new(item.clone())), 2);
                (format!("for {name} in {set}"), one(&name, item))
            }
            7 => {
                let list = self.expression(&Ty::List(Box::new(item.clone())), 2);
                let at = self.fresh("v");
                let bound = vec![(at.clone(), Ty::Int, true), (name.clone(), item, true)];
                (format!("for ({at}, {name}) in {list}.iter().enumerate()"), bound)
            }
            _ => {
                let text = self.expression(&Ty::Str, 2);
                (format!("for {name} in {text}"), one(&name, Ty::Str))
            }
        };
        // A literal in front of the body's brace would be read with it.
        let head = match head.split_once(" in ") {
            Some((front, source)) if !source.contains(" to ") => {
                match source.strip_suffix(".iter().enumerate()") {
                    Some(list) => format!("{front} in ({list}).iter().enumerate()"),
                    None => format!("{front} in ({source})"),
                }
            }
            _ => head,
        };
        self.block(&head, bound, true, 4);
    }

    fn while_loop(&mut self) {
        let name = self.fresh("w");
        self.line(&format!("var {name} = 0"));
        let condition = self.condition(2);
        let limit = 1 + self.random.below(4);
        self.line(&format!("while {name} < {limit} && {condition} {{"));
        self.indent += 1;
        self.line(&format!("{name} += 1"));
        // The counter is not for the body to change.
        self.scopes.push(Vec::new());
        self.declare(&name, Ty::Int, false);
        let outer = self.place.clone();
        self.place.depth += 1;
        self.place.looped = true;
        for _ in 0..1 + self.random.below(3) {
            self.statement();
        }
        self.place = outer;
        self.scopes.pop();
        self.indent -= 1;
        self.line("}");
    }

    fn match_statement(&mut self) {
        let ty = self.ty(0);
        let value = self.expression(&ty, 2);
        self.line(&format!("match ({value}) {{"));
        self.indent += 1;
        for _ in 0..1 + self.random.below(3) {
            let (mut pattern, names) = self.pattern(&ty);
            let bound: Vec<_> = names.into_iter().map(|(name, ty)| (name, ty, false)).collect();
            if !pattern.contains(" if ") && self.chance(25) {
                self.scopes.push(Vec::new());
                for (name, ty, _) in &bound {
                    self.declare(name, ty.clone(), false);
                }
                let guard = self.condition(3);
                self.scopes.pop();
                pattern = format!("{pattern} if {guard}");
            }
            self.block(&format!("{pattern} ->"), bound, false, 2);
        }
        self.line("_ -> {");
        self.line("  println(\"no arm\")");
        self.line("}");
        self.indent -= 1;
        self.line("}");
    }

    fn try_statement(&mut self) {
        self.block("try", Vec::new(), false, 4);
        let name = self.fresh("e");
        let (caught, finally) = match self.random.below(5) {
            0 => (false, true),
            1 => (true, true),
            _ => (true, false),
        };
        let join = |c: &mut Self, from: usize| {
            let rest = c.out.split_off(from);
            c.out.truncate(c.out.trim_end().len());
            c.out.push(' ');
            c.out.push_str(rest.trim_start());
        };
        if caught {
            let at = self.out.len();
            self.block(&format!("catch ({name})"), Vec::new(), false, 2);
            join(self, at);
            let shown = format!("println(\"caught ${{{name}}}\")");
            // First thing in the handler: what was caught.
            let head = format!("catch ({name}) {{\n");
            if let Some(place) = self.out.rfind(&head) {
                let indent = "  ".repeat(self.indent + 1);
                self.out.insert_str(place + head.len(), &format!("{indent}{shown}\n"));
            }
        }
        if finally {
            let at = self.out.len();
            let outer = std::mem::replace(&mut self.place.last, true);
            let looped = std::mem::replace(&mut self.place.looped, false);
            self.block("finally", Vec::new(), false, 2);
            self.place.looped = looped;
            self.place.last = outer;
            join(self, at);
        }
    }

    fn closure_variable(&mut self) {
        let params: Vec<Ty> = (0..self.random.below(3)).map(|_| self.ty(1)).collect();
        let gives = self.ty(1);
        let literal = self.closure(&params, &gives, 1);
        let name = self.fresh("f");
        self.line(&format!("let {name} = {literal}"));
        self.declare(&name, Ty::Closure(params.clone(), Box::new(gives)), false);
        if self.chance(50) {
            let args: Vec<_> = params.iter().map(|param| self.expression(param, 3)).collect();
            self.guarded(&format!("println({name}({}))", args.join(", ")));
        }
    }

    /// Two names for one value, of which one changes.
    fn alias(&mut self) {
        let Some(variable) = self.variable(|v| matches!(v.ty, Ty::List(_) | Ty::Dict(_) | Ty::Struct(_)))
        else {
            return self.variable_statement();
        };
        let name = self.fresh("v");
        self.line(&format!("var {name} = {}", variable.name));
        self.declare(&name, variable.ty.clone(), true);
        self.store();
        self.line(&format!("println(\"${{{name}}} ${{{}}}\")", variable.name));
    }

    fn nested_function(&mut self) {
        let known = self.functions.len();
        self.function_declaration();
        let Some(function) = self.functions.get(known).cloned() else { return };
        if let Gives::Value(_) = function.gives {
            let call = self.call_of(&function, 2);
            self.guarded(&format!("println({call})"));
        }
        // Out of sight at the end of the block.
        if self.scopes.len() > 1 {
            self.functions.truncate(known);
        }
    }

    fn list_variable(&mut self) -> (Option<String>, Ty) {
        match self.variable(|v| v.mutable && matches!(v.ty, Ty::List(_))) {
            Some(super::Variable { name, ty: Ty::List(item), .. }) => (Some(name), *item),
            _ => (None, Ty::Int),
        }
    }

    fn yielding(&mut self) {
        match self.place.yields.clone() {
            Some((word, ty)) if !self.place.last => {
                let value = self.expression(&ty, 1);
                self.line(&format!("{word} {value}"));
            }
            _ => self.print(),
        }
    }

    /// A generator, step by step or in a loop.
    fn consume(&mut self) {
        let found: Vec<_> =
            self.functions.iter().filter(|f| matches!(f.gives, Gives::Items(_))).cloned().collect();
        let Some(function) = self.random.pick(&found).cloned() else { return self.print() };
        let Gives::Items(item) = function.gives.clone() else { return };
        let call = self.call_of(&function, 2);
        if self.chance(50) {
            let name = self.fresh("v");
            return self.block(&format!("for {name} in {call}"), vec![(name, item, true)], true, 3);
        }
        let name = self.fresh("g");
        self.line(&format!("let {name} = {call}"));
        for _ in 0..1 + self.random.below(3) {
            self.guarded(&format!("println({name}.next())"));
        }
        if self.chance(40) {
            let stage = match self.random.below(3) {
                0 => format!("map({})", self.closure(std::slice::from_ref(&item), &Ty::Str, 3)),
                1 => "enumerate()".to_owned(),
                _ => "chunks(2)".to_owned(),
            };
            self.guarded(&format!("println({name}.iter().{stage}.to_list())"));
        }
    }
}
