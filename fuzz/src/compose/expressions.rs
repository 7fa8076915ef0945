//! Expressions of a type that is meant, and sometimes of another.

use super::{Composer, Gives, Place, Ty};

/// Numbers where arithmetic has its edges.
const INTS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "10",
    "-1",
    "-2",
    "127",
    "128",
    "255",
    "256",
    "32767",
    "32768",
    "-32768",
    "-32769",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967296",
    "9007199254740993",
    "4611686018427387904",
    "9223372036854775807",
    "-9223372036854775808",
];

const FLOATS: &[&str] = &[
    "0.0",
    "-0.0",
    "0.5",
    "1.0",
    "1.5",
    "-2.25",
    "0.1",
    "0.2",
    "100.0",
    "3.14159",
    "1000000000000000.0",
    "999999999999999.0",
    "9007199254740993.0",
    "0.0000001",
    "123456789.125",
    "(1.0 / 0)",
    "(-1.0 / 0)",
];

const TEXTS: &[&str] = &[
    "\"\"",
    "\"a\"",
    "\"b\"",
    "\"abc\"",
    "\"Hello, World\"",
    "\"naïve\"",
    "\"日本語\"",
    "\"x y  z\"",
    "\"12\"",
    "\"-7\"",
    "\"1.5\"",
    "\"a,b,,c\"",
    "\"line\\nbreak\"",
    "\"tab\\tq\\\"q\"",
    "\"\\${no}\"",
    "\"🙂é\"",
    "\"a text that is longer than what fits inline\"",
    "\"exactly fourteen\"",
    "r\"raw \\n\"",
    "\"ABC abc\"",
];

pub(super) const KEYS: &[&str] = &["a", "b", "key", "n", "long_name"];

impl Composer<'_> {
    pub(super) fn expression(&mut self, ty: &Ty, depth: usize) -> String {
        self.fuel -= 1;
        if self.chance(2) {
            // Another type than meant, unseen by the checker.
            let other = self.ty(1);
            let value = self.simple(&other, depth + 1);
            return format!("hide({value})");
        }
        if depth > 4 || self.fuel < 0 || self.chance(15) {
            return self.leaf(ty);
        }
        self.compound(ty, depth + 1)
    }

    fn simple(&mut self, ty: &Ty, depth: usize) -> String {
        if depth > 3 || self.fuel < 0 { self.leaf(ty) } else { self.compound(ty, depth) }
    }

    /// A variable or the plainest literal.
    pub(super) fn leaf(&mut self, ty: &Ty) -> String {
        if self.chance(65)
            && let Some(variable) = self.variable(|v| v.ty == *ty)
        {
            return variable.name;
        }
        self.literal(ty)
    }

    fn literal(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Int if self.chance(60) => self.random.below(10).to_string(),
            Ty::Int => self.one(INTS).to_owned(),
            Ty::Float => self.one(FLOATS).to_owned(),
            Ty::Str => self.one(TEXTS).to_owned(),
            Ty::Bool => self.one(&["true", "false"]).to_owned(),
            Ty::Duration => self.one(&["0ms", "5ms", "90s", "2h", "1500ms"]).to_owned(),
            Ty::List(item) => {
                let items: Vec<_> = (0..self.random.below(4)).map(|_| self.leaf(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Ty::Dict(item) => {
                let mut entries = Vec::new();
                for _ in 0..self.random.below(3) {
                    let (key, value) = (self.one(KEYS), self.leaf(item));
                    entries.push(format!("{key}: {value}"));
                }
                format!("{{{}}}", entries.join(", "))
            }
            Ty::Set(item) => format!("set({}, {})", self.leaf(item), self.leaf(item)),
            Ty::Pair(a, b) => format!("pair({}, {})", self.leaf(a), self.leaf(b)),
            Ty::Closure(params, gives) => self.closure(params, gives, 9),
            Ty::Struct(at) => self.structure(*at, 9),
            Ty::Enum(at) => self.variant(*at, 9),
            Ty::Result(inner) => format!("Ok({})", self.leaf(inner)),
        }
    }

    fn compound(&mut self, ty: &Ty, depth: usize) -> String {
        if self.chance(30) {
            return self.of_any_type(ty, depth);
        }
        match ty {
            Ty::Int => self.int(depth),
            Ty::Float => self.float(depth),
            Ty::Str => self.text(depth),
            Ty::Bool => self.truth(depth),
            Ty::Duration => {
                let (a, b) = (self.leaf(ty), self.leaf(ty));
                let op = self.one(&["+", "-"]);
                format!("({a} {op} {b})")
            }
            Ty::List(item) => self.list(item, depth),
            Ty::Dict(item) => self.dict(item, depth),
            Ty::Set(item) => self.set(item, depth),
            Ty::Pair(a, b) => {
                format!("pair({}, {})", self.expression(a, depth), self.expression(b, depth))
            }
            Ty::Closure(params, gives) => self.closure(params, gives, depth),
            Ty::Struct(at) => self.structure(*at, depth),
            Ty::Enum(at) => self.variant(*at, depth),
            Ty::Result(inner) => match self.random.below(3) {
                0 => format!("Err({})", self.expression(&Ty::Str, depth)),
                1 => format!("(try {{ {} }})", self.expression(inner, depth)),
                _ => format!("Ok({})", self.expression(inner, depth)),
            },
        }
    }

    /// Forms that give any type.
    fn of_any_type(&mut self, ty: &Ty, depth: usize) -> String {
        let e = |c: &mut Self| c.expression(ty, depth);
        match self.random.below(17) {
            16 => self.awaited(ty, depth),
            0 => format!("({} ? {} : {})", self.condition(depth), e(self), e(self)),
            1 => format!("(if {} {{ {} }} else {{ {} }})", self.condition(depth), e(self), e(self)),
            2..=4 => self.call(ty, depth).unwrap_or_else(|| self.leaf(ty)),
            5 => {
                let callee = self.variable(|v| matches!(&v.ty, Ty::Closure(_, gives) if **gives == *ty));
                let Some(callee) = callee else { return self.leaf(ty) };
                let Ty::Closure(params, _) = &callee.ty else { return self.leaf(ty) };
                let args: Vec<_> = params.iter().map(|param| self.expression(param, depth)).collect();
                format!("{}({})", callee.name, args.join(", "))
            }
            6 => {
                let list = Ty::List(Box::new(ty.clone()));
                let at = self.expression(&Ty::Int, depth + 1);
                format!("({}[{at}] ?? {})", self.operand(&list), e(self))
            }
            7 => {
                let dict = Ty::Dict(Box::new(ty.clone()));
                let key = self.one(KEYS);
                let receiver = self.operand(&dict);
                match self.random.below(3) {
                    0 => format!("({receiver}.{key} ?? {})", e(self)),
                    1 => format!("({receiver}[\"{key}\"] ?? {})", e(self)),
                    _ => format!("{receiver}.get(\"{key}\", {})", e(self)),
                }
            }
            8 => {
                let matched = self.ty(1);
                let value = self.expression(&matched, depth + 1);
                let (pattern, names) = self.pattern(&matched);
                self.scopes.push(Vec::new());
                for (name, ty) in names {
                    self.declare(&name, ty, false);
                }
                let body = e(self);
                self.scopes.pop();
                format!("(match {value} {{ {pattern} -> {{ {body} }} _ -> {{ {} }} }})", e(self))
            }
            9 => format!("(try {{ {} }} catch (e) {{ {} }})", e(self), e(self)),
            10 => format!("unwrap_or(try {{ {} }}, {})", e(self), e(self)),
            11 => format!("tell(\"t\", {})", e(self)),
            12 => {
                // The placeholder of a pipe.
                let list = Ty::List(Box::new(ty.clone()));
                let (items, at) = (self.expression(&list, depth), self.random.below(3));
                format!("(({items} |> _[{at}]) ?? {})", e(self))
            }
            13 => {
                let of = self.structs.iter().enumerate().find_map(|(at, def)| {
                    let method = def.methods.iter().find(|(_, gives)| gives == ty)?;
                    Some((at, method.0.clone()))
                });
                let Some((of, method)) = of else { return self.leaf(ty) };
                format!("{}.{method}()", self.operand(&Ty::Struct(of)))
            }
            14 => {
                let of = self.structs.iter().enumerate().find_map(|(at, def)| {
                    let field = def.fields.iter().find(|(_, of)| of == ty)?;
                    Some((at, field.0.clone()))
                });
                let Some((of, field)) = of else { return self.leaf(ty) };
                format!("{}.{field}", self.operand(&Ty::Struct(of)))
            }
            _ => {
                let closure = Ty::Closure(vec![ty.clone()], Box::new(ty.clone()));
                let (value, f) = (e(self), self.leaf(&closure));
                format!("({value} |> {f})")
            }
        }
    }

    /// What a postfix or an operator can stand behind without changing its meaning.
    pub(super) fn operand(&mut self, ty: &Ty) -> String {
        let text = self.leaf(ty);
        let plain = text.starts_with(|c: char| c.is_alphanumeric() || "[\"(".contains(c));
        let negative = text.starts_with('-');
        match plain && !negative && !matches!(ty, Ty::Closure(..)) {
            true => text,
            false => format!("({text})"),
        }
    }

    pub(super) fn condition(&mut self, depth: usize) -> String {
        if self.chance(15) {
            let ty = self.ty(1);
            return format!("({})", self.expression(&ty, depth));
        }
        match self.expression(&Ty::Bool, depth) {
            bare if bare.starts_with(|c: char| c.is_alphanumeric())
                && bare.chars().all(|c| c.is_alphanumeric() || c == '_') =>
            {
                bare
            }
            other => format!("({other})"),
        }
    }

    fn call(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        let found: Vec<_> = self
            .functions
            .iter()
            .filter(|f| matches!(&f.gives, Gives::Value(gives) if gives == ty))
            .cloned()
            .collect();
        let function = self.random.pick(&found).cloned()?;
        Some(self.call_of(&function, depth))
    }

    pub(super) fn call_of(&mut self, function: &super::Function, depth: usize) -> String {
        let given = function.params.len() - self.random.below(function.optional + 1);
        let mut args: Vec<String> = Vec::new();
        for param in function.params.iter().take(given) {
            args.push(match function.name.starts_with("rec") && args.is_empty() {
                // How often it calls itself.
                true => self.random.below(4).to_string(),
                false => self.expression(param, depth + 1),
            });
        }
        if let Some(rest) = function.rest.as_ref().filter(|_| given == function.params.len()) {
            match self.random.below(3) {
                0 => args.push(format!("...{}", self.operand(&Ty::List(Box::new(rest.clone()))))),
                1 => args.push(self.leaf(rest)),
                _ => {}
            }
        }
        if self.chance(5) {
            args.pop();
        }
        format!("{}({})", function.name, args.join(", "))
    }

    fn int(&mut self, depth: usize) -> String {
        let e = |c: &mut Self| c.expression(&Ty::Int, depth);
        match self.random.below(23) {
            22 => self.settled(depth),
            0..=7 => {
                let op = self.one(&["+", "-", "*", "/", "%", "+", "-", "*"]);
                format!("({} {op} {})", e(self), e(self))
            }
            8 => format!("({} ** {})", e(self), self.random.below(5)),
            9 => format!("-({})", e(self)),
            10 => {
                let ty = self.collection();
                format!("len({})", self.expression(&ty, depth))
            }
            11 => {
                let list = Ty::List(Box::new(Ty::Int));
                let method = self.one(&["sum()", "count()", "index_of(1)"]);
                format!("{}.{method}", self.operand(&list))
            }
            12 => format!("(to_int({}) ?? {})", self.expression(&Ty::Str, depth), self.leaf(&Ty::Int)),
            13 => format!("(to_int({}) ?? {})", self.expression(&Ty::Float, depth), self.leaf(&Ty::Int)),
            14 => {
                let ty = self.ty(1);
                let list = Ty::List(Box::new(ty.clone()));
                let f = self.closure(&[Ty::Int, ty], &Ty::Int, depth);
                format!("{}.reduce({}, {f})", self.operand(&list), e(self))
            }
            15 => format!("{}.index_of({})", self.operand(&Ty::Str), self.leaf(&Ty::Str)),
            16 => {
                let list = Ty::List(Box::new(Ty::Int));
                let f = self.predicate(&Ty::Int, depth);
                format!("{}.find_index({f})", self.operand(&list))
            }
            17 => format!("({} |> _ + {})", e(self), e(self)),
            18 => {
                let (a, b) = (self.random.below(4), self.random.below(9));
                let exclusive = self.one(&["", " exclusive"]);
                let method = self.one(&["len()", "sum()", "count()", "filter({ x -> x % 2 }).sum()"]);
                format!("({a} to {b}{exclusive}).{method}")
            }
            19 => {
                let op = self.one(&["min", "max"]);
                format!("{op}({}, {})", e(self), e(self))
            }
            20 => format!("{}.count", self.operand(&Ty::Str)),
            _ => format!("({} {} {})", e(self), self.one(&["+", "-", "*"]), self.random.below(300)),
        }
    }

    fn float(&mut self, depth: usize) -> String {
        let e = |c: &mut Self| c.expression(&Ty::Float, depth);
        match self.random.below(6) {
            0..=2 => format!("({} {} {})", e(self), self.one(&["+", "-", "*", "/", "%"]), e(self)),
            3 => format!("({} {} {})", e(self), self.one(&["+", "*", "/"]), self.expression(&Ty::Int, depth)),
            4 => format!("to_float({})", self.expression(&Ty::Int, depth)),
            _ => format!("-({})", e(self)),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        let e = |c: &mut Self| c.expression(&Ty::Str, depth);
        match self.random.below(16) {
            0..=2 => format!("({} + {})", e(self), e(self)),
            3..=4 => {
                let ty = self.ty(1);
                let inner = self.expression(&ty, depth + 1);
                format!("\"{}${{{inner}}}{}\"", self.one(&["", "x", "a b "]), self.one(&["", "-", " é"]))
            }
            5 => {
                let ty = self.ty(0);
                format!("to_string({})", self.expression(&ty, depth))
            }
            6 => {
                let method = self.one(&[
                    "upper()",
                    "lower()",
                    "trim()",
                    "reverse()",
                    "repeat(2)",
                    "pad_left(5, \"*\")",
                    "pad_right(4)",
                    "substring(1, 3)",
                    "substring(-1)",
                    "replace(\"a\", \"xy\")",
                    "trim_end()",
                ]);
                format!("{}.{method}", self.operand(&Ty::Str))
            }
            7 => format!("({}[{}] ?? \"-\")", self.operand(&Ty::Str), self.expression(&Ty::Int, depth)),
            8 => {
                let (a, b) = (self.expression(&Ty::Int, depth + 2), self.expression(&Ty::Int, depth + 2));
                match self.random.below(3) {
                    0 => format!("{}[{a}:]", self.operand(&Ty::Str)),
                    1 => format!("{}[:{b}]", self.operand(&Ty::Str)),
                    _ => format!("{}[{a}:{b}]", self.operand(&Ty::Str)),
                }
            }
            9 => {
                let list = Ty::List(Box::new(self.ty(2)));
                format!("{}.join({})", self.operand(&list), self.one(&["\", \"", "\"\"", "\"-\""]))
            }
            10 => {
                let ty = self.ty(0);
                format!("type_of({})", self.expression(&ty, depth))
            }
            11 => format!("({} * {})", e(self), self.random.below(4)),
            12 => {
                format!("{}.split({}).join(\"|\")", self.operand(&Ty::Str), self.one(&["", "\"\"", "\" \""]))
            }
            13 => format!("({}.char_at({}) ?? \"?\")", self.operand(&Ty::Str), self.random.below(4)),
            14 => format!("{}.chars().reverse().join()", self.operand(&Ty::Str)),
            _ => format!("({} ?? {})", e(self), e(self)),
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        match self.random.below(14) {
            0..=3 => {
                let ty = [Ty::Int, Ty::Int, Ty::Float, Ty::Str][self.random.below(4)].clone();
                let (a, b) = (self.expression(&ty, depth), self.expression(&ty, depth));
                format!("({a} {} {b})", self.one(&["<", ">", "<=", ">="]))
            }
            4..=5 => {
                let ty = self.ty(0);
                let (a, b) = (self.expression(&ty, depth), self.expression(&ty, depth));
                format!("({a} {} {b})", self.one(&["==", "!="]))
            }
            6 => format!("!({})", self.expression(&Ty::Bool, depth)),
            7..=8 => {
                let (a, b) = (self.condition(depth), self.condition(depth));
                format!("({a} {} {b})", self.one(&["&&", "||"]))
            }
            9 => {
                let ty = self.ty(2);
                let list = Ty::List(Box::new(ty.clone()));
                format!("({} {} {})", self.leaf(&ty), self.one(&["in", "not in"]), self.operand(&list))
            }
            10 => {
                let ty = self.ty(2);
                let list = Ty::List(Box::new(ty.clone()));
                let f = self.predicate(&ty, depth);
                format!("{}.{}({f})", self.operand(&list), self.one(&["any", "all", "none"]))
            }
            11 => {
                let method = self.one(&["contains", "starts_with", "ends_with"]);
                format!("{}.{method}({})", self.operand(&Ty::Str), self.leaf(&Ty::Str))
            }
            12 => {
                let ty = self.ty(2);
                let set = Ty::Set(Box::new(ty.clone()));
                format!("{}.contains({})", self.operand(&set), self.leaf(&ty))
            }
            _ => {
                let ty = Ty::Result(Box::new(self.ty(2)));
                format!("{}({})", self.one(&["is_ok", "is_err"]), self.expression(&ty, depth))
            }
        }
    }

    fn list(&mut self, item: &Ty, depth: usize) -> String {
        let ty = Ty::List(Box::new(item.clone()));
        let own = |c: &mut Self| c.operand(&ty);
        match self.random.below(20) {
            18..=19 => self.parallel(item, depth),
            0..=2 => {
                let count = if self.chance(3) { 40 } else { self.random.below(5) };
                let mut items = Vec::new();
                for _ in 0..count {
                    items.push(match self.chance(15) {
                        true => format!("...{}", own(self)),
                        false => self.expression(item, depth + 1),
                    });
                }
                format!("[{}]", items.join(", "))
            }
            3 => format!("({} + {})", self.expression(&ty, depth), self.expression(&ty, depth)),
            4 => format!("{}.push({})", own(self), self.expression(item, depth)),
            5..=6 => {
                let from = self.ty(1);
                let source = Ty::List(Box::new(from.clone()));
                let f = self.closure(&[from], item, depth);
                format!("{}.map({f})", self.operand(&source))
            }
            7 => {
                let f = self.predicate(item, depth);
                format!("{}.filter({f})", own(self))
            }
            8 => {
                let method = self.one(&[
                    "sort()",
                    "reverse()",
                    "unique()",
                    "pop()",
                    "take(2)",
                    "skip(1)",
                    "compact()",
                ]);
                format!("{}.{method}", own(self))
            }
            9 => {
                let f = self.closure(std::slice::from_ref(item), &Ty::Int, depth);
                format!("{}.sort_by({f})", own(self))
            }
            10 => {
                let (a, b) = (self.expression(&Ty::Int, depth + 2), self.expression(&Ty::Int, depth + 2));
                format!("{}[{a}:{b}]", own(self))
            }
            11 => {
                let f = self.closure(std::slice::from_ref(item), item, depth);
                let p = self.predicate(item, depth);
                let n = self.random.below(4);
                let stage = match self.random.below(5) {
                    0 => format!("map({f})"),
                    1 => format!("filter({p})"),
                    2 => format!("take({n})"),
                    3 => format!("skip({n})"),
                    _ => format!("take_while({p})"),
                };
                format!("{}.iter().{stage}.to_list()", own(self))
            }
            12 => {
                let dict = Ty::Dict(Box::new(item.clone()));
                format!("{}.values()", self.operand(&dict))
            }
            13 => {
                let set = Ty::Set(Box::new(item.clone()));
                format!("{}.to_list()", self.operand(&set))
            }
            14 => {
                let found: Vec<_> = self
                    .functions
                    .iter()
                    .filter(|f| matches!(&f.gives, Gives::Items(of) if of == item))
                    .cloned()
                    .collect();
                match self.random.pick(&found).cloned() {
                    Some(function) => format!("{}.iter().take(3).to_list()", self.call_of(&function, depth)),
                    None => self.leaf(&ty),
                }
            }
            15 if *item == Ty::Int => {
                let (a, b) = (self.random.below(4), self.random.below(9));
                format!("({a} to {b}{}).to_list()", self.one(&["", " exclusive"]))
            }
            15 if *item == Ty::Str => {
                format!("{}.{}", self.operand(&Ty::Str), self.one(&["chars()", "split(\" \")", "lines()"]))
            }
            16 => format!("{}.flat_map({})", own(self), self.closure(std::slice::from_ref(item), &ty, depth)),
            _ => format!("[{}, {}].flatten()", own(self), own(self)),
        }
    }

    fn dict(&mut self, item: &Ty, depth: usize) -> String {
        let ty = Ty::Dict(Box::new(item.clone()));
        let own = |c: &mut Self| c.operand(&ty);
        match self.random.below(8) {
            0..=2 => {
                let mut entries = Vec::new();
                for _ in 0..self.random.below(5) {
                    let key = self.one(KEYS);
                    entries.push(match self.random.below(6) {
                        0 => format!("...{}", own(self)),
                        1 => format!("[{}]: {}", self.leaf(&Ty::Str), self.expression(item, depth)),
                        2 => format!("\"{key} x\": {}", self.expression(item, depth)),
                        _ => format!("{key}: {}", self.expression(item, depth)),
                    });
                }
                format!("{{{}}}", entries.join(", "))
            }
            3 => format!("({} + {})", self.expression(&ty, depth), self.expression(&ty, depth)),
            4 => format!("{}.merge({})", own(self), self.expression(&ty, depth)),
            5 => format!("{}.remove(\"{}\")", own(self), self.one(KEYS)),
            6 => {
                let f = self.closure(std::slice::from_ref(item), item, depth);
                format!("{}.map_values({f})", own(self))
            }
            _ => {
                let f = self.predicate(item, depth);
                format!("{}.filter({f})", own(self))
            }
        }
    }

    fn set(&mut self, item: &Ty, depth: usize) -> String {
        let ty = Ty::Set(Box::new(item.clone()));
        match self.random.below(4) {
            0 => {
                let list = Ty::List(Box::new(item.clone()));
                format!("set({})", self.expression(&list, depth))
            }
            1 => format!(
                "{}.{}({})",
                self.operand(&ty),
                self.one(&["add", "remove"]),
                self.expression(item, depth)
            ),
            _ => {
                let method = self.one(&["union", "intersect", "difference", "symmetric_difference"]);
                format!("{}.{method}({})", self.operand(&ty), self.expression(&ty, depth))
            }
        }
    }

    fn structure(&mut self, at: usize, depth: usize) -> String {
        let Some(def) = self.structs.get(at) else { return "nil".to_owned() };
        let (name, fields) = (def.name.clone(), def.fields.clone());
        let fields: Vec<_> =
            fields.iter().map(|(field, ty)| format!("{field}: {}", self.at_depth(ty, depth))).collect();
        format!("{name} {{{}}}", fields.join(", "))
    }

    fn variant(&mut self, at: usize, depth: usize) -> String {
        let Some(def) = self.enums.get(at) else { return "nil".to_owned() };
        let (name, variants) = (def.name.clone(), def.variants.clone());
        let Some((variant, fields)) = self.random.pick(&variants).cloned() else { return "nil".to_owned() };
        if fields.is_empty() {
            return format!("{name}.{variant}");
        }
        let fields: Vec<_> = fields.iter().map(|ty| self.at_depth(ty, depth)).collect();
        format!("{name}.{variant}({})", fields.join(", "))
    }

    fn at_depth(&mut self, ty: &Ty, depth: usize) -> String {
        if depth > 4 { self.leaf(ty) } else { self.expression(ty, depth + 1) }
    }

    pub(super) fn predicate(&mut self, of: &Ty, depth: usize) -> String {
        self.closure(std::slice::from_ref(of), &Ty::Bool, depth)
    }

    /// A closure literal; its body sees, and may change its copy of, what is around.
    pub(super) fn closure(&mut self, params: &[Ty], gives: &Ty, depth: usize) -> String {
        let place = Place {
            returns: Some(gives.clone()),
            nested: self.place.nested + 1,
            depth: self.place.depth + 1,
            sealed: self.place.sealed,
            ..Place::default()
        };
        let long = depth < 4 && self.fuel > 0 && self.place.nested < 3 && self.chance(12);
        self.inside(place, |c| {
            let mut names = Vec::new();
            for param in params {
                let name = c.fresh("x");
                c.declare(&name, param.clone(), false);
                names.push(name);
            }
            let head = names.join(", ");
            if !long {
                let value = if depth > 4 { c.leaf(gives) } else { c.expression(gives, depth + 2) };
                return match head.is_empty() {
                    true => format!("{{ -> {value} }}"),
                    false => format!("{{ {head} -> {value} }}"),
                };
            }
            let body = c.apart(|c| {
                c.indent += 1;
                c.body(2);
                let value = c.expression(gives, depth + 2);
                c.line(&value);
                c.indent -= 1;
            });
            let end = "  ".repeat(c.indent);
            match c.chance(30) {
                true => format!("fn({head}) {{\n{body}{end}}}"),
                false if head.is_empty() => format!("{{ ->\n{body}{end}}}"),
                false => format!("{{ {head} ->\n{body}{end}}}"),
            }
        })
    }

    fn collection(&mut self) -> Ty {
        let item = Box::new(self.ty(2));
        match self.random.below(4) {
            0 => Ty::Str,
            1 => Ty::Dict(item),
            2 => Ty::Set(item),
            _ => Ty::List(item),
        }
    }

    /// A pattern for values of a type, and what it binds.
    pub(super) fn pattern(&mut self, ty: &Ty) -> (String, Vec<(String, Ty)>) {
        let bound = |c: &mut Self, ty: &Ty| {
            let name = c.fresh("m");
            (name.clone(), vec![(name, ty.clone())])
        };
        match ty {
            Ty::Int if self.chance(70) => {
                (format!("{} | {}", self.random.below(4), self.random.below(9)), Vec::new())
            }
            Ty::Str if self.chance(60) => ("\"a\" | \"abc\"".to_owned(), Vec::new()),
            Ty::Bool if self.chance(60) => ("true".to_owned(), Vec::new()),
            Ty::List(item) if self.chance(80) => match self.random.below(3) {
                0 => {
                    let (pattern, names) = bound(self, item);
                    (format!("[{pattern}, _]"), names)
                }
                1 => {
                    let ((first, mut names), (rest, others)) = (self.pattern(item), bound(self, ty));
                    if first.contains('|') || first.contains(" if ") {
                        return bound(self, ty);
                    }
                    names.extend(others);
                    (format!("[{first}, ...{rest}]"), names)
                }
                _ => {
                    let (pattern, names) = bound(self, item);
                    (format!("[_, {pattern}]"), names)
                }
            },
            Ty::Dict(item) if self.chance(70) => {
                let key = self.one(KEYS);
                let name = self.fresh("m");
                // What is absent is nil.
                (format!("{{{key}: {name}}} if {name} != nil"), vec![(name, (**item).clone())])
            }
            Ty::Enum(at) => {
                let Some(def) = self.enums.get(*at) else { return ("_".to_owned(), Vec::new()) };
                let (name, variants) = (def.name.clone(), def.variants.clone());
                let Some((variant, fields)) = self.random.pick(&variants).cloned() else {
                    return ("_".to_owned(), Vec::new());
                };
                let mut names = Vec::new();
                let args: Vec<_> = fields
                    .iter()
                    .map(|ty| {
                        if self.chance(20) {
                            return "_".to_owned();
                        }
                        let (name, bound) = bound(self, ty);
                        names.extend(bound);
                        name
                    })
                    .collect();
                match args.is_empty() {
                    true => (format!("{name}.{variant}"), names),
                    false => (format!("{name}.{variant}({})", args.join(", ")), names),
                }
            }
            Ty::Struct(at) if self.chance(60) => {
                let Some(def) = self.structs.get(*at) else { return ("_".to_owned(), Vec::new()) };
                let (name, fields) = (def.name.clone(), def.fields.clone());
                let Some((field, ty)) = fields.first() else { return ("_".to_owned(), Vec::new()) };
                let (pattern, names) = bound(self, ty);
                (format!("{name} {{{field}: {pattern}}}"), names)
            }
            Ty::Result(inner) => {
                let (pattern, names) = bound(self, inner);
                (format!("Result.Ok({pattern})"), names)
            }
            _ => bound(self, ty),
        }
    }
}
